package io.vmm4j.socket;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.IoEventLoop;
import io.netty.channel.ServerChannel;
import io.netty.channel.SingleThreadIoEventLoop;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * One daemon thread for a server's sockets, and the sockets that listen on it. A connection reads
 * only when it asks to, and at most {@link #READ_BYTES} at a time, so that a flood stays in its
 * client's own buffers.
 */
public final class ListeningLoop implements AutoCloseable {
  /** How much is read from a connection at once, in bytes. */
  public static final int READ_BYTES = 8192;

  /** How long a connection that ends has for its last writes. */
  public static final Duration LAST_WRITES = Duration.ofSeconds(1);

  private final Transport transport = Transport.choose();
  private final IoEventLoop loop;

  /**
   * Starts the thread.
   *
   * @param threadName its name
   */
  public ListeningLoop(String threadName) {
    ThreadFactory thread = task -> daemon(threadName, task);
    this.loop = new SingleThreadIoEventLoop(null, thread, transport.io());
  }

  /** Creates a daemon thread that is not started yet. */
  public static Thread daemon(String name, Runnable task) {
    return Thread.ofPlatform().daemon().name(name).unstarted(task);
  }

  /** Returns the thread's event loop. */
  public IoEventLoop eventLoop() {
    return loop;
  }

  /**
   * Listens at a path of the file system, which must be free.
   *
   * @param backlog how many connections may wait to be accepted
   * @param client prepares the channel of each client, on this thread
   */
  public Channel listen(Path path, int backlog, Consumer<Channel> client) throws IOException {
    return listen(transport.unixChannel(), transport.unixAddress().apply(path), backlog, client);
  }

  /**
   * Listens at a TCP port.
   *
   * @param backlog how many connections may wait to be accepted
   * @param client prepares the channel of each client, on this thread
   */
  public Channel listen(InetSocketAddress address, int backlog, Consumer<Channel> client)
      throws IOException {
    return listen(transport.tcpChannel(), address, backlog, client);
  }

  private Channel listen(
      Class<? extends ServerChannel> kind,
      SocketAddress address,
      int backlog,
      Consumer<Channel> client)
      throws IOException {
    ChannelFuture bound =
        new ServerBootstrap()
            .group(loop)
            .channel(kind)
            .option(ChannelOption.SO_BACKLOG, backlog)
            .option(ChannelOption.ALLOCATOR, new UnpooledByteBufAllocator(false))
            .childOption(ChannelOption.ALLOCATOR, new UnpooledByteBufAllocator(false))
            .childOption(ChannelOption.AUTO_READ, false)
            .childOption(
                ChannelOption.RECVBUF_ALLOCATOR,
                new FixedRecvByteBufAllocator(READ_BYTES).maxMessagesPerRead(1))
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    client.accept(channel);
                  }
                })
            .bind(address)
            .awaitUninterruptibly();
    if (!bound.isSuccess()) {
      throw new IOException(String.valueOf(bound.cause().getMessage()), bound.cause());
    }
    return bound.channel();
  }

  /** Closes every channel of the loop and waits for its thread to end. */
  @Override
  public void close() {
    loop.shutdownGracefully(0, LAST_WRITES.toNanos(), TimeUnit.NANOSECONDS);
    awaitEnd(loop);
  }

  /** Waits for the end of a service that has been shut down; an interrupt is kept for later. */
  public static void awaitEnd(ExecutorService service) {
    boolean interrupted = false;
    while (!service.isTerminated()) {
      try {
        service.awaitTermination(1, TimeUnit.MINUTES);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}

package io.vmm4j.control;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.IoEventLoop;
import io.netty.channel.SingleThreadIoEventLoop;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.DuplexChannelConfig;
import io.vmm4j.api.Vm;
import io.vmm4j.control.command.Commands;
import io.vmm4j.control.protocol.RequestParser;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets others control a machine through a UNIX-domain socket that only its owner may use: look at
 * it, pause it, save it, restore it, use its consoles, end it. docs/control.md describes the
 * protocol; {@link ControlClient} speaks it, and so does anyone with {@code nc -U}.
 *
 * {@snippet :
 * try (Vm vm = Vm.start(spec);
 *     ControlServer control = ControlServer.open(vm, Path.of("/run/user/1000/web.sock"))) {
 *   vm.awaitExit(Duration.ofDays(1));
 * }
 * }
 *
 * <p>Whatever clients do is bounded by {@link ControlLimits}, and the machine does not notice it;
 * what they ask for, it does. <b>Threads.</b> One of its own for the sockets, and one for each
 * request under way; all are daemons. The methods may be called from any thread.
 */
public final class ControlServer implements AutoCloseable {
  /** How much is read from a client at once. */
  static final int READ_BYTES = 8192;

  private static final Logger LOG = LoggerFactory.getLogger(ControlServer.class);
  private static final Duration LAST_WRITES = Duration.ofSeconds(1);

  private final String machine;
  private final ControlLimits limits;
  private final Commands commands;
  private final RequestParser parser;
  private final Pace pace;
  private final ExecutorService commandThreads;
  private final IoEventLoop loop;
  private final Channel listening;
  private final SocketFile file;
  private final Set<Connection> connections = new LinkedHashSet<>();
  private volatile boolean closing;

  private ControlServer(Vm vm, Path path, ControlLimits limits) {
    this.machine = vm.spec().name();
    this.limits = limits;
    this.commands = new Commands(vm);
    this.parser = new RequestParser(limits.lineBytes(), limits.dumpBytes());
    this.pace = new Pace(limits.requestsPerSecond());
    String threads = "vmm-" + machine + "-control";
    AtomicInteger number = new AtomicInteger();
    this.commandThreads =
        // As many threads as requests under way: one per connection.
        new ThreadPoolExecutor(
            0,
            Integer.MAX_VALUE,
            1,
            TimeUnit.SECONDS,
            new SynchronousQueue<>(),
            task -> daemon(threads + "-command-" + number.incrementAndGet(), task));
    Transport transport = Transport.choose();
    ThreadFactory loopThread = task -> daemon(threads, task);
    this.loop = new SingleThreadIoEventLoop(null, loopThread, transport.io());
    try {
      Channel[] bound = new Channel[1];
      this.file = SocketFile.create(path, at -> bound[0] = bind(transport, at));
      this.listening = bound[0];
    } catch (Throwable e) {
      stopLoop(); // closes what was bound
      throw e;
    }
    LOG.info("machine '{}' is controlled at {}", machine, file.path());
  }

  /**
   * Opens a socket within {@linkplain ControlLimits#standard() the usual limits}.
   *
   * @throws ControlException.InUse if another server listens there
   * @throws ControlException.Socket if the socket can't be made there
   */
  public static ControlServer open(Vm vm, Path path) {
    return open(vm, path, ControlLimits.standard());
  }

  /**
   * Opens a socket. A socket that a dead process has left at the path is replaced.
   *
   * @throws ControlException.InUse if another server listens there
   * @throws ControlException.Socket if the socket can't be made there
   */
  public static ControlServer open(Vm vm, Path path, ControlLimits limits) {
    return new ControlServer(vm, path, limits);
  }

  private static Thread daemon(String name, Runnable task) {
    return Thread.ofPlatform().daemon().name(name).unstarted(task);
  }

  private Channel bind(Transport transport, Path path) throws IOException {
    ChannelFuture bound =
        new ServerBootstrap()
            .group(loop)
            .channel(transport.channel())
            .option(ChannelOption.SO_BACKLOG, limits.connections())
            .option(ChannelOption.ALLOCATOR, new UnpooledByteBufAllocator(false))
            .childOption(ChannelOption.ALLOCATOR, new UnpooledByteBufAllocator(false))
            .childOption(ChannelOption.AUTO_READ, false)
            .childOption(
                ChannelOption.RECVBUF_ALLOCATOR,
                new FixedRecvByteBufAllocator(READ_BYTES).maxMessagesPerRead(1))
            .childOption(
                ChannelOption.WRITE_BUFFER_WATER_MARK,
                new WriteBufferWaterMark(
                    limits.consoleBacklogBytes() / 2, limits.consoleBacklogBytes()))
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel client) {
                    // A client may end its input before it has had its replies.
                    ((DuplexChannelConfig) client.config()).setAllowHalfClosure(true);
                    client.pipeline().addLast(new Connection(ControlServer.this));
                  }
                })
            .bind(transport.address().apply(path))
            .awaitUninterruptibly();
    if (!bound.isSuccess()) {
      throw new IOException(String.valueOf(bound.cause().getMessage()), bound.cause());
    }
    return bound.channel();
  }

  /** Where the socket is, as an absolute path. */
  public Path path() {
    return file.path();
  }

  /**
   * Whether a client has had the machine saved and ended: {@code snapshot} with {@code suspend}.
   * The file is durable then.
   */
  public boolean suspended() {
    return commands.suspended();
  }

  // ---- what connections ask ----

  String machine() {
    return machine;
  }

  ControlLimits limits() {
    return limits;
  }

  Commands commands() {
    return commands;
  }

  RequestParser parser() {
    return parser;
  }

  ExecutorService commandThreads() {
    return commandThreads;
  }

  boolean closing() {
    return closing;
  }

  /** For the sockets' thread. */
  Pace pace() {
    return pace;
  }

  /** Whether there is room for one more. For the sockets' thread. */
  boolean admit(Connection connection) {
    return !closing && connections.size() < limits.connections() && connections.add(connection);
  }

  /** For the sockets' thread. */
  void remove(Connection connection) {
    connections.remove(connection);
  }

  // ---- the end ----

  /**
   * Removes the socket and disconnects all clients, once requests under way have had their replies:
   * a snapshot that is being written to a file is written to its end, one that goes to a client is
   * broken off. Leaves no thread, socket or file. May be called more than once.
   */
  @Override
  public synchronized void close() {
    if (closing) {
      return;
    }
    closing = true;
    try {
      file.delete();
    } catch (IOException e) {
      LOG.warn("control socket {} can't be removed", file.path(), e);
    }
    listening.close().awaitUninterruptibly();
    loop.submit(() -> connections.forEach(Connection::endUnlessBusy)).awaitUninterruptibly();
    commandThreads.shutdown();
    awaitCommands();
    List<ChannelFuture> ends =
        loop.submit(() -> connections.stream().map(c -> c.channel().closeFuture()).toList())
            .awaitUninterruptibly()
            .getNow();
    long deadline = System.nanoTime() + LAST_WRITES.toNanos();
    for (ChannelFuture end : ends) {
      end.awaitUninterruptibly(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
    }
    stopLoop();
  }

  private void awaitCommands() {
    boolean interrupted = false;
    while (true) {
      try {
        if (commandThreads.awaitTermination(Long.MAX_VALUE, TimeUnit.NANOSECONDS)) {
          break;
        }
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Closes every channel of the loop and ends its thread. */
  private void stopLoop() {
    loop.shutdownGracefully(0, LAST_WRITES.toNanos(), TimeUnit.NANOSECONDS);
    boolean interrupted = false;
    while (!loop.isTerminated()) {
      try {
        loop.awaitTermination(1, TimeUnit.MINUTES);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}

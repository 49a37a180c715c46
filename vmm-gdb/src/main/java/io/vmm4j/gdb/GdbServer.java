package io.vmm4j.gdb;

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
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmState;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets GDB debug the guest of a machine: {@code target remote :1234}. docs/debugging.md has a
 * session to type.
 *
 * {@snippet :
 * try (Vm vm = Vm.create(spec);
 *     GdbServer gdb = GdbServer.open(vm, GdbServer.loopback(1234))) {
 *   vm.resume(); // or leave that to the debugger
 *   vm.awaitExit(Duration.ofDays(1));
 * }
 * }
 *
 * <p>One debugger at a time; while there is one, a second is turned away. Until it asks for the
 * machine's state the machine goes on as ever, and so it does when the debugger leaves, however it
 * leaves; its breakpoints are gone then. Who may connect may do everything to the machine and have
 * files written with the rights of its process: on a TCP port of the loopback interface that is
 * every user of this computer, at a UNIX-domain socket only this one.
 *
 * <p><b>Threads.</b> One of its own for the socket, and one that does what the debugger asks; both
 * are daemons. The methods may be called from any thread.
 */
public final class GdbServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(GdbServer.class);
  private static final int READ_BYTES = 8192;
  private static final Duration LAST_WRITES = Duration.ofSeconds(1);

  private final Vm vm;
  private final Optional<Snapshot> beginning;
  private final ExecutorService worker;
  private final IoEventLoop loop;
  private final Channel listening;
  private final SocketAddress address;
  private final AtomicReference<@Nullable GdbConnection> connection = new AtomicReference<>();
  private volatile boolean closing;

  private GdbServer(Vm vm, SocketAddress asked) {
    vm.debugger(); // refuses a backend that can't
    this.vm = vm;
    String threads = "vmm-" + vm.spec().name() + "-gdb";
    this.worker = Executors.newSingleThreadExecutor(task -> daemon(threads + "-command", task));
    ThreadFactory loopThread = task -> daemon(threads, task);
    this.loop = new SingleThreadIoEventLoop(null, loopThread, NioIoHandler.newFactory());
    try {
      this.listening = bind(asked);
    } catch (Throwable e) {
      worker.shutdown();
      stopLoop();
      throw e;
    }
    this.beginning =
        vm.state() instanceof VmState.Paused ? Optional.of(vm.snapshot()) : Optional.empty();
    this.address = asked instanceof UnixDomainSocketAddress ? asked : listening.localAddress();
    LOG.info("machine '{}' can be debugged at {}", vm.spec().name(), address);
  }

  /**
   * Listens for a debugger. A machine that is paused then is what {@code monitor reset} goes back
   * to.
   *
   * @param address an {@link InetSocketAddress} of the loopback interface, port 0 being any that is
   *     free; or a {@link UnixDomainSocketAddress} at which there is no file yet, whose socket only
   *     this user may use and which {@link #close} removes
   * @throws GdbException if it can't listen there
   * @throws io.vmm4j.api.debug.DebuggingUnsupportedException if the machine's backend has no
   *     support for debuggers
   */
  public static GdbServer open(Vm vm, SocketAddress address) {
    return new GdbServer(vm, address);
  }

  /** A port of the loopback interface. */
  public static InetSocketAddress loopback(int port) {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
  }

  private static Thread daemon(String name, Runnable task) {
    return Thread.ofPlatform().daemon().name(name).unstarted(task);
  }

  // ---- the socket ----

  private Channel bind(SocketAddress asked) {
    return switch (asked) {
      case InetSocketAddress inet -> {
        if (inet.isUnresolved() || !inet.getAddress().isLoopbackAddress()) {
          throw new GdbException(asked, "it is not of the loopback interface");
        }
        yield bind(NioServerSocketChannel.class, asked, asked);
      }
      case UnixDomainSocketAddress unix -> bindFile(unix);
      default -> throw new GdbException(asked, "it is neither a TCP port nor a UNIX-domain socket");
    };
  }

  /**
   * Nobody else may enter the directory where it is made, so nobody can be faster than its mode.
   */
  private Channel bindFile(UnixDomainSocketAddress asked) {
    Path path = asked.getPath().toAbsolutePath();
    Path parent = path.getParent();
    try {
      if (parent == null) {
        throw new GdbException(asked, "it is a directory");
      }
      Path directory = Files.createTempDirectory(parent, "."); // mode 0700
      Path made = directory.resolve("s");
      try {
        Channel bound =
            bind(NioServerDomainSocketChannel.class, UnixDomainSocketAddress.of(made), asked);
        Files.setPosixFilePermissions(made, PosixFilePermissions.fromString("rw-------"));
        Files.createLink(path, made); // replaces nothing
        return bound;
      } finally {
        Files.deleteIfExists(made);
        Files.delete(directory);
      }
    } catch (FileAlreadyExistsException e) {
      throw new GdbException(asked, "there is a file already");
    } catch (IOException e) {
      throw new GdbException(asked, e);
    }
  }

  private Channel bind(Class<? extends ServerChannel> kind, SocketAddress at, SocketAddress asked) {
    ChannelFuture bound =
        new ServerBootstrap()
            .group(loop)
            .channel(kind)
            .option(ChannelOption.SO_BACKLOG, 4)
            .option(ChannelOption.ALLOCATOR, new UnpooledByteBufAllocator(false))
            .childOption(ChannelOption.ALLOCATOR, new UnpooledByteBufAllocator(false))
            .childOption(ChannelOption.AUTO_READ, false)
            .childOption(
                ChannelOption.RECVBUF_ALLOCATOR,
                new FixedRecvByteBufAllocator(READ_BYTES).maxMessagesPerRead(1))
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel client) {
                    client.pipeline().addLast(new GdbConnection(GdbServer.this));
                  }
                })
            .bind(at)
            .awaitUninterruptibly();
    if (!bound.isSuccess()) {
      throw new GdbException(asked, bound.cause());
    }
    return bound.channel();
  }

  /** Where it listens. */
  public SocketAddress address() {
    return address;
  }

  // ---- what connections ask ----

  Vm vm() {
    return vm;
  }

  Optional<Snapshot> beginning() {
    return beginning;
  }

  ExecutorService worker() {
    return worker;
  }

  boolean admit(GdbConnection client) {
    return !closing && connection.compareAndSet(null, client);
  }

  void leave(GdbConnection client) {
    connection.compareAndSet(client, null);
  }

  // ---- the end ----

  /**
   * Ends the debugger's connection, takes its breakpoints away and lets a machine that stood for it
   * go on. Leaves no thread, socket or file. May be called more than once.
   */
  @Override
  public synchronized void close() {
    if (closing) {
      return;
    }
    closing = true;
    if (address instanceof UnixDomainSocketAddress unix) {
      try {
        Files.deleteIfExists(unix.getPath());
      } catch (IOException e) {
        LOG.warn("debugger's socket {} can't be removed", unix, e);
      }
    }
    listening.close().awaitUninterruptibly();
    CompletableFuture.runAsync(() -> {}, worker).join(); // news of the end is on its way by then
    GdbConnection client = connection.get();
    if (client != null) {
      client.end().awaitUninterruptibly(LAST_WRITES.toNanos(), TimeUnit.NANOSECONDS);
    }
    stopLoop();
    worker.shutdown();
    awaitEnd(worker);
    beginning.ifPresent(Snapshot::close);
  }

  private void stopLoop() {
    loop.shutdownGracefully(0, LAST_WRITES.toNanos(), TimeUnit.NANOSECONDS);
    awaitEnd(loop);
  }

  private static void awaitEnd(ExecutorService service) {
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

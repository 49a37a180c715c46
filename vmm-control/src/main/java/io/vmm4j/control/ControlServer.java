package io.vmm4j.control;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.DuplexChannelConfig;
import io.vmm4j.api.Vm;
import io.vmm4j.control.command.Commands;
import io.vmm4j.control.protocol.RequestParser;
import io.vmm4j.socket.ListeningLoop;
import io.vmm4j.socket.SocketFile;
import io.vmm4j.socket.SocketFileException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.SynchronousQueue;
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
  private static final Logger LOG = LoggerFactory.getLogger(ControlServer.class);

  private final String machine;
  private final ControlLimits limits;
  private final Commands commands;
  private final RequestParser parser;
  private final Pace pace;
  private final ExecutorService commandThreads;
  private final ListeningLoop loop;
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
            task -> ListeningLoop.daemon(threads + "-command-" + number.incrementAndGet(), task));
    this.loop = new ListeningLoop(threads);
    try {
      Channel[] bound = new Channel[1];
      this.file =
          SocketFile.create(
              path, at -> bound[0] = loop.listen(at, limits.connections(), this::prepare));
      this.listening = bound[0];
    } catch (SocketFileException e) {
      loop.close(); // closes what was bound
      throw ControlException.of(path.toAbsolutePath().normalize(), e);
    } catch (Throwable e) {
      loop.close();
      throw e;
    }
    LOG.info("machine '{}' is controlled at {}", machine, file.path());
  }

  private void prepare(Channel client) {
    client
        .config()
        .setWriteBufferWaterMark(
            new WriteBufferWaterMark(
                limits.consoleBacklogBytes() / 2, limits.consoleBacklogBytes()));
    // A client may end its input before it has had its replies.
    ((DuplexChannelConfig) client.config()).setAllowHalfClosure(true);
    client.pipeline().addLast(new Connection(this));
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
    Objects.requireNonNull(vm, "vm");
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(limits, "limits");
    return new ControlServer(vm, path, limits);
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
    loop.eventLoop()
        .submit(() -> connections.forEach(Connection::endUnlessBusy))
        .awaitUninterruptibly();
    commandThreads.shutdown();
    ListeningLoop.awaitEnd(commandThreads);
    List<ChannelFuture> ends =
        loop.eventLoop()
            .submit(() -> connections.stream().map(c -> c.channel().closeFuture()).toList())
            .awaitUninterruptibly()
            .getNow();
    long deadline = System.nanoTime() + ListeningLoop.LAST_WRITES.toNanos();
    for (ChannelFuture end : ends) {
      end.awaitUninterruptibly(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
    }
    loop.close();
  }
}

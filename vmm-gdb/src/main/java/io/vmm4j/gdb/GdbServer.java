package io.vmm4j.gdb;

import io.netty.channel.Channel;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmState;
import io.vmm4j.socket.ListeningLoop;
import io.vmm4j.socket.SocketFile;
import io.vmm4j.socket.SocketFileException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
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
 * <p>One debugger can be connected. A second one is told so and turned away. Connecting does not
 * pause the machine; a request for its state does. When the debugger leaves, in whatever way, its
 * breakpoints are removed and the machine runs on. A debugger can do everything to the machine, and
 * can have files written with the rights of its process. Every user of this computer can connect to
 * a TCP port of the loopback interface; only this user can connect to a UNIX-domain socket.
 *
 * <p><b>Threads.</b> One of its own for the socket, and one that does what the debugger asks; both
 * are daemons. The methods may be called from any thread.
 */
public final class GdbServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(GdbServer.class);
  private static final int BACKLOG = 4;

  private final Vm vm;
  private final Optional<Snapshot> beginning;
  private final ExecutorService worker;
  private final ListeningLoop loop;
  private final Place place;
  private final AtomicReference<@Nullable GdbConnection> connection = new AtomicReference<>();
  private volatile boolean closing;

  /**
   * Where it listens.
   *
   * @param file the socket's file, if it has one
   */
  private record Place(Channel listening, SocketAddress address, Optional<SocketFile> file) {}

  private GdbServer(Vm vm, SocketAddress asked) {
    vm.debugger(); // refuses a backend that can't
    this.vm = vm;
    String threads = "vmm-" + vm.spec().name() + "-gdb";
    this.worker =
        Executors.newSingleThreadExecutor(task -> ListeningLoop.daemon(threads + "-command", task));
    this.loop = new ListeningLoop(threads);
    try {
      this.place = bind(asked);
    } catch (Throwable e) {
      worker.shutdown();
      loop.close();
      throw e;
    }
    this.beginning =
        vm.state() instanceof VmState.Paused ? Optional.of(vm.snapshot()) : Optional.empty();
    LOG.info("machine '{}' can be debugged at {}", vm.spec().name(), place.address());
  }

  /**
   * Listens for a debugger. A machine that is paused then is what {@code monitor reset} goes back
   * to.
   *
   * @param address an {@link InetSocketAddress} of the loopback interface, port 0 being any that is
   *     free; or a {@link UnixDomainSocketAddress}, whose socket only this user may use and {@link
   *     #close} removes. A socket that a dead process has left there is replaced; any other file is
   *     left alone
   * @throws GdbException if it can't listen there
   * @throws io.vmm4j.api.debug.DebuggingUnsupportedException if the machine's backend has no
   *     support for debuggers
   */
  public static GdbServer open(Vm vm, SocketAddress address) {
    return new GdbServer(
        Objects.requireNonNull(vm, "vm"), Objects.requireNonNull(address, "address"));
  }

  /** A port of the loopback interface. */
  public static InetSocketAddress loopback(int port) {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
  }

  // ---- the socket ----

  private Place bind(SocketAddress asked) {
    try {
      return switch (asked) {
        case InetSocketAddress inet -> {
          if (inet.isUnresolved() || !inet.getAddress().isLoopbackAddress()) {
            throw new GdbException(asked, "it is not of the loopback interface");
          }
          Channel bound = loop.listen(inet, BACKLOG, this::prepare);
          yield new Place(bound, bound.localAddress(), Optional.empty());
        }
        case UnixDomainSocketAddress unix -> {
          Channel[] bound = new Channel[1];
          SocketFile file =
              SocketFile.create(
                  unix.getPath(), at -> bound[0] = loop.listen(at, BACKLOG, this::prepare));
          yield new Place(bound[0], UnixDomainSocketAddress.of(file.path()), Optional.of(file));
        }
        default ->
            throw new GdbException(asked, "it is neither a TCP port nor a UNIX-domain socket");
      };
    } catch (SocketFileException e) {
      throw new GdbException(asked, String.valueOf(e.getMessage()), e);
    } catch (IOException e) {
      throw new GdbException(asked, "it can't be opened: " + e.getMessage(), e);
    }
  }

  private void prepare(Channel client) {
    client.pipeline().addLast(new GdbConnection(this));
  }

  /** Where it listens. */
  public SocketAddress address() {
    return place.address();
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
    place
        .file()
        .ifPresent(file -> {
          try {
            file.delete();
          } catch (IOException e) {
            LOG.warn("debugger's socket {} can't be removed", file.path(), e);
          }
        });
    place.listening().close().awaitUninterruptibly();
    CompletableFuture.runAsync(() -> {}, worker).join(); // news of the end is on its way by then
    GdbConnection client = connection.get();
    if (client != null) {
      client.end().awaitUninterruptibly(ListeningLoop.LAST_WRITES.toNanos(), TimeUnit.NANOSECONDS);
    }
    loop.close();
    worker.shutdown();
    ListeningLoop.awaitEnd(worker);
    beginning.ifPresent(Snapshot::close);
  }
}

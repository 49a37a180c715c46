package io.vmm4j.cli;

import io.vmm4j.api.Console;
import io.vmm4j.api.ConsoleInputException;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.SnapshotOptions;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmException;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmMetrics;
import io.vmm4j.api.VmState;
import io.vmm4j.api.VmStoppedException;
import io.vmm4j.api.network.PortForward;
import io.vmm4j.api.network.UserNetwork;
import io.vmm4j.api.vsock.Vsock;
import io.vmm4j.control.ControlServer;
import io.vmm4j.gdb.GdbServer;
import io.vmm4j.vsock.VsockSockets;
import java.io.IOException;
import java.io.OutputStream;
import java.net.SocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs a machine to its end between the process's streams: serial output to standard output, input
 * to the guest, a snapshot when it is asked for.
 *
 * <p>One thread, the caller's, takes the decisions; what happens elsewhere comes as an {@link
 * Event}.
 */
final class Session {
  /** The path of the device whose console the process's streams are. */
  static final String SERIAL = "com1";

  /** The path of the debug console, whose output goes to standard error. */
  static final String DEBUG_CONSOLE = "debug-console";

  private static final Duration A_LONG_TIME = Duration.ofDays(10_000);

  private static final Logger LOG = LoggerFactory.getLogger(Session.class);

  /** What a session has to react to. */
  private sealed interface Event {
    /** The machine has ended. */
    record Ended(VmExit exit) implements Event {}

    /** The text of --save-when has come. */
    record SaveTextSeen() implements Event {}

    /** The user typed the escape. */
    record Escape() implements Event {}

    /** Nobody takes the output any more. */
    record OutputFailed(IOException failure) implements Event {}

    /** Something failed that should not. */
    record Failed(RuntimeException failure) implements Event {}
  }

  /** What takes the guest's input. */
  interface GuestInput {
    /** Takes bytes once there is room for them; false if the guest takes none any more. */
    boolean accept(byte[] bytes);

    /** There is no more input. */
    default void end() {}
  }

  /** Where the guest's input comes from. */
  interface Input {
    /** Begins to carry input to the guest. */
    AutoCloseable open(GuestInput guest, Runnable onEscape);
  }

  private final Vm vm;
  private final Streams streams;
  private final Messages messages;
  private final SaveOptions save;
  private final boolean stats;
  private final Optional<Duration> timeout;
  private final Optional<Path> controlPath;
  private final Optional<Path> vsockDirectory;
  private final Optional<SocketAddress> gdbAddress;
  private final boolean waitsForDebugger;
  private final boolean paused;
  private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
  private Optional<ControlServer> control = Optional.empty();
  private boolean saved;
  private Optional<Exception> saveFailure = Optional.empty();

  /**
   * A session of a machine that is paused.
   *
   * @param options how long it may run, and where it is controlled
   */
  Session(Vm vm, Streams streams, Messages messages, SaveOptions save, MachineOptions options) {
    this.vm = vm;
    this.streams = streams;
    this.messages = messages;
    this.save = save;
    this.timeout = Optional.ofNullable(options.timeout);
    this.controlPath = Optional.ofNullable(options.control);
    this.vsockDirectory = Optional.ofNullable(options.vsock);
    this.gdbAddress = Optional.ofNullable(options.gdb);
    this.waitsForDebugger = options.gdbWait;
    this.paused = options.paused;
    this.stats = options.stats;
    vm.endWhenDead(options.endWhenDead);
  }

  /**
   * Runs the machine to its end.
   *
   * @return the process's exit code
   */
  int run(Input input) throws IOException, InterruptedException {
    control = controlPath.map(path -> ControlServer.open(vm, path));
    Optional<SignalGuard> guard = control.map(SignalGuard::of);
    try {
      return runConnected(input);
    } finally {
      guard.ifPresent(SignalGuard::close);
      if (stats) {
        VmMetrics metrics = vm.metrics();
        messages.say("instructions " + metrics.instructions());
        messages.say("running " + Durations.seconds(metrics.running()));
        messages.say("idle " + Durations.seconds(metrics.idle()));
        metrics.counters().forEach((name, count) -> messages.say(name + " " + count));
      }
      // Its clients have their last replies before the process ends.
      control.ifPresent(ControlServer::close);
    }
  }

  /** Tells which ports of the host lead into the guest: some may have been any free ones. */
  private void tellForwards() {
    for (UserNetwork network : vm.devices(UserNetwork.class).values()) {
      for (PortForward forward : network.forwards()) {
        messages.say(
            "127.0.0.1:%d leads to port %d of the guest"
                .formatted(forward.hostPort(), forward.guestPort()));
      }
    }
  }

  private int runConnected(Input input) throws IOException, InterruptedException {
    tellForwards();
    if (vsockDirectory.isEmpty()) {
      return runDebugged(input);
    }
    Vsock vsock =
        vm.devices(Vsock.class).values().stream()
            .findFirst()
            .orElseThrow(() -> new UsageException("--vsock: the machine has no virtio sockets"));
    try (VsockSockets sockets = VsockSockets.open(vsock, vsockDirectory.get())) {
      SignalGuard guard = SignalGuard.of(sockets);
      try {
        messages.say("%s leads to the guest's virtio sockets".formatted(sockets.path()));
        return runDebugged(input);
      } finally {
        guard.close();
      }
    }
  }

  private int runDebugged(Input input) throws IOException, InterruptedException {
    Optional<GdbServer> gdb = gdbAddress.map(address -> GdbServer.open(vm, address));
    Optional<SignalGuard> guard = gdb.map(SignalGuard::of);
    try {
      if (waitsForDebugger) {
        messages.say(
            "the machine stands until a debugger at %s continues it".formatted(gdbAt(gdb)));
      } else if (paused) {
        messages.say("the machine is paused" + controlledAt());
      }
      return runControlled(input);
    } finally {
      guard.ifPresent(SignalGuard::close);
      gdb.ifPresent(GdbServer::close);
    }
  }

  private String controlledAt() {
    return control
        .map(server -> ": ./vmm ctl %s resume lets it go on".formatted(server.path()))
        .orElse("");
  }

  private static String gdbAt(Optional<GdbServer> gdb) {
    return gdb.map(server -> server.address().toString()).orElseThrow();
  }

  private int runControlled(Input input) throws IOException, InterruptedException {
    Optional<Console> serial = console(SERIAL);
    if (save.when != null && serial.isEmpty()) {
      throw new UsageException("--save-when: the machine has no console '" + SERIAL + "'");
    }
    serial.ifPresent(this::connectOutput);
    console(DEBUG_CONSOLE).ifPresent(console -> copy(console, streams.err()));
    AutoCloseable opened =
        serial
            .map(console -> input.open(bytes -> send(console, bytes), this::escape))
            .orElse(() -> {});
    try {
      if (!waitsForDebugger && !paused) {
        vm.resume();
      }
      Thread.ofVirtual().name("vmm-exit").start(this::awaitExit);
      return followEvents();
    } finally {
      // The last output before the terminal is given back, and before any message about the end.
      vm.close();
      close(opened);
    }
  }

  /** Says how the machine ended, once its last output is out. */
  static void reportEnd(VmExit exit, Messages messages) {
    switch (exit) {
      case VmExit.Crashed crashed -> {
        messages.say("the machine crashed: " + crashed.reason());
        crashed.detail().lines().forEach(messages::say);
      }
      case VmExit.Dead dead -> {
        messages.say("the guest is dead: every vCPU has halted with interrupts disabled");
        dead.detail().lines().forEach(messages::say);
      }
      case VmExit.Panicked panicked -> {
        messages.say("the guest's kernel has panicked");
        panicked.detail().lines().forEach(messages::say);
      }
      case VmExit.Reset reset -> {
        messages.say("the guest reset the machine by " + reset.cause().description());
        reset.detail().lines().forEach(messages::say);
      }
      default -> {}
    }
  }

  private int followEvents() throws IOException, InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.NANOSECONDS.convert(timeout.orElse(A_LONG_TIME));
    while (true) {
      Event event = events.poll(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
      switch (event) {
        case null -> {
          messages.say("timeout: the machine ran for " + Durations.seconds(timeout.orElseThrow()));
          WhereItStands.of(vm).forEach(messages::say);
          vm.close();
          return ExitCode.TIMEOUT;
        }
        case Event.SaveTextSeen seen -> {
          saveSnapshot();
          if (save.exitAfterSave) {
            return ExitCode.OK;
          }
        }
        case Event.Escape escape -> {
          vm.close();
          messages.say("ended from the terminal");
          return ExitCode.ENDED_BY_USER;
        }
        case Event.OutputFailed failed -> throw failed.failure();
        case Event.Failed failed -> throw failed.failure();
        case Event.Ended ended -> {
          vm.close(); // all output has now reached the listeners, --save-when among them
          if (control.map(ControlServer::suspended).orElse(false)) {
            messages.say("saved and ended through the control socket");
            return ExitCode.OK;
          }
          reportEnd(ended.exit(), messages);
          if (saveFailure.isPresent()) {
            messages.say("nothing saved: " + Failures.line(saveFailure.get()));
            return Failures.exitCode(saveFailure.get());
          }
          if (save.when != null && !saved) {
            messages.say(
                "nothing saved: the machine ended before \"%s\" came, or right after"
                    .formatted(save.when));
            return ExitCode.NOT_SAVED;
          }
          return ExitCode.of(ended.exit());
        }
      }
    }
  }

  /**
   * Saves the machine. If that fails the guest goes on, which may have worked for hours; unless it
   * was to end here: whoever started it waits for that.
   */
  private void saveSnapshot() throws IOException {
    Path file = Objects.requireNonNull(save.file);
    if (vm.state() instanceof VmState.Ended) {
      return; // the event of the end is on its way and says so
    }
    try {
      writeSnapshot(file);
      saved = true;
    } catch (VmStoppedException e) {
      return;
    } catch (IOException | VmException e) {
      if (save.exitAfterSave) {
        throw e;
      }
      saveFailure = Optional.of(e);
      messages.say("can't save: %s; the guest goes on".formatted(Failures.line(e)));
    }
  }

  private void writeSnapshot(Path file) throws IOException {
    Instant start = Instant.now();
    if (save.exitAfterSave) {
      vm.pause();
    }
    messages.progress("saving " + file);
    try (Snapshot taken = take()) {
      taken.writeTo(file, save.pack.chosen());
      messages.say(
          "saved %s (%s in %s%s)"
              .formatted(
                  file,
                  Sizes.text(Files.size(file)),
                  Durations.seconds(Duration.between(start, Instant.now())),
                  save.live ? stood(taken) : ""));
    }
  }

  private Snapshot take() {
    try {
      return vm.snapshot(save.live ? SnapshotOptions.live() : SnapshotOptions.stopped());
    } finally {
      if (!save.exitAfterSave && !save.live) {
        goOn(); // paused when the text came, so that the snapshot is close behind it
      }
    }
  }

  private void goOn() {
    try {
      vm.resume();
    } catch (VmStoppedException e) {
      return; // the event of the end is on its way and says so
    }
  }

  private static String stood(Snapshot live) {
    return live.captureReport()
        .map(report -> "; the guest stood for " + Durations.millis(report.paused()))
        .orElse("");
  }

  private void connectOutput(Console serial) {
    copy(serial, streams.out());
    if (save.when != null) {
      TextTrigger trigger = new TextTrigger(save.when, this::saveTextSeen);
      serial.onOutput(serial.bytesWritten(), trigger::accept);
    }
  }

  private void saveTextSeen() {
    try {
      if (!save.live) {
        vm.pause();
      }
    } catch (VmStoppedException e) {
      // Ended right after the text: there is nothing left to save, which the end reports.
      return;
    }
    events.add(new Event.SaveTextSeen());
  }

  private void copy(Console console, OutputStream out) {
    // Not what it showed before it was saved: that was printed then.
    console.onOutput(
        console.bytesWritten(),
        bytes -> {
          try {
            out.write(bytes);
            out.flush();
          } catch (IOException e) {
            events.add(
                new Event.OutputFailed(new IOException("the output can't be written: " + e, e)));
          }
        });
  }

  /** Waits until the guest has room for it, however long, so that no more input is read. */
  private static boolean send(Console console, byte[] bytes) {
    try {
      console.send(bytes, A_LONG_TIME);
    } catch (VmStoppedException e) {
      return false;
    } catch (ConsoleInputException e) {
      LOG.debug("input that waited is left out", e); // it was sent to the machine as it was before
    }
    return true;
  }

  private void escape() {
    events.add(new Event.Escape());
  }

  private void awaitExit() {
    try {
      events.add(new Event.Ended(vm.awaitExit(A_LONG_TIME)));
    } catch (RuntimeException e) {
      events.add(new Event.Failed(e));
    }
  }

  private Optional<Console> console(String path) {
    try {
      return Optional.of(vm.console(path));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  private static void close(AutoCloseable opened) {
    try {
      opened.close();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}

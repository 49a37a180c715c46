package io.vmm4j.control.command;

import io.vmm4j.api.CaptureReport;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.SnapshotOptions;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmState;
import io.vmm4j.api.VmStoppedException;
import io.vmm4j.control.protocol.ErrorType;
import io.vmm4j.control.protocol.Request;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;

/**
 * Snapshots and restores, one at a time: each holds a copy of the machine's memory. The machine
 * stands only while that copy is made, never for a slow disk or client.
 */
final class SnapshotCommands {
  private final Vm vm;
  private final Semaphore one = new Semaphore(1);
  private volatile boolean suspending;
  private volatile boolean suspended;

  SnapshotCommands(Vm vm) {
    this.vm = vm;
  }

  boolean suspended() {
    return suspended;
  }

  /**
   * Does something that would make a snapshot with {@code suspend} miss what the guest does next.
   */
  void whileNotSuspending(Runnable action) {
    if (suspending) {
      throw busy();
    }
    action.run();
  }

  Outcome toFile(Request.SnapshotToFile request) throws IOException {
    Path file = request.file();
    if (Files.exists(file) && !Files.isRegularFile(file)) {
      throw new Refusal(ErrorType.FILE, "cannot write " + file + ": it is no regular file");
    }
    return alone(() -> request.suspend() ? suspend(file) : write(file, request.live()));
  }

  private Snapshot take(boolean live) {
    return vm.snapshot(live ? SnapshotOptions.live() : SnapshotOptions.stopped());
  }

  private Outcome write(Path file, boolean live) throws IOException {
    try (Snapshot snapshot = take(live)) {
      return written(file, snapshot);
    }
  }

  private Outcome written(Path file, Snapshot snapshot) throws IOException {
    try {
      snapshot.writeTo(file);
    } catch (IOException e) {
      throw FailureReply.cannot("write", file, e);
    }
    long bytes = Files.size(file);
    Outcome.Reply told = told(snapshot, bytes);
    return new Outcome.Reply(json -> {
      json.writeStringField("file", file.toString());
      told.result().writeTo(json);
    });
  }

  private static Outcome.Reply told(Snapshot snapshot, long bytes) {
    String id = snapshot.id().toString();
    Optional<Duration> paused = snapshot.captureReport().map(CaptureReport::paused);
    return new Outcome.Reply(json -> {
      json.writeStringField("snapshot", id);
      json.writeNumberField("bytes", bytes);
      if (paused.isPresent()) {
        json.writeNumberField("pausedMicros", paused.get().toNanos() / 1000);
      }
    });
  }

  /** Nothing of the guest's work comes after the snapshot, unless it could not be written. */
  private Outcome suspend(Path file) throws IOException {
    suspending = true;
    try {
      boolean running = vm.state() instanceof VmState.Running;
      vm.pause();
      Outcome outcome;
      try {
        outcome = write(file, false);
      } catch (IOException | RuntimeException | Error e) {
        if (running) {
          goOn(e);
        }
        throw e;
      }
      suspended = true;
      vm.stop();
      return outcome;
    } finally {
      suspending = false;
    }
  }

  private void goOn(Throwable cause) {
    try {
      vm.resume();
    } catch (VmStoppedException ended) {
      cause.addSuppressed(ended); // ended by another meanwhile
    }
  }

  Outcome toClient(boolean live, Supplier<OutputStream> stream) throws IOException {
    return alone(() -> {
      try (Snapshot snapshot = take(live)) {
        CountingOutputStream out = new CountingOutputStream(stream.get());
        try (out) {
          snapshot.writeTo(out);
        }
        return told(snapshot, out.count());
      }
    });
  }

  Outcome restore(Request.Restore request) throws IOException {
    Path file = request.file();
    if (Files.exists(file) && !Files.isRegularFile(file)) {
      throw new Refusal(ErrorType.FILE, "cannot read " + file + ": it is no regular file");
    }
    return alone(() -> {
      try (Snapshot snapshot = read(file)) {
        vm.restore(snapshot);
        String id = snapshot.id().toString();
        return new Outcome.Reply(json -> json.writeStringField("snapshot", id));
      }
    });
  }

  private static Snapshot read(Path file) {
    try {
      return Snapshot.read(file);
    } catch (IOException e) {
      throw FailureReply.cannot("read", file, e);
    }
  }

  /** A command of these. */
  private interface Action {
    Outcome run() throws IOException;
  }

  private Outcome alone(Action action) throws IOException {
    if (!one.tryAcquire()) {
      throw busy();
    }
    try {
      return action.run();
    } finally {
      one.release();
    }
  }

  private static Refusal busy() {
    return new Refusal(ErrorType.BUSY, "another snapshot or restore is under way; try again later");
  }
}

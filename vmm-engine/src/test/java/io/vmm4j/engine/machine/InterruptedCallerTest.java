package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.vmm4j.api.ResumeOptions;
import io.vmm4j.api.SaveOptions;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.SnapshotOptions;
import io.vmm4j.api.SnapshotResolver;
import io.vmm4j.api.Vm;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.engine.machine.FakeBackend.Outcome;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * An interrupt costs its thread at most the call that it is in. No snapshot and no machine of
 * another caller is the worse for it, wherever the memory lies.
 */
@Timeout(1200)
class InterruptedCallerTest {
  private static final int STORM_FORKS = 200;

  /** Writes to a page of its own at each step. */
  private static final FakeBackend.Script WRITE =
      (host, vcpu) -> {
        long address = 0x10_0000 + vcpu.rip % 200 * 4096;
        var location = host.locate(address);
        long offset = location.offset() + address - location.base();
        host.vcpuWrites(offset, 8);
        host.memory().set(ValueLayout.JAVA_LONG, offset, vcpu.rip + 1);
        return Outcome.NEXT;
      };

  @TempDir private Path directory;

  private final TestMachines machines = new TestMachines(WRITE);

  /** Where a snapshot's memory lies. */
  private enum Origin {
    TAKEN,
    STREAM,
    STREAM_FILE,
    MAPPED
  }

  private interface Call {
    void run(Snapshot snapshot, Vm clone) throws Exception;
  }

  private record Operation(String name, Call call) {}

  private List<Operation> operations() {
    Path target = directory.resolve("target.vmm");
    return List.of(
        new Operation("fork", (snapshot, clone) -> snapshot.fork().close()),
        new Operation("load", (snapshot, clone) -> standing(snapshot).close()),
        new Operation("close of a clone", (snapshot, clone) -> clone.close()),
        new Operation("snapshot of a clone", (snapshot, clone) -> clone.snapshot().close()),
        new Operation(
            "live snapshot of a clone",
            (snapshot, clone) -> clone.snapshot(SnapshotOptions.live()).close()),
        new Operation("delta of a clone", (snapshot, clone) -> clone.snapshot(snapshot).close()),
        new Operation(
            "snapshotTo of a clone",
            (snapshot, clone) -> clone.snapshotTo(OutputStream.nullOutputStream())),
        new Operation("restore", (snapshot, clone) -> clone.restore(snapshot)),
        new Operation("step", (snapshot, clone) -> clone.step(10)),
        new Operation("cpuState", (snapshot, clone) -> clone.cpuState(0)),
        new Operation(
            "writeTo a stream",
            (snapshot, clone) -> snapshot.writeTo(OutputStream.nullOutputStream())),
        new Operation("writeTo a file", (snapshot, clone) -> snapshot.writeTo(target)),
        new Operation(
            "writeTo a mapped file",
            (snapshot, clone) -> snapshot.writeTo(target, SaveOptions.standard().mapped())),
        new Operation("close", (snapshot, clone) -> snapshot.close()));
  }

  private Snapshot snapshot(Origin origin) throws IOException {
    Path file = directory.resolve(origin + ".vmm");
    try (Vm vm = machines.create(ClockMode.VIRTUAL)) {
      vm.step(150);
      Snapshot taken = vm.snapshot();
      if (origin == Origin.TAKEN) {
        return taken;
      }
      SaveOptions options = SaveOptions.standard();
      taken.writeTo(file, origin == Origin.MAPPED ? options.mapped() : options);
      taken.close();
    }
    if (origin == Origin.STREAM) {
      try (var in = new BufferedInputStream(Files.newInputStream(file))) {
        return machines.factory.read(in, SnapshotLimits.standard(), SnapshotResolver.none());
      }
    }
    return machines.factory.read(file, SnapshotLimits.standard(), SnapshotResolver.none());
  }

  private static Vm standing(Snapshot snapshot) {
    return snapshot.resume(ResumeOptions.standard().standing());
  }

  /** What a call on an interrupted thread has thrown, if it has; the thread stays interrupted. */
  private static @Nullable Throwable interrupted(Call call, Snapshot snapshot, Vm clone)
      throws InterruptedException {
    AtomicReference<@Nullable Throwable> thrown = new AtomicReference<>();
    AtomicBoolean still = new AtomicBoolean();
    Thread caller =
        Thread.ofPlatform()
            .start(() -> {
              Thread.currentThread().interrupt();
              try {
                call.run(snapshot, clone);
              } catch (Throwable e) {
                thrown.set(e);
              }
              still.set(Thread.currentThread().isInterrupted());
            });
    caller.join();
    assertThat(still).as("the interrupt is kept for the caller").isTrue();
    return thrown.get();
  }

  @Test
  void anOperationOnAnInterruptedThreadSpoilsNeitherTheSnapshotNorAnotherMachine()
      throws Exception {
    for (Origin origin : Origin.values()) {
      for (Operation operation : operations()) {
        try (Snapshot snapshot = snapshot(origin);
            Vm bystander = standing(snapshot);
            Vm clone = standing(snapshot)) {
          String what = operation.name() + " of one that is " + origin;
          List<Object> before = SnapshotContents.of(snapshot);

          // when
          Throwable thrown = interrupted(operation.call(), snapshot, clone);

          // then: only a file that this call alone writes may be given up
          if (!operation.name().contains("a file") && !operation.name().contains("mapped")) {
            assertThat(thrown).as(what).isNull();
          }
          if (!operation.name().equals("close")) {
            try (Vm fork = standing(snapshot);
                Snapshot after = fork.snapshot()) {
              assertThat(SnapshotContents.of(after)).as(what).isEqualTo(before);
            }
          }
          bystander.step(50);
          assertThatCode(() -> bystander.snapshot().close()).as(what).doesNotThrowAnyException();
          if (!operation.name().equals("close of a clone")) {
            assertThatCode(() -> clone.snapshot().close()).as(what).doesNotThrowAnyException();
          }
        }
      }
    }
  }

  @Test
  void aFileIsReadOnAnInterruptedThreadOrTheCallFailsAlone() throws Exception {
    for (Origin origin : List.of(Origin.STREAM_FILE, Origin.MAPPED)) {
      snapshot(origin).close();
      Path file = directory.resolve(origin + ".vmm");
      try (Snapshot first =
              machines.factory.read(file, SnapshotLimits.standard(), SnapshotResolver.none());
          Vm clone = standing(first)) {
        // when
        interrupted(
            (snapshot, vm) ->
                machines
                    .factory
                    .read(file, SnapshotLimits.standard(), SnapshotResolver.none())
                    .close(),
            first,
            clone);

        // then
        assertThatCode(() -> standing(first).close()).doesNotThrowAnyException();
      }
    }
  }

  @Test
  void aSnapshotOutlivesAStormOfCancelledJobs() throws Exception {
    for (Origin origin : List.of(Origin.TAKEN, Origin.MAPPED)) {
      try (Snapshot snapshot = snapshot(origin)) {
        AtomicInteger done = new AtomicInteger();
        AtomicReference<@Nullable Throwable> thrown = new AtomicReference<>();
        Thread jobs =
            Thread.ofPlatform()
                .start(() -> {
                  try {
                    while (done.get() < STORM_FORKS) {
                      Thread.interrupted();
                      try (Vm vm = standing(snapshot)) {
                        vm.step(5);
                        vm.restore(snapshot);
                        vm.snapshot(snapshot).close();
                      }
                      done.incrementAndGet();
                    }
                  } catch (Throwable e) {
                    thrown.set(e);
                  }
                });

        // when: it is interrupted again and again, wherever it is
        while (jobs.isAlive()) {
          jobs.interrupt();
          Thread.onSpinWait();
        }

        // then
        assertThat(thrown.get()).as("%s", origin).isNull();
        assertThat(done).hasValue(STORM_FORKS);
        assertThatCode(() -> standing(snapshot).close()).doesNotThrowAnyException();
      }
    }
  }
}

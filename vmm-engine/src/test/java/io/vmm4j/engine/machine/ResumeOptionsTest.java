package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.DeviceException;
import io.vmm4j.api.ResumeOptions;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.Vm;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.engine.machine.FakeBackend.Outcome;
import io.vmm4j.snapshot.Leftovers;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is chosen when a machine goes on: its devices' resources, its clock; and what it leaves. */
@Timeout(1200)
class ResumeOptionsTest {
  private static final ResumeOptions STANDING = ResumeOptions.standard().standing();

  /** Writes to 64 pages, and sleeps. */
  private static final FakeBackend.Script WRITE =
      (host, vcpu) -> {
        vcpu.gpr[0]++;
        var location = host.locate(0x10_0000);
        long offset = location.offset() + 0x10_0000 - location.base() + vcpu.gpr[0] % 64 * 4096;
        host.vcpuWrites(offset, 8);
        host.memory().set(ValueLayout.JAVA_LONG, offset, vcpu.gpr[0]);
        return vcpu.gpr[0] % 64 == 0 ? Outcome.HALT : Outcome.NEXT;
      };

  private final TestMachines machines = new TestMachines(WRITE);

  @Test
  void aDeviceIsBuiltFromTheConfigurationItIsReboundTo() {
    // given a snapshot of no ticks
    try (Vm vm = machines.create(ClockMode.VIRTUAL);
        Snapshot snapshot = vm.snapshot()) {
      TestDevice.Config other = new TestDevice.Config(2, -7);
      TestDevice.Config demanding = new TestDevice.Config(2, 1);

      // then the specification says so, and so does a further snapshot's
      try (Vm rebound = snapshot.resume(STANDING.rebind("test", other));
          Snapshot again = rebound.snapshot()) {
        assertThat(rebound.spec().devices().get("test")).isEqualTo(other);
        assertThat(again.spec().devices().get("test")).isEqualTo(other);
      }
      assertThat(snapshot.spec().devices().get("test")).isEqualTo(TestDevice.Config.STANDARD);

      // and the device does as that configuration says: it refuses the state
      assertThatThrownBy(() -> snapshot.resume(STANDING.rebind("test", demanding)))
          .isInstanceOf(SnapshotException.class)
          .hasMessageContaining("ticks: 0 is not wanted");
    }
  }

  @Test
  void aConfigurationThatAsksForOtherMemoryIsRefusedAndLeavesNothing() throws IOException {
    try (Vm vm = machines.create(ClockMode.VIRTUAL);
        Snapshot snapshot = vm.snapshot()) {
      TestDevice.Config larger = new TestDevice.Config(3, -1);
      HostResources before = HostResources.now();

      assertThatThrownBy(() -> snapshot.resume(STANDING.rebind("test", larger)))
          .isInstanceOf(DeviceException.class)
          .hasMessageContaining("device memory 'window' has 8K, not 12K");

      assertThat(HostResources.now()).isEqualTo(before);
    }
  }

  @Test
  void timeGoesOnWhereItStoodOrCatchesUpWithTheHost() {
    try (Vm vm = machines.start(ClockMode.REAL)) {
      // given a snapshot, and that time has passed since
      Instant earliest = Instant.now();
      try (Snapshot snapshot = vm.snapshot()) {
        Instant latest = Instant.now();
        while (Duration.between(latest, Instant.now()).toMillis() < 20) {
          Thread.onSpinWait();
        }
        Instant stood;
        try (Vm continued = snapshot.resume(STANDING)) {
          stood = continued.clock().wallTime();
        }

        // when
        Instant before = Instant.now();
        try (Vm caughtUp = snapshot.resume(STANDING.catchUp())) {
          Instant after = Instant.now();

          // then all the host's time since the snapshot has passed for the guest, and no more
          Duration passed = Duration.between(stood, caughtUp.clock().wallTime());
          assertThat(passed)
              .isBetween(Duration.between(latest, before), Duration.between(earliest, after));
        }
        try (Vm continued = snapshot.resume(STANDING)) {
          assertThat(continued.clock().wallTime()).isEqualTo(stood);
        }
      }
    }
  }

  @RepeatedTest(5)
  void forksThatAreClosedInAnyOrderLeaveNothing(RepetitionInfo repetition) throws IOException {
    // what is made once and kept is there
    machines.start(ClockMode.REAL).close();
    HostResources before = HostResources.now();

    // given
    List<AutoCloseable> open = new ArrayList<>();
    Vm vm = machines.start(ClockMode.REAL);
    Snapshot snapshot = vm.snapshot();
    open.add(vm);
    open.add(snapshot);
    open.addAll(snapshot.fork(20));
    assertThat(HostResources.now().threads()).isGreaterThan(20);

    // when
    Collections.shuffle(open, new Random(repetition.getCurrentRepetition()));
    for (AutoCloseable each : open) {
      closeTwice(each);
    }

    // then
    assertThat(HostResources.now()).isEqualTo(before);
  }

  private static void closeTwice(AutoCloseable each) {
    try {
      each.close();
      each.close();
    } catch (Exception e) {
      throw new AssertionError("nothing is in the way of closing " + each, e);
    }
  }

  @Test
  void aSnapshotThatSaysItIsOfAnotherAgeDoesNotCatchUp() {
    try (Vm vm = machines.create(ClockMode.REAL);
        Snapshot snapshot = vm.snapshot()) {
      MachineSnapshot ours = (MachineSnapshot) snapshot;
      // It shares the memory of the other, which releases it.
      MachineSnapshot ancient =
          new MachineSnapshot(
              machines.factory,
              ours.id(),
              Instant.ofEpochMilli(Long.MIN_VALUE),
              ours.image(),
              Optional.empty(),
              Leftovers.none(),
              ours.memory());

      assertThatThrownBy(() -> ancient.resume(STANDING.catchUp()))
          .isInstanceOf(SnapshotException.Incompatible.class)
          .hasMessageContaining("catch up");
    }
  }
}

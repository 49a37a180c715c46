package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.Backends;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.SnapshotResolver;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmState;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.engine.machine.FakeBackend.Outcome;
import io.vmm4j.snapshot.Leftovers;
import io.vmm4j.snapshot.MappingState;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Snapshots of whole machines: taken, written, read, restored. */
@Timeout(1200)
class MachineSnapshotTest {

  /** Sets a timer, mixes time and ticks into registers and memory, moves the window about. */
  private static final FakeBackend.Script WORK =
      (host, vcpu) -> {
        long at = vcpu.rip;
        if (at == 3) {
          host.writePort(TestDevice.PORT + TestDevice.PERIOD, 4, 37);
        }
        if (at % 11 == 0) {
          int window = (int) (0xE000_0000L + (at % 5) * 0x1000);
          host.writePort(TestDevice.PORT + TestDevice.WINDOW, 4, window);
        }
        if (at % 13 == 0) {
          host.writePort(TestDevice.PORT + TestDevice.WINDOW, 4, 0x10_0000);
        }
        long clock = host.clock().nanoTime();
        int ticks = host.readPort(TestDevice.PORT + TestDevice.TICKS, 4);
        vcpu.gpr[0] = vcpu.gpr[0] * 31 + clock + ticks;
        var location = host.locate(0x10_0000 + (at % 64) * 4096);
        long offset = location.offset() + 0x10_0000 + (at % 64) * 4096 - location.base();
        host.vcpuWrites(offset, 8);
        host.memory().set(java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED, offset, vcpu.gpr[0]);
        var window = host.locate(0xE000_0000L);
        if (window.isMemory()) {
          long inWindow = window.offset() + 0xE000_0000L - window.base() + at % 4096;
          host.vcpuWrites(inWindow, 1);
          host.memory().set(java.lang.foreign.ValueLayout.JAVA_BYTE, inWindow, (byte) at);
        }
        return at % 17 == 0 ? Outcome.HALT : Outcome.NEXT;
      };

  private final TestMachines machines = new TestMachines(WORK);

  private static byte[] bytes(Snapshot snapshot) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    snapshot.writeTo(out);
    return out.toByteArray();
  }

  private Snapshot read(byte[] bytes) throws IOException {
    return machines.factory.read(
        new ByteArrayInputStream(bytes), SnapshotLimits.standard(), SnapshotResolver.none());
  }

  @Test
  void aRunThroughASnapshotAtAnyPointEqualsOneWithout() throws IOException {
    List<Object> straight;
    try (Vm vm = machines.create(ClockMode.VIRTUAL)) {
      vm.step(700);
      try (Snapshot end = vm.snapshot()) {
        straight = SnapshotContents.of(end);
      }
    }
    for (int point = 0; point <= 700; point += 7) {
      try (Vm first = machines.create(ClockMode.VIRTUAL)) {
        first.step(point);
        try (Snapshot middle = first.snapshot();
            Snapshot read = read(bytes(middle));
            Vm second = read.load(Backends.auto())) {
          second.step(700 - point);
          try (Snapshot end = second.snapshot()) {
            assertThat(SnapshotContents.of(end))
                .as("through a snapshot at %d", point)
                .isEqualTo(straight);
          }
        }
      }
    }
  }

  @Test
  void aRestoredMachineIsTheOneThatWasSaved() throws IOException {
    try (Vm vm = machines.create(ClockMode.VIRTUAL)) {
      vm.step(300);
      try (Snapshot one = vm.snapshot();
          Snapshot two = read(bytes(one));
          Vm twin = two.load(Backends.auto());
          Snapshot three = twin.snapshot()) {
        assertThat(SnapshotContents.of(two)).isEqualTo(SnapshotContents.of(one));
        assertThat(SnapshotContents.of(three)).isEqualTo(SnapshotContents.of(one));
        assertThat(twin.state()).isEqualTo(new VmState.Paused());
      }
    }
  }

  @Test
  void streamingWritesWhatASnapshotWouldHold() throws IOException {
    try (Vm vm = machines.create(ClockMode.VIRTUAL)) {
      vm.step(300);
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      vm.snapshotTo(out);
      try (Snapshot taken = vm.snapshot();
          Snapshot streamed = read(out.toByteArray())) {
        assertThat(SnapshotContents.of(streamed)).isEqualTo(SnapshotContents.of(taken));
      }
    }
  }

  @Test
  void aMachineGoesBackToItsOwnSnapshot() throws IOException {
    try (Vm vm = machines.create(ClockMode.VIRTUAL)) {
      vm.step(200);
      try (Snapshot middle = vm.snapshot()) {
        vm.step(300);
        List<Object> end;
        try (Snapshot snapshot = vm.snapshot()) {
          end = SnapshotContents.of(snapshot);
        }
        vm.restore(middle);
        try (Snapshot back = vm.snapshot()) {
          assertThat(SnapshotContents.of(back)).isEqualTo(SnapshotContents.of(middle));
        }
        vm.step(300);
        try (Snapshot again = vm.snapshot()) {
          assertThat(SnapshotContents.of(again)).isEqualTo(end);
        }
      }
    }
  }

  @Test
  void aRestoreThatFailsLeavesTheMachineAsItWas() throws IOException {
    var spec = TestMachines.spec(ClockMode.VIRTUAL, Map.of("test", new TestDevice.Config(2, 20)));
    try (Vm vm = machines.factory.create(spec)) {
      vm.step(200);
      try (Snapshot refused = vm.snapshot()) {
        vm.step(400);
        try (Snapshot before = vm.snapshot()) {
          assertThatThrownBy(() -> vm.restore(refused))
              .isInstanceOf(SnapshotException.Corrupt.class)
              .hasMessageContaining("test")
              .hasMessageContaining("is not wanted");
          try (Snapshot after = vm.snapshot()) {
            assertThat(SnapshotContents.of(after)).isEqualTo(SnapshotContents.of(before));
          }
        }
      }
    }
  }

  @Test
  void aMachineOfAnotherMakeIsRefusedByWhatDiffers() {
    var other = TestMachines.spec(ClockMode.VIRTUAL, Map.of("test", new TestDevice.Config(3, -1)));
    try (Vm one = machines.create(ClockMode.VIRTUAL);
        Vm two = machines.factory.create(other);
        Snapshot snapshot = one.snapshot()) {
      assertThatThrownBy(() -> two.restore(snapshot))
          .isInstanceOf(SnapshotException.Incompatible.class)
          .hasMessageContaining("configuration of 'test'");
    }
  }

  @Test
  void aMissingDeviceIsNamed() throws IOException {
    try (Vm vm = machines.create(ClockMode.VIRTUAL);
        Snapshot snapshot = vm.snapshot()) {
      MachineFactory poor =
          new MachineFactory(
              new DeviceCatalog(Map.of(), Map.of(), List.of(machines.backend)), noBoot());
      try (Snapshot read =
          poor.read(
              new ByteArrayInputStream(bytes(snapshot)),
              SnapshotLimits.standard(),
              SnapshotResolver.none())) {
        assertThatThrownBy(() -> read.load(Backends.auto()))
            .isInstanceOf(SnapshotException.MissingDevice.class)
            .hasMessageContaining("'test'")
            .hasMessageContaining("test-device");
      }
    }
  }

  private MachineBoot noBoot() {
    return new MachineBoot() {
      @Override
      public List<io.vmm4j.api.backend.CpuidLeaf> cpuid(
          int cpus, long tscFrequencyHz, io.vmm4j.api.backend.CpuVendor vendor) {
        return List.of();
      }

      @Override
      public io.vmm4j.api.backend.CpuState load(
          MachinePlan plan,
          io.vmm4j.api.memory.GuestMemory memory,
          List<io.vmm4j.api.device.PlatformFact> facts) {
        return FakeBackend.resetState();
      }
    };
  }

  @Test
  void aSnapshotOfARunningMachineLeavesItRunning() {
    try (Vm vm = machines.start(ClockMode.REAL)) {
      for (int i = 0; i < 50; i++) {
        vm.snapshot().close();
      }
      assertThat(vm.state()).isEqualTo(new VmState.Running());
    }
  }

  @Test
  void aMappingWhereSomethingElseIsHidesNothing() throws IOException {
    try (Vm vm = machines.create(ClockMode.VIRTUAL)) {
      vm.memory().writeInt(0, 0x1234);
      vm.step(100);
      try (Snapshot taken = vm.snapshot()) {
        for (long address : new long[] {0, -4096}) {
          try (Snapshot moved = withMappingsAt((MachineSnapshot) taken, address);
              Vm loaded = moved.load(Backends.auto())) {
            assertThat(loaded.memory().readInt(0)).isEqualTo(0x1234);
            vm.restore(moved);
            assertThat(vm.memory().readInt(0)).isEqualTo(0x1234);
          }
        }
        vm.restore(taken);
        try (Snapshot after = vm.snapshot()) {
          assertThat(SnapshotContents.of(after)).isEqualTo(SnapshotContents.of(taken));
        }
      }
    }
  }

  private Snapshot withMappingsAt(MachineSnapshot taken, long address) {
    MachineImage image = taken.image();
    List<MappingState> mappings =
        image.mappings().stream()
            .map(m ->
                new MappingState(
                    m.path(), m.memory(), m.mapping(), m.offset(), m.length(), address, m.access()))
            .toList();
    assertThat(mappings).isNotEmpty();
    taken.memory().retain();
    return new MachineSnapshot(
        machines.factory,
        taken.id(),
        taken.taken(),
        new MachineImage(image.description(), image.states(), mappings),
        Optional.empty(),
        Leftovers.none(),
        taken.memory());
  }
}

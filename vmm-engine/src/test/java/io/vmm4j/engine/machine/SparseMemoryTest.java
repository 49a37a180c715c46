package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.DeviceException;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.ResumeOptions;
import io.vmm4j.api.SaveOptions;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.SnapshotResolver;
import io.vmm4j.api.Vm;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceMemory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.GuestAccess;
import io.vmm4j.snapshot.FileResolver;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sparse memory of a device is in all that is saved, and behind all that guests may see. */
class SparseMemoryTest {
  private static final MemorySize SIZE = MemorySize.mebibytes(64);
  private static final long FAR = (60L << 20) + 8;
  private static final long PLACE = 0xE000_0000L;

  @TempDir private Path directory;
  private final DeviceMemory[] made = new DeviceMemory[3];
  private boolean late;

  private final ScriptedDevices devices =
      new ScriptedDevices()
          .with("disk", this::disk)
          .with("rom", this::rom)
          .with("late", this::late);
  private final MachineFactory factory =
      devices.factory(new FakeBackend((host, vcpu) -> FakeBackend.Outcome.HALT));

  private DeviceModel<ScriptedDevices.NoState> disk(DeviceContext context) {
    made[0] =
        context.restoredMemory("overlay").orElseGet(() -> context.sparseMemory("overlay", SIZE));
    return new ScriptedDevices.Plain();
  }

  private DeviceModel<ScriptedDevices.NoState> rom(DeviceContext context) {
    made[1] = context.deviceMemory("rom", MemorySize.kibibytes(8));
    made[1].map(PLACE, GuestAccess.READ_ONLY);
    return new ScriptedDevices.Plain();
  }

  private void write(long at, long value) {
    made[0].writableView().set(ValueLayout.JAVA_LONG, at, value);
    made[0].written(at, 8);
  }

  private long read(long at) {
    return made[0].view().get(ValueLayout.JAVA_LONG, at);
  }

  private void holds(Snapshot snapshot, long near, long far) {
    try (Vm vm = snapshot.resume(ResumeOptions.standard().standing())) {
      assertThat(made[0].size()).isEqualTo(SIZE);
      assertThat(read(0)).isEqualTo(near);
      assertThat(read(FAR)).isEqualTo(far);
      assertThat(read(32 << 20)).isZero();
      assertThat(vm.memory().readByte(PLACE)).isEqualTo(42);
      if (late) {
        assertThat(made[2].view().get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 43);
      }
      write(0, -1);
      write(32 << 20, -1);
      vm.restore(snapshot);
      assertThat(read(0)).isEqualTo(near);
      assertThat(read(32 << 20)).isZero();
      try (Snapshot again = vm.snapshot();
          Vm fork = again.resume(ResumeOptions.standard().standing())) {
        assertThat(read(FAR)).isEqualTo(far);
        assertThat(fork.memory().readByte(PLACE)).isEqualTo(42);
      }
    }
  }

  private Vm create() {
    Vm vm = devices.create(ClockMode.REAL);
    made[1].write(0, new byte[] {42});
    write(0, 1);
    write(FAR, 2);
    return vm;
  }

  @Test
  void itIsInFilesOfBothLayouts() throws IOException {
    for (SaveOptions how : List.of(SaveOptions.standard(), SaveOptions.standard().mapped())) {
      Path file = directory.resolve("saved.vmm");
      try (Vm vm = create();
          Snapshot snapshot = vm.snapshot()) {
        snapshot.writeTo(file, how);
        holds(snapshot, 1, 2);
      }
      try (Snapshot read = factory.read(file, SnapshotLimits.standard(), SnapshotResolver.none())) {
        holds(read, 1, 2);
        holds(read, 1, 2);
      }
    }
  }

  @Test
  void aDeltaHasWhatWasWritten() throws IOException {
    Path whole = directory.resolve("whole.vmm");
    Path delta = directory.resolve("delta.vmm");
    try (Vm vm = create();
        Snapshot parent = vm.snapshot()) {
      parent.writeTo(whole);
      write(FAR, 3);
      try (Snapshot child = vm.snapshot(parent)) {
        child.writeTo(delta);
        holds(child, 1, 3);
      }
      holds(parent, 1, 2);
    }
    assertThat(Files.size(delta)).isLessThan(32 << 10);
    try (Snapshot read =
        factory.read(delta, SnapshotLimits.standard(), FileResolver.of(List.of(whole)))) {
      holds(read, 1, 3);
    }
  }

  /** The machine is made without the device, which comes later and finds no room of its own. */
  @Test
  void aDeviceThatIsAttachedHasItToo() throws IOException {
    Path file = directory.resolve("saved.vmm");
    try (Vm vm = factory.create(TestMachines.spec(ClockMode.REAL, Map.of("rom", named("rom"))))) {
      made[1].write(0, new byte[] {42});
      vm.attach("disk", named("disk"));
      write(0, 1);
      write(FAR, 2);
      vm.attach("late", named("late"));
      made[2].write(0, new byte[] {43});
      late = true;
      try (Snapshot snapshot = vm.snapshot()) {
        snapshot.writeTo(file);
        holds(snapshot, 1, 2);
      }
    }
    try (Snapshot read = factory.read(file, SnapshotLimits.standard(), SnapshotResolver.none())) {
      holds(read, 1, 2);
    }
  }

  private static DeviceConfig named(String device) {
    return new ScriptedDevices.Named(device);
  }

  private DeviceModel<ScriptedDevices.NoState> late(DeviceContext context) {
    made[2] = context.deviceMemory("late", MemorySize.kibibytes(8));
    return new ScriptedDevices.Plain();
  }

  @Test
  void noGuestSeesIt() {
    try (Vm vm = create()) {
      assertThatThrownBy(() -> made[0].map(PLACE + (1 << 20), GuestAccess.READ_WRITE))
          .isInstanceOf(DeviceException.class)
          .hasMessageContaining("sparse");
      Machine machine = ScriptedDevices.machine(vm);
      long seen = new MachineHost(machine, io.vmm4j.api.Translation.AUTO).memory().byteSize();
      assertThat(seen).isEqualTo(machine.memory().ramBytes() + (512L << 20));
    }
  }
}

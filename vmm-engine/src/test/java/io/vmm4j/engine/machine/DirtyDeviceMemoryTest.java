package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.SnapshotOptions;
import io.vmm4j.api.Vm;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.api.device.DeviceMemory;
import io.vmm4j.api.device.DeviceMemory.Range;
import io.vmm4j.api.device.GuestAccess;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What of device memory was written can be asked for, and is all that a delta holds of it. */
class DirtyDeviceMemoryTest {
  private static final int BYTES = 1 << 20;
  private static final long PLACE = 0xE000_0000L;

  private final DeviceMemory[] made = new DeviceMemory[1];
  private final Vm vm =
      new ScriptedDevices()
          .with(
              "vga",
              context -> {
                made[0] = context.deviceMemory("framebuffer", MemorySize.bytes(BYTES));
                made[0].map(PLACE, GuestAccess.READ_WRITE);
                return new ScriptedDevices.Plain();
              })
          .create(ClockMode.REAL);
  private final DeviceMemory memory = made[0];

  @AfterEach
  void close() {
    vm.close();
  }

  private static Range page(int number, int count) {
    return new Range(number * 4096L, count * 4096L);
  }

  @Test
  void rangesThatWereWrittenAreToldOnce() {
    vm.resume();
    assertThat(memory.takeDirty()).containsExactly(page(0, BYTES / 4096));
    assertThat(memory.takeDirty()).isEmpty();
    vm.memory().writeLong(PLACE + 2 * 4096 - 4, 1);
    memory.write(7 * 4096, new byte[] {1});
    memory.writableView().set(ValueLayout.JAVA_BYTE, 100 * 4096 + 5, (byte) 1);
    memory.written(100 * 4096 + 5, 1);
    assertThat(memory.takeDirty()).containsExactly(page(1, 2), page(7, 1), page(100, 1));
    assertThat(memory.takeDirty()).isEmpty();
  }

  @Test
  void whatASnapshotHarvestsIsStillToldAndARestoreWritesAll() {
    memory.takeDirty();
    memory.write(4096, new byte[] {1});
    try (Snapshot snapshot = vm.snapshot()) {
      assertThat(memory.takeDirty()).containsExactly(page(1, 1));
      vm.restore(snapshot);
      assertThat(memory.takeDirty()).containsExactly(page(0, BYTES / 4096));
    }
  }

  @Test
  void aViewThatADeviceHoldsIsNotInEveryDelta() throws IOException {
    byte[] random = new byte[BYTES];
    new SplittableRandom(1).nextBytes(random);
    MemorySegment view = memory.writableView();
    MemorySegment.copy(random, 0, view, ValueLayout.JAVA_BYTE, 0, BYTES);
    memory.written(0, BYTES);
    try (Snapshot parent = vm.snapshot()) {
      assertThat(view.get(ValueLayout.JAVA_BYTE, 1)).isEqualTo(random[1]);
      memory.write(4096, new byte[] {1});
      try (Snapshot delta = vm.snapshot(SnapshotOptions.stopped().since(parent))) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        delta.writeTo(out);
        assertThat(out.size()).isBetween(4096, BYTES / 16);
      }
    }
  }
}

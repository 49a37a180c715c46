package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.DeviceException;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.PowerButton;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.DeviceBus;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.GuestAccess;
import io.vmm4j.api.device.PortHandler;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Devices come and go while a machine runs. */
class HotPlugTest {
  private static final long PLACE = 0xE000_0000L;

  private final List<String> events = new ArrayList<>();

  private DeviceModel<ScriptedDevices.NoState> bus(DeviceContext context) {
    context.offerBus(DeviceBus.class, path -> events.add(path + " is gone"));
    return new ScriptedDevices.Plain();
  }

  /** A device that has one of everything. */
  private DeviceModel<ScriptedDevices.NoState> card(DeviceContext context) {
    context.claimPorts(0x300, 4, AccessWidth.BYTE, new Sevens());
    context.interruptLine(5).set(true);
    context.timer("tick", () -> events.add("tick")).armAt(1);
    context.deviceMemory("memory", MemorySize.kibibytes(4)).map(PLACE, GuestAccess.READ_WRITE);
    context.offer(PowerButton.class, () -> {});
    context.worker("worker", Optional::empty).wake();
    events.add("made " + context.path());
    return new ScriptedDevices.Plain() {
      @Override
      public void close() {
        events.add("closed");
      }
    };
  }

  private static final class Sevens implements PortHandler {
    @Override
    public int read(int offset, int size) {
      return 7;
    }

    @Override
    public void write(int offset, int size, int value) {}
  }

  private ScriptedDevices devices() {
    return new ScriptedDevices().with("bus", this::bus);
  }

  private static int read(Vm vm) {
    Machine machine = ScriptedDevices.machine(vm);
    machine.lock().lock();
    try {
      return machine.ports().read(0x300, 1);
    } finally {
      machine.lock().unlock();
    }
  }

  private static ScriptedDevices.Named named() {
    return new ScriptedDevices.Named("bus/card");
  }

  @Test
  void aDeviceComesAndGoesAndComesAgain() {
    ScriptedDevices devices = devices();
    try (Vm vm = devices.create(ClockMode.REAL)) {
      devices.with("bus/card", this::card);
      for (int round = 0; round < 3; round++) {
        events.clear();
        vm.attach("bus/card", named());
        assertThat(read(vm)).isEqualTo(7);
        assertThat(vm.memory().readInt(PLACE)).as("fresh").isZero();
        vm.memory().writeInt(PLACE, 1);
        assertThat(vm.devices(PowerButton.class)).containsOnlyKeys("bus/card");
        assertThat(vm.spec().devices()).containsKey("bus/card");
        vm.detach("bus/card");
        assertThat(events).containsExactly("made bus/card", "closed", "bus/card is gone");
        assertThat(read(vm)).isEqualTo(0xFF);
        assertThat(vm.memory().contains(PLACE, 1)).isFalse();
        assertThat(ScriptedDevices.machine(vm).lines().isAsserted(5)).isFalse();
        assertThat(vm.devices(PowerButton.class)).isEmpty();
        assertThat(vm.spec().devices()).doesNotContainKey("bus/card");
      }
      vm.resume();
    }
    assertThat(events).as("no tick").hasSize(3);
    assertThat(Thread.getAllStackTraces().keySet())
        .noneMatch(thread -> thread.getName().contains("bus/card"));
  }

  @Test
  void aSnapshotHasTheDevicesThatThereAreThen() {
    ScriptedDevices devices = devices();
    try (Vm vm = devices.create(ClockMode.VIRTUAL)) {
      devices.with("bus/card", this::card);
      vm.attach("bus/card", named());
      vm.memory().writeInt(PLACE, 0x1234);
      try (Snapshot with = vm.snapshot()) {
        vm.detach("bus/card");
        try (Snapshot without = vm.snapshot();
            Vm first = with.resume();
            Vm second = without.resume()) {
          assertThat(first.memory().readInt(PLACE)).isEqualTo(0x1234);
          assertThat(read(first)).isEqualTo(7);
          assertThat(second.memory().contains(PLACE, 1)).isFalse();
          assertThat(read(second)).isEqualTo(0xFF);
        }
      }
    }
  }

  @Test
  void memoryOfDevicesThatComeAndGoIsEachOnesOwnInARestoredMachineToo() {
    long other = PLACE + 0x10_0000;
    ScriptedDevices devices = devices();
    devices.with("bus/card", this::card);
    devices.with(
        "bus/other",
        context -> {
          context
              .deviceMemory("memory", MemorySize.kibibytes(4))
              .map(other, GuestAccess.READ_WRITE);
          return new ScriptedDevices.Plain();
        });
    try (Vm vm = devices.create(ClockMode.VIRTUAL);
        Snapshot snapshot = vm.snapshot();
        Vm restored = snapshot.resume()) {
      restored.memory().writeInt(PLACE, 1);
      restored.memory().writeInt(other, 2);
      restored.detach("bus/card");
      restored.detach("bus/other");
      restored.attach("bus/other", new ScriptedDevices.Named("bus/other"));
      restored.attach("bus/card", named());
      assertThat(restored.memory().readInt(PLACE)).isZero();
      assertThat(restored.memory().readInt(other)).isZero();
      restored.memory().writeInt(PLACE, 1);
      restored.memory().writeInt(other, 2);
      assertThat(restored.memory().readInt(PLACE)).isEqualTo(1);
      try (Snapshot again = restored.snapshot();
          Vm twin = again.resume()) {
        assertThat(twin.memory().readInt(PLACE)).isEqualTo(1);
        assertThat(twin.memory().readInt(other)).isEqualTo(2);
      }
      restored.detach("bus/card");
      restored.attach("bus/third", new ScriptedDevices.Named("bus/card"));
      restored.detach("bus/other");
      restored.attach("bus/other", new ScriptedDevices.Named("bus/other"));
      restored.memory().writeInt(PLACE, 3);
      assertThat(restored.memory().readInt(other)).isZero();
    }
  }

  @Test
  void whatCantBeIsRefusedAndLeavesNothing() {
    ScriptedDevices devices = devices();
    try (Vm vm = devices.create(ClockMode.VIRTUAL)) {
      devices.with(
          "bus/card",
          context -> {
            card(context);
            throw new DeviceException(context.path(), "no power");
          });
      assertThatThrownBy(() -> vm.attach("bus/card", named()))
          .isInstanceOf(DeviceException.class)
          .hasMessage("bus/card: no power");
      assertThat(read(vm)).isEqualTo(0xFF);
      assertThat(vm.spec().devices()).doesNotContainKey("bus/card");
      devices.with("bus/card", this::card);
      vm.attach("bus/card", named());
      assertThatThrownBy(() -> vm.attach("bus/card", named()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("already");
      assertThatThrownBy(() -> vm.attach("No Path", named()))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> vm.detach("bus"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("'bus/card' is on 'bus'");
      assertThatThrownBy(() -> vm.detach("nobody")).isInstanceOf(IllegalArgumentException.class);
    }
  }
}

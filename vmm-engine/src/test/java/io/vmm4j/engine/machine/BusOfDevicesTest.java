package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.DeviceException;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.GuestAccess;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A device is a bus for the devices below its path. */
class BusOfDevicesTest {

  /** What a bus is to its devices is an interface of its own. */
  private interface Shelf {
    void put(String path);
  }

  private final List<String> events = new ArrayList<>();

  private DeviceModel<ScriptedDevices.NoState> shelf(DeviceContext context) {
    context.offerBus(Shelf.class, path -> events.add(path + " on " + context.path()));
    return logging(context);
  }

  private DeviceModel<ScriptedDevices.NoState> book(DeviceContext context) {
    context.bus(Shelf.class).put(context.path());
    return logging(context);
  }

  private DeviceModel<ScriptedDevices.NoState> logging(DeviceContext context) {
    return new ScriptedDevices.Plain() {
      @Override
      public void restore(ScriptedDevices.NoState state) {
        events.add("restored " + context.path());
      }
    };
  }

  @Test
  void aBusIsMadeAndRestoredBeforeItsDevicesWhateverTheOrderOfTheSpecification() {
    ScriptedDevices devices =
        new ScriptedDevices()
            .with("pci/00:03.0", this::book)
            .with("pci/00:02.0/01:00.0", this::book)
            .with("pci/00:02.0", this::shelf)
            .with("pci", this::shelf);
    try (Vm vm = devices.create(ClockMode.VIRTUAL);
        Snapshot snapshot = vm.snapshot()) {
      assertThat(events)
          .containsExactly("pci/00:03.0 on pci", "pci/00:02.0/01:00.0 on pci/00:02.0");
      events.clear();
      vm.restore(snapshot);
      assertThat(events)
          .containsExactly(
              "restored pci",
              "restored pci/00:03.0",
              "restored pci/00:02.0",
              "restored pci/00:02.0/01:00.0");
      events.clear();
      snapshot.resume().close();
      assertThat(events)
          .containsExactly(
              "pci/00:03.0 on pci",
              "pci/00:02.0/01:00.0 on pci/00:02.0",
              "restored pci",
              "restored pci/00:03.0",
              "restored pci/00:02.0",
              "restored pci/00:02.0/01:00.0");
    }
  }

  @Test
  void withoutTheBusTheDeviceIsRefused() {
    ScriptedDevices devices =
        new ScriptedDevices().with("isa", this::shelf).with("pci/00:03.0", this::book);
    assertThatThrownBy(() -> devices.create(ClockMode.VIRTUAL))
        .isInstanceOf(DeviceException.class)
        .hasMessage(
            "pci/00:03.0: there is no Shelf above it: its path must lie below the path of one");
  }

  @Test
  void memoryThatTheBoardWouldHideIsRefusedByName() {
    ScriptedDevices devices =
        new ScriptedDevices()
            .with(
                "rom",
                context -> {
                  context
                      .deviceMemory("rom", MemorySize.kibibytes(8))
                      .map((2 << 20) - 4096, GuestAccess.READ_ONLY);
                  return new ScriptedDevices.Plain();
                });
    assertThatThrownBy(() -> devices.create(ClockMode.VIRTUAL))
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("rom: cannot map 0x1ff000..0x200fff")
        .hasMessageContaining("RAM");
  }
}

package io.vmm4j.devices;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.AddressClaim;
import io.vmm4j.api.device.Board;
import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.PortHandler;
import io.vmm4j.api.state.RecordSchema;
import io.vmm4j.api.state.RecordedShapes;
import io.vmm4j.devices.acpipm.AcpiPmConfig;
import io.vmm4j.devices.acpipm.AcpiPmFactory;
import io.vmm4j.devices.bootrom.BootRomConfig;
import io.vmm4j.devices.bootrom.BootRomFactory;
import io.vmm4j.devices.contract.DeviceModelContract;
import io.vmm4j.devices.contract.FakeDeviceContext;
import io.vmm4j.devices.debugcon.DebugConsoleConfig;
import io.vmm4j.devices.debugcon.DebugConsoleFactory;
import io.vmm4j.devices.debugexit.DebugExitConfig;
import io.vmm4j.devices.debugexit.DebugExitFactory;
import io.vmm4j.devices.fwcfg.FwCfgConfig;
import io.vmm4j.devices.fwcfg.FwCfgFactory;
import io.vmm4j.devices.hpet.HpetConfig;
import io.vmm4j.devices.hpet.HpetFactory;
import io.vmm4j.devices.i8042.I8042Config;
import io.vmm4j.devices.i8042.I8042Factory;
import io.vmm4j.devices.ioapic.IoApicConfig;
import io.vmm4j.devices.ioapic.IoApicFactory;
import io.vmm4j.devices.pctestdev.PcTestDeviceConfig;
import io.vmm4j.devices.pctestdev.PcTestDeviceFactory;
import io.vmm4j.devices.pic.PicConfig;
import io.vmm4j.devices.pic.PicFactory;
import io.vmm4j.devices.pit.PitConfig;
import io.vmm4j.devices.pit.PitFactory;
import io.vmm4j.devices.rtc.RtcConfig;
import io.vmm4j.devices.rtc.RtcFactory;
import io.vmm4j.devices.systemcontrol.SystemControlConfig;
import io.vmm4j.devices.systemcontrol.SystemControlFactory;
import io.vmm4j.devices.testwindow.TestWindowConfig;
import io.vmm4j.devices.testwindow.TestWindowFactory;
import io.vmm4j.devices.uart.Uart;
import io.vmm4j.devices.uart.UartFactory;
import io.vmm4j.devices.vmgenid.VmGenerationIdConfig;
import io.vmm4j.devices.vmgenid.VmGenerationIdFactory;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.ServiceLoader;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

class BuiltInDevicesContractTest {
  private static final RecordedShapes RECORDED =
      RecordedShapes.read(BuiltInDevicesContractTest.class, "state-shapes.txt");

  @TempDir Path directory;

  @TestFactory
  Stream<DynamicContainer> every_built_in_device_keeps_the_contract() throws IOException {
    Path image = Files.write(directory.resolve("rom"), new byte[5000]);
    return Stream.of(
        container(new PicFactory(), PicConfig.DEFAULT),
        container(new IoApicFactory(), IoApicConfig.DEFAULT),
        container(new PitFactory(), PitConfig.DEFAULT),
        container(new UartFactory(), Uart.com1()),
        container(new RtcFactory(), RtcConfig.DEFAULT),
        container(new HpetFactory(), HpetConfig.DEFAULT),
        container(new I8042Factory(), I8042Config.DEFAULT),
        container(new AcpiPmFactory(), AcpiPmConfig.DEFAULT),
        container(new DebugExitFactory(), DebugExitConfig.DEFAULT),
        container(new DebugConsoleFactory(), DebugConsoleConfig.DEFAULT),
        container(new FwCfgFactory(), FwCfgConfig.DEFAULT),
        container(new PcTestDeviceFactory(), new PcTestDeviceConfig()),
        container(new BootRomFactory(), new BootRomConfig(image.toString())),
        container(new BootRomFactory(), new BootRomConfig(image.toString(), true)),
        container(new SystemControlFactory(), SystemControlConfig.DEFAULT),
        container(new TestWindowFactory(), TestWindowConfig.DEFAULT),
        container(new VmGenerationIdFactory(), VmGenerationIdConfig.DEFAULT));
  }

  private static <C extends Record & DeviceConfig, S extends Record> DynamicContainer container(
      DeviceFactory<C, S> factory, C config) {
    return DynamicContainer.dynamicContainer(
        config.toString(),
        DeviceModelContract.of(factory, config)
            .recordedShapes(RECORDED)
            .checks()
            .entrySet()
            .stream()
            .map(check -> DynamicTest.dynamicTest(check.getKey(), check.getValue()::run)));
  }

  @Test
  void the_kit_finds_a_doorbell_that_a_restored_device_lacks() {
    assertThatThrownBy(() ->
            DeviceModelContract.of(new LeakyFactory(), new Leaky(false, false, true, false))
                .check())
        .hasMessageContaining("doorbell");
  }

  @Test
  void the_kit_finds_a_doorbell_that_may_not_ring_again() {
    assertThatThrownBy(() ->
            DeviceModelContract.of(new LeakyFactory(), new Leaky(false, false, false, true))
                .check())
        .hasMessageContaining("rung without a cause");
  }

  @SuppressWarnings("rawtypes") // A class literal has no type arguments.
  @Test
  void all_types_are_found_by_the_service_loader() {
    assertThat(ServiceLoader.load(DeviceFactory.class).stream().map(p -> p.get().type()))
        .contains(
            "i8259-pic",
            "ioapic",
            "i8254-pit",
            "uart16550",
            "mc146818-rtc",
            "i8042",
            "acpi-pm",
            "debug-exit",
            "debug-console",
            "bootrom",
            "fwcfg",
            "pc-testdev",
            "test-window",
            "system-control",
            "hpet",
            "vmgenid");
  }

  @Test
  void the_pc_board_has_its_devices_in_the_order_of_attachment() {
    Board board =
        ServiceLoader.load(Board.class).stream()
            .map(ServiceLoader.Provider::get)
            .filter(b -> b.name().equals("pc"))
            .findFirst()
            .orElseThrow();
    assertThat(List.copyOf(board.devices().keySet()))
        .containsExactly(
            "pic", "ioapic", "pit", "rtc", "i8042", "acpi-pm", "system-control", "vmgenid");
  }

  /** A device with a fault of each kind, to see that the kit finds it. */
  record Leaky(boolean forgets, boolean throwsOnOdd, boolean lateBell, boolean shyBell)
      implements DeviceConfig {
    @Override
    public String deviceType() {
      return "leaky";
    }
  }

  record LeakyState(int value) {}

  static final class LeakyFactory implements DeviceFactory<Leaky, LeakyState> {
    @Override
    public String type() {
      return "leaky";
    }

    @Override
    public String summary() {
      return "has faults";
    }

    @Override
    public RecordSchema<Leaky> configSchema() {
      return RecordSchema.builder(MethodHandles.lookup(), Leaky.class)
          .defaults(new Leaky(false, false, false, false))
          .build();
    }

    @Override
    public RecordSchema<LeakyState> stateSchema() {
      return RecordSchema.of(MethodHandles.lookup(), LeakyState.class);
    }

    @Override
    public DeviceModel<LeakyState> create(Leaky config, DeviceContext context) {
      return new DeviceModel<>() {
        private int value;

        private final AddressClaim bells = claims();

        private void rung() {
          if (config.shyBell() && value == 0) {
            throw new IllegalStateException("rung without a cause");
          }
          value = 0;
        }

        private void ringLate() {
          bells.doorbell(1, 1, OptionalLong.empty(), () -> {});
        }

        private AddressClaim claims() {
          AddressClaim bells =
              context.claimPorts(
                  0x310,
                  4,
                  AccessWidth.BYTE,
                  new PortHandler() {
                    @Override
                    public int read(int offset, int size) {
                      return 0;
                    }

                    @Override
                    public void write(int offset, int size, int written) {}
                  });
          bells.doorbell(0, 1, OptionalLong.of(3), this::rung);
          context.claimPorts(
              0x300,
              1,
              AccessWidth.BYTE,
              new PortHandler() {
                @Override
                public int read(int offset, int size) {
                  return value;
                }

                @Override
                public void write(int offset, int size, int written) {
                  if (config.throwsOnOdd() && written == 0xFF) {
                    throw new IllegalStateException("guest wrote 255");
                  }
                  if (config.lateBell() && value == 0 && written == 0x80) {
                    ringLate();
                  }
                  value = written;
                }
              });
          return bells;
        }

        @Override
        public void reset() {
          value = 0;
        }

        @Override
        public LeakyState save() {
          return new LeakyState(value);
        }

        @Override
        public void restore(LeakyState state) {
          value = config.forgets() ? 0 : state.value();
        }
      };
    }
  }

  @Test
  void the_kit_passes_a_sound_device() {
    DeviceModelContract.of(new LeakyFactory(), new Leaky(false, false, false, false)).check();
  }

  @Test
  void the_kit_finds_a_device_that_forgets_a_field_in_restore() {
    assertThatThrownBy(() ->
            DeviceModelContract.of(new LeakyFactory(), new Leaky(true, false, false, false))
                .check())
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("state (leaky");
  }

  @Test
  void the_kit_finds_a_device_that_a_guest_makes_throw() {
    assertThatThrownBy(() ->
            DeviceModelContract.of(new LeakyFactory(), new Leaky(false, true, false, false))
                .check())
        .hasMessageContaining("guest wrote 255");
  }

  @SuppressWarnings("rawtypes") // A class literal has no type arguments.
  @Test
  void every_type_that_is_present_has_its_shapes_recorded() {
    for (DeviceFactory<?, ?> factory : ServiceLoader.load(DeviceFactory.class)) {
      RECORDED.check(factory.type(), factory.stateSchema());
      RECORDED.check(factory.type() + "/config", factory.configSchema());
    }
  }

  @Test
  void the_kit_finds_a_state_that_changed_its_shape() {
    assertThatThrownBy(() ->
            DeviceModelContract.of(new LeakyFactory(), new Leaky(false, false, false, false))
                .recordedShapes(
                    RecordedShapes.read(BuiltInDevicesContractTest.class, "leaky-shapes.txt"))
                .check())
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("{value:int32}")
        .hasMessageContaining("leaky 2 {value:int32}");
  }

  @Test
  void the_fake_machine_answers_all_ones_where_nobody_is() {
    assertThat(new FakeDeviceContext("nobody").in(0x1234, 4)).isEqualTo(-1);
  }
}

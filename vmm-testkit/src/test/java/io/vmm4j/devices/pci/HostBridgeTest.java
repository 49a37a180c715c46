package io.vmm4j.devices.pci;

import static io.vmm4j.devices.pci.PciMachine.COMMAND;
import static io.vmm4j.devices.pci.PciMachine.at;
import static io.vmm4j.devices.pci.PciMachine.load;
import static io.vmm4j.devices.pci.PciMachine.store;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.DeviceException;
import io.vmm4j.api.VmExit;
import io.vmm4j.devices.acpipm.AcpiPmConfig;
import io.vmm4j.devices.acpipm.AcpiPmFactory;
import io.vmm4j.devices.pcitest.PciTestConfig;
import io.vmm4j.devices.pcitest.PciTestFactory;
import io.vmm4j.testkit.TestMachine;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class HostBridgeTest {
  @AutoClose private final TestMachine machine = PciMachine.withFunction().build();

  private int byPorts(int device, int offset, int size) {
    machine.out(0xCF8, 4, 0x8000_0000 | device << 11 | offset & 0xFC);
    return machine.in(0xCFC + (offset & 3), size);
  }

  @Test
  void every_function_is_seen_in_the_same_way_by_ports_and_by_memory() {
    assertThat(load(machine, 0, 0, 4)).isEqualTo(0x29C0_8086);
    assertThat(load(machine, 31, 0, 4)).isEqualTo(0x2918_8086);
    assertThat(load(machine, 3, 0, 4)).isEqualTo(0x10FF_1AF4);
    for (int device : new int[] {0, 3, 31, 7}) {
      for (int offset = 0; offset < 256; offset++) {
        for (int size = 1; (offset & 3) + size <= 4; size *= 2) {
          int expected = load(machine, device, offset, size);
          int found = byPorts(device, offset, size);
          assertThat(found).as("%d+%d of %d", offset, size, device).isEqualTo(expected);
        }
      }
    }
  }

  @Test
  void where_there_is_no_function_there_are_ones_and_stores_are_lost() {
    store(machine, 7, COMMAND, 2, 7);
    assertThat(load(machine, 7, 0, 4)).isEqualTo(-1);
    assertThat(machine.readMmio(PciMachine.ECAM + (1 << 20), 4)).isEqualTo(0xFFFF_FFFFL);
    machine.out(0xCF8, 4, 0x0000_0000);
    assertThat(machine.in(0xCFC, 4)).as("not enabled").isEqualTo(-1);
  }

  @Test
  void only_double_words_reach_the_address_register() {
    machine.out(0xCF8, 4, 0x8000_1804);
    machine.out(0xCF8, 1, 0x55);
    machine.out(0xCFA, 2, 0x5555);
    assertThat(machine.in(0xCF8, 4)).isEqualTo(0x8000_1804);
  }

  @Test
  void the_boards_reset_register_lies_in_between() {
    try (TestMachine pc =
        TestMachine.builder()
            .device("acpi-pm", new AcpiPmFactory(), AcpiPmConfig.DEFAULT)
            .device("pci", new HostBridgeFactory(), HostBridgeConfig.DEFAULT)
            .build()) {
      pc.out(0xCF8, 4, 0x8000_0000);
      assertThat(pc.in(0xCFC, 4)).isEqualTo(0x29C0_8086);
      assertThat(pc.exits()).isEmpty();
      pc.out(0xCF9, 1, 6);
      assertThat(pc.exits())
          .containsExactly(new VmExit.Reset(VmExit.Reset.Cause.RESET_CONTROL_REGISTER));
    }
  }

  @Test
  void configuration_space_moves_and_can_be_turned_off() {
    machine.out(0xCF8, 4, 0x8000_0060);
    machine.out(0xCFC, 4, 0xD000_0001);
    assertThat(machine.readMmio(0xD000_0000L, 4)).isEqualTo(0x29C0_8086L);
    assertThat(machine.readMmio(PciMachine.ECAM, 4)).isEqualTo(0xFFFF_FFFFL);
    machine.out(0xCFC, 4, 0xD000_0000);
    assertThat(machine.readMmio(0xD000_0000L, 4)).isEqualTo(0xFFFF_FFFFL);
  }

  @Test
  void a_place_is_taken_once_and_must_be_on_the_bus() {
    for (String path : new String[] {"pci/00:1f.0", "pci/01:03.0", "pci/disk", "pci/00:20.0"}) {
      TestMachine.Builder builder =
          PciMachine.bus().device(path, new PciTestFactory(), PciTestConfig.DEFAULT);
      assertThatThrownBy(builder::build)
          .isInstanceOf(DeviceException.class)
          .hasMessageStartingWith(path + ": ");
    }
    TestMachine.Builder alone =
        TestMachine.builder().device("00:03.0", new PciTestFactory(), PciTestConfig.DEFAULT);
    assertThatThrownBy(alone::build)
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("PciBus");
  }

  @Test
  void pins_are_turned_by_the_device_and_routed_to_isa_interrupts_on_demand() {
    PciMachine.setUp(machine);
    machine.writeMmio(0xC000_0004L, 4, 0);
    assertThat(pins()).isEqualTo(1 << 19);
    store(machine, 31, 0x63, 1, 0x0B);
    assertThat(pins()).isEqualTo(1 << 19 | 1 << 11);
    store(machine, 31, 0x63, 1, 0x08);
    assertThat(pins()).as("the clock's own").isEqualTo(1 << 19);
    machine.writeMmio(0xC000_0008L, 4, 0);
    assertThat(pins()).isZero();
  }

  /** The bus drives the lines, whichever function asks. */
  private int pins() {
    int pins = 0;
    for (int line = 0; line < TestMachine.LINES; line++) {
      pins |= machine.line("pci", line) ? 1 << line : 0;
    }
    return pins;
  }

  @Test
  void a_restored_bus_has_its_registers_and_pins() {
    PciMachine.setUp(machine);
    machine.writeMmio(0xC000_0004L, 4, 0);
    store(machine, 31, 0x63, 1, 0x0B);
    machine.out(0xCF8, 4, 0x8000_0060);
    machine.out(0xCFC, 4, 0xD000_0001);
    try (TestMachine twin = machine.twin()) {
      assertThat(twin.readMmio(0xD000_0000L, 4)).isEqualTo(0x29C0_8086L);
      assertThat(twin.in(0xCF8, 4)).isEqualTo(0x8000_0060);
      assertThat(twin.line("pci", 19)).isTrue();
      assertThat(twin.line("pci", 11)).isTrue();
      twin.writeMmio(0xC000_0008L, 4, 0);
      assertThat(twin.line("pci", 19)).isFalse();
      assertThat(twin.line("pci", 11)).isFalse();
    }
  }

  @Test
  void an_access_across_two_double_words_finds_nothing() {
    assertThat(machine.readMmio(at(0, 2), 4)).isEqualTo(0xFFFF_FFFFL);
  }
}

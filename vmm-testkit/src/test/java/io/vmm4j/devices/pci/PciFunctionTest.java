package io.vmm4j.devices.pci;

import static io.vmm4j.devices.pci.PciMachine.BAR0;
import static io.vmm4j.devices.pci.PciMachine.BAR2;
import static io.vmm4j.devices.pci.PciMachine.BAR3;
import static io.vmm4j.devices.pci.PciMachine.BAR4;
import static io.vmm4j.devices.pci.PciMachine.BUS_MASTER;
import static io.vmm4j.devices.pci.PciMachine.COMMAND;
import static io.vmm4j.devices.pci.PciMachine.INTX_DISABLE;
import static io.vmm4j.devices.pci.PciMachine.IO;
import static io.vmm4j.devices.pci.PciMachine.MEMORY;
import static io.vmm4j.devices.pci.PciMachine.load;
import static io.vmm4j.devices.pci.PciMachine.setUp;
import static io.vmm4j.devices.pci.PciMachine.store;
import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.devices.pcitest.PciTestConfig;
import io.vmm4j.devices.pcitest.PciTestFactory;
import io.vmm4j.testkit.TestMachine;
import io.vmm4j.testkit.TestMachine.Message;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** What a guest's kernel does to a function, and what it must find. */
class PciFunctionTest {
  private static final int DEVICE = 3;
  private static final long WIDE = 0x80_0000_0000L;
  private static final long REGISTERS = 0xC000_0000L;
  private static final long TABLE = 0xC000_1000L;
  private static final int MSI = 0x05;
  private static final int MSI_X = 0x11;
  private static final int EXPRESS = 0x10;

  @AutoClose private final TestMachine machine = PciMachine.withFunction().build();

  private int config(int offset, int size) {
    return load(machine, DEVICE, offset, size);
  }

  private void setConfig(int offset, int size, long value) {
    store(machine, DEVICE, offset, size, value);
  }

  @Test
  void bars_of_all_kinds_tell_their_size() {
    for (int bar = BAR0; bar <= BAR4 + 4; bar += 4) {
      setConfig(bar, 4, 0xFFFF_FFFFL);
    }
    assertThat(config(BAR0, 4)).as("64 KiB, prefetchable, 64 bits").isEqualTo(0xFFFF_000C);
    assertThat(config(BAR0 + 4, 4)).as("its upper half").isEqualTo(0xFFFF_FFFF);
    assertThat(config(BAR2, 4)).as("4 KiB, 32 bits").isEqualTo(0xFFFF_F000);
    assertThat(config(BAR3, 4)).as("16 ports").isEqualTo(0xFFFF_FFF1);
    assertThat(config(BAR4, 4)).as("the table").isEqualTo(0xFFFF_F000);
    assertThat(config(BAR4 + 4, 4)).as("there is none").isZero();
    assertThat(config(0x30, 4)).as("no expansion ROM").isZero();
  }

  @Test
  void what_is_decoded_is_where_the_guest_has_put_it_and_nowhere_else() {
    machine.memory();
    setUp(machine);
    machine.writeMmio(REGISTERS, 4, 0x1234);
    assertThat(machine.in(0xC000, 4)).isEqualTo(0x1234);
    machine.memory().writeInt(WIDE + 8, 0x5678);
    setConfig(COMMAND, 2, IO);
    assertThat(machine.memory().contains(WIDE, 1)).isFalse();
    assertThat(machine.readMmio(REGISTERS, 4)).isEqualTo(0xFFFF_FFFFL);
    assertThat(machine.in(0xC000, 4)).isEqualTo(0x1234);
    setConfig(BAR2, 4, 0xD100_0000L);
    setConfig(COMMAND, 2, MEMORY);
    assertThat(machine.in(0xC000, 4)).isEqualTo(-1);
    assertThat(machine.readMmio(0xD100_0000L, 4)).isEqualTo(0x1234);
    assertThat(machine.memory().readInt(WIDE + 8)).isEqualTo(0x5678);
  }

  @Test
  void a_wide_bar_that_is_half_written_is_where_it_says_and_may_be_saved_there() {
    setUp(machine);
    machine.memory().writeInt(WIDE + 8, 0x5678);
    setConfig(BAR0, 4, 0xD000_0000L);
    try (TestMachine twin = machine.twin()) {
      for (TestMachine each : new TestMachine[] {machine, twin}) {
        assertThat(each.mappings()).singleElement().asString().contains("at 0x80d0000000");
        assertThat(each.memory().readInt(WIDE + 0xD000_0008L)).isEqualTo(0x5678);
        store(each, DEVICE, BAR0 + 4, 4, 0);
        assertThat(each.memory().readInt(0xD000_0008L)).isEqualTo(0x5678);
        assertThat(each.memory().contains(WIDE, 1)).isFalse();
      }
    }
  }

  @Test
  void memory_that_is_not_decoded_is_restored_and_seen_when_it_is() {
    setUp(machine);
    machine.memory().writeInt(WIDE + 8, 0x5678);
    setConfig(COMMAND, 2, 0);
    try (TestMachine twin = machine.twin()) {
      assertThat(twin.mappings()).isEmpty();
      store(twin, DEVICE, COMMAND, 2, MEMORY);
      assertThat(twin.memory().readInt(WIDE + 8)).isEqualTo(0x5678);
    }
  }

  @Test
  void sizing_with_decoding_on_harms_nobody() {
    setUp(machine);
    for (int bar = BAR0; bar <= BAR4; bar += 4) {
      int was = config(bar, 4);
      setConfig(bar, 4, 0xFFFF_FFFFL);
      assertThat(config(0, 4)).isEqualTo(0x10FF_1AF4);
      setConfig(bar, 4, was);
    }
    machine.writeMmio(REGISTERS, 4, 7);
    assertThat(machine.readMmio(REGISTERS, 4)).isEqualTo(7);
    setConfig(BAR2, 4, PciMachine.ECAM);
    assertThat(load(machine, 0, 0, 4)).as("the bridge comes first").isEqualTo(0x29C0_8086);
    setConfig(BAR2, 4, 0);
    machine.memory().writeInt(0x100, 0x77);
    assertThat(machine.memory().readInt(0x100)).as("RAM does too").isEqualTo(0x77);
  }

  @Test
  void of_two_functions_at_one_place_one_is_seen_and_the_other_when_it_goes() {
    try (TestMachine two =
        PciMachine.withFunction()
            .device("pci/00:04.0", new PciTestFactory(), PciTestConfig.DEFAULT)
            .build()) {
      setUp(two, 3, 0);
      setUp(two, 4, 0);
      two.writeMmio(REGISTERS, 4, 1);
      two.memory().writeInt(WIDE, 0x3333);
      store(two, 3, COMMAND, 2, 0);
      two.writeMmio(REGISTERS, 4, 2);
      assertThat(two.memory().readInt(WIDE)).isZero();
      store(two, 3, COMMAND, 2, MEMORY);
      assertThat(two.readMmio(REGISTERS, 4)).isEqualTo(1);
      assertThat(two.memory().readInt(WIDE)).isEqualTo(0x3333);
      store(two, 3, BAR2, 4, 0xC100_0000L);
      assertThat(two.readMmio(REGISTERS, 4)).isEqualTo(2);
    }
  }

  @Test
  void msi_is_sent_masked_and_sent_late() {
    setUp(machine);
    int at = PciMachine.capability(machine, DEVICE, MSI);
    assertThat(config(at + 2, 2)).as("4 vectors, 64 bits, masks").isEqualTo(0x184);
    setConfig(at + 4, 4, 0xFEE0_1000L);
    setConfig(at + 12, 2, 0x40);
    setConfig(at + 2, 2, 0x21); // enabled, 4 vectors
    machine.writeMmio(REGISTERS + 4, 4, 2);
    assertThat(machine.messages()).containsExactly(new Message(0xFEE0_1000L, 0x42));
    setConfig(at + 16, 4, 0b0010);
    machine.writeMmio(REGISTERS + 4, 4, 1);
    assertThat(config(at + 20, 4)).as("pending").isEqualTo(0b0010);
    assertThat(machine.messages()).hasSize(1);
    try (TestMachine twin = machine.twin()) {
      store(twin, DEVICE, at + 16, 4, 0);
      assertThat(twin.messages()).containsExactly(new Message(0xFEE0_1000L, 0x41));
      assertThat(load(twin, DEVICE, at + 20, 4)).isZero();
    }
    setConfig(COMMAND, 2, MEMORY);
    machine.writeMmio(REGISTERS + 4, 4, 3);
    assertThat(machine.messages()).as("no bus master").hasSize(1);
  }

  @Test
  void msix_has_masks_and_pending_bits() {
    setUp(machine);
    int at = PciMachine.capability(machine, DEVICE, MSI_X);
    assertThat(config(at + 2, 2)).as("3 vectors").isEqualTo(2);
    assertThat(config(at + 4, 4)).as("the table in BAR 4").isEqualTo(4);
    int pendingBits = config(at + 8, 4) & ~7;
    for (int vector = 0; vector < 3; vector++) {
      assertThat(machine.readMmio(TABLE + 16 * vector + 12, 4)).as("masked").isEqualTo(1);
      machine.writeMmio(TABLE + 16 * vector, 4, 0xFEE0_0000L + (vector << 12));
      machine.writeMmio(TABLE + 16 * vector + 8, 4, 0x50 + vector);
    }
    machine.writeMmio(TABLE + 12, 4, 0);
    machine.writeMmio(TABLE + 16 + 12, 4, 0);
    setConfig(at + 2, 2, 0x8000);
    machine.writeMmio(REGISTERS + 4, 4, 1);
    assertThat(machine.messages()).containsExactly(new Message(0xFEE0_1000L, 0x51));
    machine.writeMmio(REGISTERS + 4, 4, 2);
    setConfig(at + 2, 2, 0xC000);
    machine.writeMmio(REGISTERS + 4, 4, 0);
    machine.writeMmio(REGISTERS + 4, 4, 99);
    assertThat(machine.readMmio(TABLE + pendingBits, 8)).isEqualTo(0b101);
    assertThat(machine.messages()).hasSize(1);
    try (TestMachine twin = machine.twin()) {
      store(twin, DEVICE, at + 2, 2, 0x8000);
      assertThat(twin.messages()).containsExactly(new Message(0xFEE0_0000L, 0x50));
      twin.writeMmio(TABLE + 32 + 8, 8, 0x52);
      assertThat(twin.messages()).last().isEqualTo(new Message(0xFEE0_2000L, 0x52));
      assertThat(twin.readMmio(TABLE + pendingBits, 8)).isZero();
    }
  }

  @Test
  void the_pin_is_a_level_until_messages_are_enabled() {
    setUp(machine);
    assertThat(config(0x3D, 1)).isEqualTo(1);
    machine.writeMmio(REGISTERS + 4, 4, 0);
    assertThat(machine.line("pci", 19)).isTrue();
    assertThat(config(6, 2) & 8).as("interrupt status").isEqualTo(8);
    setConfig(COMMAND, 2, MEMORY | INTX_DISABLE);
    assertThat(machine.line("pci", 19)).isFalse();
    assertThat(config(6, 2) & 8).isEqualTo(8);
    setConfig(COMMAND, 2, MEMORY | BUS_MASTER);
    assertThat(machine.line("pci", 19)).isTrue();
    setConfig(PciMachine.capability(machine, DEVICE, MSI_X) + 2, 2, 0x8000);
    assertThat(machine.line("pci", 19)).isFalse();
  }

  @Test
  void a_function_level_reset_leads_back_to_power_on() {
    setUp(machine);
    machine.writeMmio(REGISTERS, 4, 5);
    machine.memory().writeInt(WIDE, 1);
    int at = PciMachine.capability(machine, DEVICE, EXPRESS);
    assertThat(config(at + 4, 4) >> 28 & 1).as("it has one").isEqualTo(1);
    setConfig(at + 8, 2, 0x8000);
    assertThat(config(COMMAND, 2)).isZero();
    assertThat(config(at + 8, 2) & 0x8000).isZero();
    assertThat(machine.memory().contains(WIDE, 1)).isFalse();
    setUp(machine);
    assertThat(machine.readMmio(REGISTERS, 4)).isZero();
  }

  @Test
  void what_is_read_only_stays_as_it_is() {
    for (int offset = 0; offset < 256; offset += 4) {
      if (offset != PciMachine.capability(machine, DEVICE, EXPRESS) + 8) {
        setConfig(offset, 4, 0xFFFF_FFFFL);
      }
    }
    assertThat(config(0, 4)).isEqualTo(0x10FF_1AF4);
    assertThat(config(8, 4)).isEqualTo(0x00FF_0000);
    assertThat(config(0x0E, 1)).as("header type").isZero();
    assertThat(config(0x2C, 4)).isEqualTo(0x1100_1AF4);
    assertThat(PciMachine.capability(machine, DEVICE, MSI_X)).isNotZero();
    assertThat(config(COMMAND, 2)).isEqualTo(0x0507);
  }
}

package io.vmm4j.devices.pci;

import static io.vmm4j.devices.pci.PciMachine.COMMAND;
import static io.vmm4j.devices.pci.PciMachine.load;
import static io.vmm4j.devices.pci.PciMachine.store;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.DeviceException;
import io.vmm4j.devices.pcitest.PciTestConfig;
import io.vmm4j.devices.pcitest.PciTestFactory;
import io.vmm4j.testkit.TestMachine;
import io.vmm4j.testkit.TestMachine.Message;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** A root port, and the device in its slot. */
class RootPortTest {
  private static final int PORT = 2;
  private static final String PATH = "pci/00:02.0";
  private static final String CARD = PATH + "/01:00.0";
  private static final int BUS = 5;
  private static final int PRESENT = 0x40;
  private static final int NEWS = 0x108;

  @AutoClose
  private final TestMachine machine =
      PciMachine.bus()
          .device(PATH, new RootPortFactory(), RootPortConfig.DEFAULT)
          .device(CARD, new PciTestFactory(), PciTestConfig.DEFAULT)
          .build();

  private static int card(TestMachine machine, int bus, int offset) {
    return (int) machine.readMmio(PciMachine.ECAM + ((long) bus << 20) + offset, 4);
  }

  private static int slot(TestMachine machine) {
    return PciMachine.capability(machine, PORT, 0x10) + 0x1A;
  }

  private void numberBuses() {
    store(machine, PORT, 0x18, 4, BUS << 16 | BUS << 8);
  }

  @Test
  void the_device_behind_is_found_on_the_bus_that_the_guest_has_numbered() {
    assertThat(load(machine, PORT, 0x0E, 1)).as("a bridge").isEqualTo(1);
    assertThat(card(machine, BUS, 0)).isEqualTo(-1);
    numberBuses();
    assertThat(card(machine, BUS, 0)).isEqualTo(0x10FF_1AF4);
    assertThat(card(machine, BUS, 1 << 15)).as("device 1").isEqualTo(-1);
    assertThat(card(machine, BUS + 1, 0)).isEqualTo(-1);
    try (TestMachine twin = machine.twin()) {
      assertThat(card(twin, BUS, 0)).isEqualTo(0x10FF_1AF4);
    }
  }

  @Test
  void a_device_that_was_there_is_no_news() {
    assertThat(load(machine, PORT, slot(machine), 2)).isEqualTo(PRESENT);
    try (TestMachine twin = machine.twin()) {
      assertThat(load(twin, PORT, slot(twin), 2)).isEqualTo(PRESENT);
    }
  }

  @Test
  void what_comes_and_goes_interrupts_by_the_pin() {
    int slot = slot(machine);
    store(machine, PORT, slot - 2, 2, 0x28); // hot plug interrupts, presence
    machine.vm().detach(CARD);
    assertThat(load(machine, PORT, slot, 2)).isEqualTo(NEWS);
    assertThat(machine.line("pci", 18)).isTrue();
    store(machine, PORT, slot, 2, NEWS);
    assertThat(load(machine, PORT, slot, 2)).isZero();
    assertThat(machine.line("pci", 18)).isFalse();
    machine.vm().attach(CARD, PciTestConfig.DEFAULT);
    machine.runTasks();
    assertThat(load(machine, PORT, slot, 2)).isEqualTo(NEWS | PRESENT);
    assertThat(machine.line("pci", 18)).isTrue();
    try (TestMachine twin = machine.twin()) {
      assertThat(twin.line("pci", 18)).isTrue();
      store(twin, PORT, slot, 2, NEWS);
      assertThat(twin.line("pci", 18)).isFalse();
    }
  }

  @Test
  void what_comes_interrupts_by_one_message() {
    int msi = PciMachine.capability(machine, PORT, 0x05);
    store(machine, PORT, msi + 4, 4, 0xFEE0_0000L);
    store(machine, PORT, msi + 12, 2, 0x44);
    store(machine, PORT, msi + 2, 2, 1);
    store(machine, PORT, COMMAND, 2, PciMachine.BUS_MASTER);
    store(machine, PORT, slot(machine) - 2, 2, 0x1028);
    machine.vm().detach(CARD);
    assertThat(machine.messages()).containsExactly(new Message(0xFEE0_0000L, 0x44));
    try (TestMachine twin = machine.twin()) {
      store(twin, PORT, COMMAND, 2, PciMachine.BUS_MASTER);
      assertThat(twin.messages()).as("it was sent").isEmpty();
    }
  }

  @Test
  void pins_are_turned_on_their_way() {
    numberBuses();
    long card = PciMachine.ECAM + ((long) BUS << 20);
    machine.writeMmio(card + 0x18, 4, 0xC000_0000L);
    machine.writeMmio(card + 4, 2, 2);
    machine.writeMmio(0xC000_0004L, 4, 0);
    assertThat(machine.line("pci", 18)).isTrue();
    machine.vm().detach(CARD);
    assertThat(machine.line("pci", 18)).as("it is gone").isFalse();
  }

  @Test
  void a_slot_has_one_device() {
    for (String path : new String[] {CARD.replace("00.0", "01.0"), PATH + "/02:00.0"}) {
      assertThatThrownBy(() -> machine.vm().attach(path, PciTestConfig.DEFAULT))
          .isInstanceOf(DeviceException.class)
          .hasMessageStartingWith(path + ": ");
    }
  }
}

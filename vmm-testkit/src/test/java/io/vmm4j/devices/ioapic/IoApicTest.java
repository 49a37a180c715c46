package io.vmm4j.devices.ioapic;

import static io.vmm4j.devices.DeviceUnderTest.machineWith;
import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.device.PlatformFact;
import io.vmm4j.testkit.TestMachine;
import io.vmm4j.testkit.TestMachine.Message;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class IoApicTest {
  private static final long BASE = 0xFEC0_0000L;
  private static final int LEVEL = 0x8000;
  private static final int MASKED = 0x1_0000;

  @AutoClose
  private final TestMachine machine = machineWith(new IoApicFactory(), IoApicConfig.DEFAULT);

  private long register(int index) {
    machine.writeMmio(BASE, 4, index);
    return machine.readMmio(BASE + 0x10, 4);
  }

  private void setRegister(int index, long value) {
    machine.writeMmio(BASE, 4, index);
    machine.writeMmio(BASE + 0x10, 4, value);
  }

  private void redirect(int pin, int low, int destination) {
    setRegister(0x11 + 2 * pin, (long) destination << 24);
    setRegister(0x10 + 2 * pin, low);
  }

  @Test
  void version_0x20_with_24_masked_pins() {
    assertThat(register(1)).isEqualTo(0x0017_0020);
    for (int pin = 0; pin < 24; pin++) {
      assertThat(register(0x10 + 2 * pin)).isEqualTo(MASKED);
    }
    assertThat(register(0x40)).as("beyond the table").isZero();
  }

  @Test
  void the_id_is_four_bits_and_read_back_in_the_arbitration_register() {
    setRegister(0, 0xFFFF_FFFFL);
    assertThat(register(0)).isEqualTo(0x0F00_0000);
    assertThat(register(2)).isEqualTo(0x0F00_0000);
  }

  @Test
  void an_edge_sends_one_message_with_vector_and_destination() {
    redirect(4, 0x31, 1);
    machine.setLine(4, true);
    machine.setLine(4, false);
    assertThat(machine.messages()).containsExactly(new Message(0xFEE0_1000L, 0x4031));
  }

  @Test
  void the_timer_line_arrives_at_pin_2() {
    redirect(0, 0x40, 0);
    redirect(2, 0x42, 0);
    machine.setLine(0, true);
    assertThat(machine.messages()).containsExactly(new Message(0xFEE0_0000L, 0x4042));
    assertThat(machine.facts()).contains(new PlatformFact.InterruptOverride(0, 2, false, false));
  }

  @Test
  void an_edge_on_a_masked_pin_is_lost() {
    redirect(4, 0x31 | MASKED, 0);
    machine.setLine(4, true);
    redirect(4, 0x31, 0);
    assertThat(machine.messages()).isEmpty();
  }

  @Test
  void a_level_is_sent_once_and_again_after_the_end_of_interrupt() {
    redirect(9, 0x51 | LEVEL, 0);
    machine.setLine(9, true);
    assertThat(machine.messages()).hasSize(1);
    assertThat(register(0x10 + 18) & 0x4000).as("remote IRR").isEqualTo(0x4000);

    machine.endInterrupt(0x50);
    assertThat(machine.messages()).as("another vector").hasSize(1);
    machine.endInterrupt(0x51);
    assertThat(machine.messages()).hasSize(2);

    machine.setLine(9, false);
    machine.endInterrupt(0x51);
    assertThat(machine.messages()).hasSize(2);
    assertThat(register(0x10 + 18) & 0x4000).isZero();
  }

  @Test
  void a_level_that_is_unmasked_while_asserted_is_sent() {
    redirect(9, 0x51 | LEVEL | MASKED, 0);
    machine.setLine(9, true);
    assertThat(machine.messages()).isEmpty();
    setRegister(0x10 + 18, 0x51 | LEVEL);
    assertThat(machine.messages()).containsExactly(new Message(0xFEE0_0000L, 0xC051));
  }

  @Test
  void the_eoi_register_ends_a_level_interrupt() {
    redirect(9, 0x51 | LEVEL, 0);
    machine.setLine(9, true);
    machine.setLine(9, false);
    machine.writeMmio(BASE + 0x40, 4, 0x51);
    assertThat(register(0x10 + 18) & 0x4000).isZero();
  }

  @Test
  void remote_irr_is_read_only_and_cleared_by_switching_to_edge() {
    redirect(9, 0x51 | LEVEL | 0x4000, 0);
    assertThat(register(0x10 + 18) & 0x4000).isZero();
    machine.setLine(9, true);
    setRegister(0x10 + 18, 0x51 | MASKED);
    assertThat(register(0x10 + 18) & 0x4000).isZero();
  }

  @Test
  void lowest_priority_and_logical_destination_are_in_the_address() {
    redirect(4, 0x31 | 0x100 | 0x800, 0x0F);
    machine.setLine(4, true);
    assertThat(machine.messages()).containsExactly(new Message(0xFEE0_F00CL, 0x4131));
  }
}

package io.vmm4j.devices.pic;

import static io.vmm4j.devices.DeviceUnderTest.machineWith;
import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.testkit.TestMachine;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PicTest {
  private static final int MASTER = 0x20;
  private static final int MASTER_MASK = 0x21;
  private static final int SLAVE = 0xA0;
  private static final int SLAVE_MASK = 0xA1;
  private static final int EOI = 0x20;

  @AutoClose private final TestMachine machine = machineWith(new PicFactory(), PicConfig.DEFAULT);

  @BeforeEach
  void initialized_for_vectors_0x20_and_0x28() {
    initialize(0x01);
  }

  private void initialize(int icw4) {
    machine.out8(MASTER, 0x11);
    machine.out8(MASTER_MASK, 0x20);
    machine.out8(MASTER_MASK, 0x04);
    machine.out8(MASTER_MASK, icw4);
    machine.out8(SLAVE, 0x11);
    machine.out8(SLAVE_MASK, 0x28);
    machine.out8(SLAVE_MASK, 0x02);
    machine.out8(SLAVE_MASK, icw4);
  }

  private int irr(int port) {
    machine.out8(port, 0x0A);
    return machine.in8(port);
  }

  private int isr(int port) {
    machine.out8(port, 0x0B);
    return machine.in8(port);
  }

  @Test
  void before_initialization_nothing_is_requested() {
    TestMachine fresh = machineWith(new PicFactory(), PicConfig.DEFAULT);
    fresh.setLine(0, true);
    assertThat(fresh.externalInterrupt()).isFalse();
  }

  @Test
  void a_rising_edge_is_requested_acknowledged_and_in_service_until_eoi() {
    machine.setLine(4, true);
    assertThat(machine.externalInterrupt()).isTrue();
    assertThat(irr(MASTER)).isEqualTo(0x10);

    assertThat(machine.acknowledge()).isEqualTo(0x24);

    assertThat(machine.externalInterrupt()).isFalse();
    assertThat(irr(MASTER)).isZero();
    assertThat(isr(MASTER)).isEqualTo(0x10);
    machine.out8(MASTER, EOI);
    assertThat(isr(MASTER)).isZero();
    assertThat(machine.externalInterrupt()).as("a level that stays is no new edge").isFalse();
  }

  @Test
  void a_higher_priority_interrupts_a_lower_and_a_lower_waits() {
    machine.setLine(4, true);
    machine.acknowledge();
    machine.setLine(5, true);
    assertThat(machine.externalInterrupt()).isFalse();
    machine.setLine(3, true);
    assertThat(machine.acknowledge()).isEqualTo(0x23);
    machine.out8(MASTER, EOI);
    machine.out8(MASTER, EOI);
    assertThat(machine.acknowledge()).isEqualTo(0x25);
  }

  @Test
  void the_slave_arrives_through_input_2_and_both_need_an_eoi() {
    machine.setLine(12, true);
    assertThat(machine.acknowledge()).isEqualTo(0x2C);
    assertThat(isr(MASTER)).isEqualTo(0x04);
    assertThat(isr(SLAVE)).isEqualTo(0x10);
    machine.setLine(8, true);
    machine.out8(SLAVE, EOI);
    machine.out8(MASTER, EOI);
    assertThat(machine.acknowledge()).isEqualTo(0x28);
  }

  @Test
  void two_requests_of_the_slave_with_automatic_eoi_both_arrive() {
    initialize(0x03);
    machine.setLine(9, true);
    machine.setLine(10, true);
    assertThat(machine.acknowledge()).isEqualTo(0x29);
    assertThat(machine.externalInterrupt()).isTrue();
    assertThat(machine.acknowledge()).isEqualTo(0x2A);
    assertThat(machine.externalInterrupt()).isFalse();
    assertThat(isr(MASTER)).isZero();
  }

  @Test
  void special_fully_nested_mode_lets_a_higher_slave_input_interrupt() {
    initialize(0x11);
    machine.setLine(12, true);
    machine.acknowledge();
    machine.setLine(8, true);
    assertThat(machine.externalInterrupt()).isTrue();
    assertThat(machine.acknowledge()).isEqualTo(0x28);
  }

  @Test
  void a_request_that_has_gone_is_a_spurious_irq_7_that_is_not_in_service() {
    machine.setLine(4, true);
    machine.out8(MASTER_MASK, 0xFF);
    assertThat(machine.acknowledge()).isEqualTo(0x27);
    assertThat(isr(MASTER)).isZero();
  }

  @Test
  void a_slave_request_that_has_gone_is_a_spurious_irq_15() {
    machine.out8(0x4D1, 0x02);
    machine.setLine(9, true);
    machine.setLine(9, false);
    // The request of input 2 is latched in the master.
    assertThat(machine.acknowledge()).isEqualTo(0x2F);
    assertThat(isr(SLAVE)).isZero();
    assertThat(isr(MASTER)).isEqualTo(0x04);
  }

  @Test
  void a_level_triggered_input_asks_again_while_it_is_high() {
    machine.out8(0x4D0, 0xFF);
    assertThat(machine.in8(0x4D0)).as("IRQ 0 to 2 stay edge-triggered").isEqualTo(0xF8);
    machine.setLine(5, true);
    machine.acknowledge();
    machine.out8(MASTER, EOI);
    assertThat(machine.externalInterrupt()).isTrue();
    machine.setLine(5, false);
    assertThat(machine.externalInterrupt()).isFalse();
  }

  @Test
  void a_mask_holds_an_edge_back_until_it_is_lifted() {
    machine.out8(MASTER_MASK, 0x10);
    machine.setLine(4, true);
    machine.setLine(4, false);
    assertThat(machine.externalInterrupt()).isFalse();
    machine.out8(MASTER_MASK, 0x00);
    assertThat(machine.acknowledge()).isEqualTo(0x24);
  }

  @Test
  void rotation_on_eoi_makes_the_served_input_the_lowest() {
    machine.setLine(3, true);
    machine.acknowledge();
    machine.out8(MASTER, 0xA0);
    machine.setLine(3, false);
    machine.setLine(3, true);
    machine.setLine(4, true);
    assertThat(machine.acknowledge()).isEqualTo(0x24);
  }

  @Test
  void special_mask_mode_lets_lower_inputs_through_while_the_served_one_is_masked() {
    machine.setLine(3, true);
    machine.acknowledge();
    machine.setLine(6, true);
    machine.out8(MASTER_MASK, 0x08);
    assertThat(machine.externalInterrupt()).isFalse();
    machine.out8(MASTER, 0x68);
    assertThat(machine.acknowledge()).isEqualTo(0x26);
  }

  @Test
  void a_poll_acknowledges_and_names_the_input() {
    machine.setLine(6, true);
    machine.out8(MASTER, 0x0C);
    assertThat(machine.in8(MASTER)).isEqualTo(0x86);
    assertThat(isr(MASTER)).isEqualTo(0x40);
    machine.out8(MASTER, 0x0C);
    assertThat(machine.in8(MASTER) & 0x80).isZero();
  }

  @Test
  void a_specific_eoi_ends_that_input_only() {
    machine.setLine(5, true);
    machine.acknowledge();
    machine.setLine(1, true);
    machine.acknowledge();
    machine.out8(MASTER, 0x65);
    assertThat(isr(MASTER)).isEqualTo(0x02);
  }
}

package io.vmm4j.devices.i8042;

import static io.vmm4j.devices.DeviceUnderTest.machineWith;
import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.VmExit;
import io.vmm4j.testkit.TestMachine;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class I8042Test {
  private static final int DATA = 0x60;
  private static final int COMMAND = 0x64;
  private static final int IRQ = 1;

  @AutoClose
  private final TestMachine machine = machineWith(new I8042Factory(), I8042Config.DEFAULT);

  private List<Integer> output() {
    List<Integer> bytes = new ArrayList<>();
    while ((machine.in8(COMMAND) & 1) != 0) {
      bytes.add(machine.in8(DATA));
    }
    return bytes;
  }

  private void commandByte(int value) {
    machine.out8(COMMAND, 0x60);
    machine.out8(DATA, value);
  }

  @Test
  void self_tests_pass() {
    machine.out8(COMMAND, 0xAA);
    assertThat(output()).containsExactly(0x55);
    machine.out8(COMMAND, 0xAB);
    assertThat(output()).containsExactly(0x00);
    assertThat(machine.in8(COMMAND) & 0x04).as("system flag").isEqualTo(0x04);
  }

  @Test
  void the_command_byte_is_read_as_written() {
    commandByte(0x47);
    machine.out8(COMMAND, 0x20);
    assertThat(output()).containsExactly(0x47);
  }

  @Test
  void the_keyboard_resets_identifies_itself_and_takes_leds() {
    machine.out8(DATA, 0xFF);
    assertThat(output()).containsExactly(0xFA, 0xAA);
    machine.out8(DATA, 0xF2);
    assertThat(output()).containsExactly(0xFA, 0xAB, 0x83);
    machine.out8(DATA, 0xED);
    assertThat(output()).containsExactly(0xFA);
    machine.out8(DATA, 0x07);
    assertThat(output()).containsExactly(0xFA);
    machine.out8(DATA, 0xF0);
    machine.out8(DATA, 0x00);
    assertThat(output()).containsExactly(0xFA, 0xFA, 0x02);
    machine.out8(DATA, 0xEE);
    assertThat(output()).containsExactly(0xEE);
    machine.out8(DATA, 0x12);
    assertThat(output()).as("no command").containsExactly(0xFE);
  }

  @Test
  void with_translation_the_keyboard_identifies_itself_as_ab_41() {
    commandByte(0x40);
    machine.out8(DATA, 0xF2);
    assertThat(output()).containsExactly(0xFA, 0xAB, 0x41);
  }

  @Test
  void each_byte_of_the_keyboard_is_an_interrupt() {
    commandByte(0x01);
    machine.out8(DATA, 0xFF);
    assertThat(machine.line(IRQ)).isTrue();
    assertThat(output()).hasSize(2);
    assertThat(machine.edges(IRQ)).isEqualTo(2);
    assertThat(machine.line(IRQ)).isFalse();
  }

  @Test
  void a_disabled_keyboard_waits() {
    machine.out8(DATA, 0xEE);
    output();
    machine.out8(COMMAND, 0xAD);
    machine.out8(COMMAND, 0xD2);
    machine.out8(DATA, 0x1C);
    assertThat(output()).containsExactly(0x1C);
  }

  @Test
  void drivers_find_no_auxiliary_device() {
    machine.out8(COMMAND, 0xD3);
    machine.out8(DATA, 0x5A);
    assertThat(machine.in8(COMMAND) & 0x21).as("not from an auxiliary device").isEqualTo(0x01);
    output();
    machine.out8(COMMAND, 0xA9);
    assertThat(output()).containsExactly(0x01);
    machine.out8(COMMAND, 0xD4);
    machine.out8(DATA, 0xFF);
    assertThat(machine.in8(COMMAND) & 0x40).as("time-out").isEqualTo(0x40);
    assertThat(output()).containsExactly(0xFE);
  }

  @ParameterizedTest
  @ValueSource(ints = {0xFE, 0xF0})
  void a_pulse_of_the_reset_line_resets(int command) {
    machine.out8(COMMAND, command);
    assertThat(machine.exits())
        .containsExactly(new VmExit.Reset(VmExit.Reset.Cause.KEYBOARD_CONTROLLER));
  }

  @Test
  void a_pulse_of_other_lines_does_not() {
    machine.out8(COMMAND, 0xFF);
    machine.out8(COMMAND, 0xFD);
    assertThat(machine.exits()).isEmpty();
  }

  @Test
  void the_output_port_shows_a20_and_resets_when_its_bit_0_is_cleared() {
    machine.out8(COMMAND, 0xD0);
    assertThat(output().getFirst() & 0x03).isEqualTo(0x03);
    machine.out8(COMMAND, 0xD1);
    machine.out8(DATA, 0xDF);
    assertThat(machine.exits()).isEmpty();
    machine.out8(COMMAND, 0xD1);
    machine.out8(DATA, 0xDE);
    assertThat(machine.exits())
        .containsExactly(new VmExit.Reset(VmExit.Reset.Cause.KEYBOARD_CONTROLLER));
  }
}

package io.vmm4j.devices.systemcontrol;

import static io.vmm4j.devices.DeviceUnderTest.machineWith;
import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.VmExit;
import io.vmm4j.testkit.TestMachine;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class SystemControlTest {
  private static final int PORT = 0x92;

  @AutoClose
  private final TestMachine machine =
      machineWith(new SystemControlFactory(), SystemControlConfig.DEFAULT);

  @Test
  void bit_0_resets_when_it_becomes_1() {
    machine.out8(PORT, machine.in8(PORT) | 1);
    assertThat(machine.exits())
        .containsExactly(new VmExit.Reset(VmExit.Reset.Cause.SYSTEM_CONTROL_PORT));
    machine.out8(PORT, 3);
    assertThat(machine.exits()).as("it was 1 before").hasSize(1);
    machine.out8(PORT, 2);
    machine.out8(PORT, 3);
    assertThat(machine.exits()).hasSize(2);
  }

  @Test
  void the_gate_of_address_line_20_reads_as_it_was_written() {
    assertThat(machine.in8(PORT)).as("after reset").isEqualTo(2);
    machine.out8(PORT, 0);
    assertThat(machine.in8(PORT)).isZero();
    assertThat(machine.exits()).isEmpty();
  }
}

package io.vmm4j.devices.debugexit;

import static io.vmm4j.devices.DeviceUnderTest.machineWith;
import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.VmExit;
import io.vmm4j.devices.debugcon.DebugConsoleConfig;
import io.vmm4j.devices.debugcon.DebugConsoleFactory;
import io.vmm4j.testkit.TestMachine;
import org.junit.jupiter.api.Test;

class DebugPortsTest {
  @Test
  void the_debug_exit_port_ends_the_machine_with_what_was_written_in_any_width() {
    TestMachine machine = machineWith(new DebugExitFactory(), DebugExitConfig.DEFAULT);
    machine.out(0xF4, 1, 0x10);
    machine.out(0xF4, 4, 0x1234_5678);
    assertThat(machine.exits())
        .containsExactly(new VmExit.DebugExit(0x10), new VmExit.DebugExit(0x1234_5678));
  }

  @Test
  void the_debug_console_transmits_and_shows_that_it_is_there() {
    TestMachine machine = machineWith(new DebugConsoleFactory(), DebugConsoleConfig.DEFAULT);
    machine.out8(0xE9, '!');
    assertThat(machine.output()).isEqualTo("!");
    assertThat(machine.in8(0xE9)).isEqualTo(0xE9);
  }
}

package io.vmm4j.devices.pctestdev;

import static io.vmm4j.devices.DeviceUnderTest.machineWith;
import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.testkit.TestMachine;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class PcTestDeviceTest {
  @AutoClose
  private final TestMachine machine =
      machineWith(new PcTestDeviceFactory(), new PcTestDeviceConfig());

  @Test
  void its_port_remembers_bytes_and_words_alike() {
    machine.out(0xE0, 4, 0x1234_5678);
    assertThat(machine.in(0xE0, 4)).isEqualTo(0x1234_5678);
    assertThat(machine.in8(0xE1)).isEqualTo(0x56);
  }

  @Test
  void each_of_its_line_ports_sets_one_interrupt_line() {
    machine.out(0x200B, 4, 1);
    assertThat(machine.line(11)).isTrue();
    assertThat(machine.line(10)).isFalse();
    machine.out(0x200B, 4, 0);
    assertThat(machine.line(11)).isFalse();
  }

  @Test
  void its_window_remembers_in_every_width() {
    machine.writeMmio(0xFF00_0008L, 8, 0x1122_3344_5566_7788L);
    assertThat(machine.readMmio(0xFF00_0008L, 8)).isEqualTo(0x1122_3344_5566_7788L);
    assertThat(machine.readMmio(0xFF00_000AL, 2)).isEqualTo(0x5566);
  }
}

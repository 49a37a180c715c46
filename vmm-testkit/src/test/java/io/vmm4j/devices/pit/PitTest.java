package io.vmm4j.devices.pit;

import static io.vmm4j.devices.DeviceUnderTest.machineWith;
import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.clock.VmClock;
import io.vmm4j.testkit.TestMachine;
import java.time.Duration;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PitTest {
  private static final int CONTROL = 0x43;

  @AutoClose private final TestMachine machine = machineWith(new PitFactory(), PitConfig.DEFAULT);

  private void program(int channel, int mode, int count) {
    machine.out8(CONTROL, channel << 6 | 0x30 | mode << 1);
    machine.out8(0x40 + channel, count & 0xFF);
    machine.out8(0x40 + channel, count >> 8 & 0xFF);
  }

  private void tickTo(long tick) {
    machine.advance(
        Duration.ofNanos(VmClock.ticksToNanos(tick, Pit.FREQUENCY_HZ) - machine.nanoTime()));
  }

  private int latched(int channel) {
    machine.out8(CONTROL, channel << 6);
    return machine.in8(0x40 + channel) | machine.in8(0x40 + channel) << 8;
  }

  private int status(int channel) {
    machine.out8(CONTROL, 0xE0 | 2 << channel);
    return machine.in8(0x40 + channel);
  }

  @Test
  void mode_2_raises_irq_0_once_in_each_period_without_drift() {
    program(0, 2, 11_932);
    int before = machine.edges(0);
    for (int second = 0; second < 100; second++) {
      machine.advance(Duration.ofSeconds(1));
    }
    assertThat(machine.edges(0) - before).isEqualTo((int) (100L * Pit.FREQUENCY_HZ / 11_932));
  }

  @Test
  void mode_0_goes_high_at_the_terminal_count_and_stays() {
    program(0, 0, 1000);
    assertThat(machine.line(0)).isFalse();
    tickTo(999);
    assertThat(machine.line(0)).isFalse();
    tickTo(1000);
    assertThat(machine.line(0)).isTrue();
    tickTo(5_000_000);
    assertThat(machine.edges(0)).isEqualTo(1);
  }

  @Test
  void mode_0_counts_on_from_ffff_after_the_terminal_count() {
    program(0, 0, 100);
    tickTo(101);
    assertThat(latched(0)).isEqualTo(0xFFFF);
  }

  @Test
  void mode_3_is_high_for_half_of_an_even_count() {
    program(0, 3, 1000);
    assertThat(machine.line(0)).isTrue();
    tickTo(499);
    assertThat(machine.line(0)).isTrue();
    tickTo(500);
    assertThat(machine.line(0)).isFalse();
    tickTo(1000);
    assertThat(machine.line(0)).isTrue();
  }

  @Test
  void mode_3_counts_in_twos() {
    program(0, 3, 1000);
    tickTo(10);
    assertThat(latched(0)).isEqualTo(980);
    tickTo(510);
    assertThat(latched(0)).isEqualTo(980);
  }

  @Test
  void mode_4_strobes_once() {
    program(0, 4, 1000);
    tickTo(100_000);
    int edges = machine.edges(0);
    program(0, 4, 1000);
    tickTo(200_000);
    assertThat(machine.edges(0)).isEqualTo(edges + 1);
  }

  @Test
  void mode_1_waits_for_its_gate_and_is_low_for_the_count() {
    program(2, 1, 1000);
    assertThat(machine.in8(0x61) & 0x20).isEqualTo(0x20);
    machine.out8(0x61, 1);
    assertThat(machine.in8(0x61) & 0x20).isZero();
    tickTo(999);
    assertThat(machine.in8(0x61) & 0x20).isZero();
    tickTo(1000);
    assertThat(machine.in8(0x61) & 0x20).isEqualTo(0x20);
  }

  @Test
  void a_new_count_in_mode_2_takes_effect_at_the_end_of_the_period() {
    program(0, 2, 1000);
    int before = machine.edges(0);
    tickTo(500);
    machine.out8(0x40, 2000 & 0xFF);
    machine.out8(0x40, 2000 >> 8);
    tickTo(1000);
    assertThat(machine.edges(0) - before).isEqualTo(1);
    tickTo(2999);
    assertThat(machine.edges(0) - before).isEqualTo(1);
    tickTo(3000);
    assertThat(machine.edges(0) - before).isEqualTo(2);
  }

  @Test
  void a_low_gate_holds_channel_2_and_a_high_one_goes_on() {
    machine.out8(0x61, 1);
    program(2, 0, 1000);
    tickTo(300);
    machine.out8(0x61, 0);
    tickTo(800);
    assertThat(latched(2)).isEqualTo(700);
    machine.out8(0x61, 1);
    tickTo(1499);
    assertThat(machine.in8(0x61) & 0x20).isZero();
    tickTo(1500);
    assertThat(machine.in8(0x61) & 0x20).isEqualTo(0x20);
  }

  @Test
  void a_latched_count_stays_until_it_is_read() {
    program(0, 2, 10_000);
    tickTo(1000);
    machine.out8(CONTROL, 0x00);
    tickTo(5000);
    assertThat(machine.in8(0x40) | machine.in8(0x40) << 8).isEqualTo(9000);
    assertThat(machine.in8(0x40) | machine.in8(0x40) << 8).isEqualTo(5000);
  }

  @Test
  void read_back_gives_status_and_then_count() {
    program(0, 2, 10_000);
    tickTo(1000);
    machine.out8(CONTROL, 0xC2);
    assertThat(machine.in8(0x40)).isEqualTo(0x80 | 0x30 | 2 << 1);
    assertThat(machine.in8(0x40) | machine.in8(0x40) << 8).isEqualTo(9000);
  }

  @Test
  void the_null_count_flag_is_set_until_a_count_is_loaded() {
    machine.out8(CONTROL, 0x34);
    assertThat(status(0) & 0x40).isEqualTo(0x40);
    machine.out8(0x40, 0);
    machine.out8(0x40, 1);
    assertThat(status(0) & 0x40).isZero();
  }

  @ParameterizedTest
  @CsvSource({"0x1000, 0x0999", "0x0000, 0x9999", "0x0010, 0x0009"})
  void bcd_counts_in_decimal_digits(String written, String afterOneTick) {
    int count = Integer.decode(written);
    machine.out8(CONTROL, 0x31);
    machine.out8(0x40, count & 0xFF);
    machine.out8(0x40, count >> 8);
    tickTo(1);
    assertThat(latched(0)).isEqualTo(Integer.decode(afterOneTick));
  }

  @Test
  void the_refresh_bit_of_port_0x61_toggles() {
    int first = machine.in8(0x61) & 0x10;
    tickTo(18);
    assertThat(machine.in8(0x61) & 0x10).isNotEqualTo(first);
    tickTo(36);
    assertThat(machine.in8(0x61) & 0x10).isEqualTo(first);
  }

  @Test
  void a_count_of_1_does_not_make_the_host_run_after_it() {
    program(0, 2, 1);
    long before = machine.firings();
    machine.advance(Duration.ofSeconds(1));
    assertThat(machine.firings() - before).isBetween(9_000L, 10_100L);
  }
}

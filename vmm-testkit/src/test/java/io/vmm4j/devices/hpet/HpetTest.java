package io.vmm4j.devices.hpet;

import static io.vmm4j.devices.DeviceUnderTest.machineWith;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.device.PlatformFact;
import io.vmm4j.testkit.TestMachine;
import java.time.Duration;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** Registers and comparators (IA-PC HPET specification 1.0a, chapter 2). */
class HpetTest {
  private static final long BASE = 0xFED0_0000L;
  private static final long CONFIGURATION = BASE + 0x10;
  private static final long STATUS = BASE + 0x20;
  private static final long COUNTER = BASE + 0xF0;
  private static final int LINE = 18;

  private static final int LEVEL = 1 << 1;
  private static final int ENABLE = 1 << 2;
  private static final int PERIODIC = 1 << 3;
  private static final int SET_VALUE = 1 << 6;
  private static final int MODE_32 = 1 << 8;
  private static final int MESSAGE = 1 << 14;

  @AutoClose private final TestMachine machine = machineWith(new HpetFactory(), HpetConfig.DEFAULT);

  private long read(long address) {
    return machine.readMmio(address, 8);
  }

  private void write(long address, long value) {
    machine.writeMmio(address, 8, value);
  }

  private static long timer(int number) {
    return BASE + 0x100 + 0x20 * number;
  }

  private static long routed(long configuration) {
    return configuration | LINE << 9;
  }

  private void start() {
    write(CONFIGURATION, 1);
  }

  private void advanceTicks(long ticks) {
    machine.advance(Duration.ofNanos(ticks * 10));
  }

  @Test
  void capabilities_tell_of_a_counter_of_64_bits_at_100_MHz_and_3_timers() {
    long capabilities = read(BASE);
    assertThat(capabilities >>> 32).as("femtoseconds").isEqualTo(10_000_000);
    assertThat(capabilities >> 16 & 0xFFFF).as("vendor").isEqualTo(0x8086);
    assertThat(capabilities >> 13 & 1).as("64 bits").isEqualTo(1);
    assertThat(capabilities >> 15 & 1).as("legacy replacement").isZero();
    assertThat((capabilities >> 8 & 0x1F) + 1).as("timers").isEqualTo(3);
    assertThat(capabilities & 0xFF).as("revision").isNotZero();
    assertThat(read(timer(0)) >>> 32).as("routes").isEqualTo(0x00FF_0000L);
  }

  @Test
  void the_counter_counts_while_it_is_enabled_and_is_set_while_it_stands() {
    advanceTicks(100);
    assertThat(read(COUNTER)).isZero();
    write(COUNTER, 0xFFFF_FFF0L);
    start();
    advanceTicks(0x20);
    assertThat(read(COUNTER)).isEqualTo(0x1_0000_0010L);
    assertThat(machine.readMmio(COUNTER + 4, 4)).as("upper half").isEqualTo(1);
    write(COUNTER, 5);
    assertThat(read(COUNTER)).as("not while it counts").isEqualTo(0x1_0000_0010L);
    write(CONFIGURATION, 0);
    advanceTicks(1000);
    assertThat(read(COUNTER)).isEqualTo(0x1_0000_0010L);
  }

  @Test
  void a_one_shot_timer_fires_once_at_its_count() {
    write(timer(1), routed(ENABLE));
    write(timer(1) + 8, 1000);
    start();
    advanceTicks(999);
    assertThat(machine.edges(LINE)).isZero();
    advanceTicks(1);
    assertThat(machine.edges(LINE)).isEqualTo(1);
    advanceTicks(1_000_000);
    assertThat(machine.edges(LINE)).isEqualTo(1);
    assertThat(read(STATUS)).as("an edge has no status").isZero();
  }

  @Test
  void a_count_that_has_passed_is_not_met_before_the_counter_comes_round() {
    start();
    advanceTicks(5000);
    write(timer(0), routed(ENABLE));
    write(timer(0) + 8, 4000);
    advanceTicks(1L << 32);
    assertThat(machine.edges(LINE)).isZero();
    // with 32 bits it comes round after 43 seconds
    write(timer(0), routed(ENABLE | MODE_32));
    advanceTicks(1L << 32);
    assertThat(machine.edges(LINE)).isEqualTo(1);
  }

  @Test
  void a_periodic_timer_fires_again_and_again() {
    write(timer(0), routed(ENABLE | PERIODIC | SET_VALUE));
    write(timer(0) + 8, 20_000);
    write(timer(0) + 8, 50_000);
    start();
    advanceTicks(20_000);
    assertThat(machine.edges(LINE)).isEqualTo(1);
    advanceTicks(49_999);
    assertThat(machine.edges(LINE)).isEqualTo(1);
    advanceTicks(1);
    assertThat(machine.edges(LINE)).isEqualTo(2);
    for (int i = 0; i < 10; i++) {
      advanceTicks(50_000);
    }
    assertThat(machine.edges(LINE)).isEqualTo(12);
    assertThat(read(timer(0) + 8)).as("the next count").isEqualTo(20_000 + 12 * 50_000L);
  }

  @Test
  void periods_that_are_too_short_become_one() {
    write(timer(0), routed(ENABLE | PERIODIC | SET_VALUE));
    write(timer(0) + 8, 1);
    write(timer(0) + 8, 1);
    start();
    machine.advance(Duration.ofMillis(10));
    assertThat(machine.edges(LINE)).isBetween(1, 101);
    assertThat(read(timer(0) + 8)).isEqualTo(read(COUNTER) + 1);
  }

  @Test
  void a_level_stays_until_its_status_is_cleared() {
    write(timer(2), routed(ENABLE | LEVEL));
    write(timer(2) + 8, 100);
    start();
    advanceTicks(100);
    assertThat(machine.line(LINE)).isTrue();
    assertThat(read(STATUS)).isEqualTo(1 << 2);
    write(STATUS, 1);
    assertThat(machine.line(LINE)).as("another timer's bit").isTrue();
    write(STATUS, 1 << 2);
    assertThat(machine.line(LINE)).isFalse();
    assertThat(read(STATUS)).isZero();
  }

  @Test
  void a_level_without_interrupt_is_status_alone() {
    write(timer(2), routed(LEVEL));
    write(timer(2) + 8, 100);
    start();
    advanceTicks(100);
    assertThat(machine.line(LINE)).isFalse();
    assertThat(read(STATUS)).isEqualTo(1 << 2);
    write(timer(2), routed(LEVEL | ENABLE));
    assertThat(machine.line(LINE)).isTrue();
  }

  @Test
  void a_message_takes_the_place_of_the_line() {
    write(timer(0) + 0x10, 0xFEE0_1000L << 32 | 0x4031);
    write(timer(0), routed(ENABLE | MESSAGE));
    write(timer(0) + 8, 10);
    start();
    advanceTicks(10);
    assertThat(machine.messages()).containsExactly(new TestMachine.Message(0xFEE0_1000L, 0x4031));
    assertThat(machine.edges(LINE)).isZero();
  }

  @Test
  void a_line_that_is_not_connected_reads_back_as_it_was() {
    write(timer(0), routed(0));
    write(timer(0), 3 << 9);
    assertThat(read(timer(0)) >> 9 & 0x1F).isEqualTo(LINE);
  }

  @Test
  void it_is_described_for_the_tables() {
    assertThat(machine.facts())
        .contains(new PlatformFact.HighPrecisionEventTimer(BASE, 0x8086_2201));
  }

  @Test
  void a_configuration_out_of_range_is_refused_by_name() {
    assertThatThrownBy(() -> new HpetConfig(BASE + 1, 3)).hasMessageContaining("address");
    assertThatThrownBy(() -> new HpetConfig(BASE, 33)).hasMessageContaining("timers");
  }
}

package io.vmm4j.devices.rtc;

import static io.vmm4j.devices.DeviceUnderTest.machineWith;
import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.MemorySize;
import io.vmm4j.testkit.TestMachine;
import java.time.Duration;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class RtcTest {
  private static final int IRQ = 8;
  private static final int A = 0x0A;
  private static final int B = 0x0B;
  private static final int C = 0x0C;
  private static final int D = 0x0D;

  /** Begins at 2026-01-02 03:04:05 UTC, a Friday. */
  @AutoClose private final TestMachine machine = machineWith(new RtcFactory(), RtcConfig.DEFAULT);

  private int read(int register) {
    machine.out8(0x70, register);
    return machine.in8(0x71);
  }

  private void write(int register, int value) {
    machine.out8(0x70, register);
    machine.out8(0x71, value);
  }

  private String time() {
    return "%02x%02x-%02x-%02x %02x:%02x:%02x"
        .formatted(read(0x32), read(9), read(8), read(7), read(4), read(2), read(0));
  }

  @Test
  void it_shows_the_wall_clock_in_bcd_and_24_hours() {
    assertThat(time()).isEqualTo("2026-01-02 03:04:05");
    assertThat(read(6)).as("Friday").isEqualTo(6);
    assertThat(read(D)).isEqualTo(0x80);
    machine.advance(Duration.ofHours(21));
    assertThat(time()).isEqualTo("2026-01-03 00:04:05");
  }

  @Test
  void binary_and_12_hours_are_at_choice() {
    machine.advance(Duration.ofHours(9).plusMinutes(30));
    write(B, 0x04);
    assertThat(read(4)).as("12 pm").isEqualTo(0x80 | 12);
    assertThat(read(2)).isEqualTo(34);
    machine.advance(Duration.ofHours(12));
    assertThat(read(4)).as("12 am").isEqualTo(12);
  }

  @Test
  void a_time_that_is_set_while_it_stands_goes_on_from_there() {
    write(B, 0x82);
    machine.advance(Duration.ofSeconds(10));
    assertThat(read(0)).as("it stands").isEqualTo(0x05);
    write(0, 0x58);
    write(2, 0x59);
    write(4, 0x23);
    write(7, 0x31);
    write(8, 0x12);
    write(9, 0x99);
    write(0x32, 0x19);
    write(B, 0x02);
    assertThat(time()).isEqualTo("1999-12-31 23:59:58");
    machine.advance(Duration.ofSeconds(2));
    assertThat(time()).isEqualTo("2000-01-01 00:00:00");
  }

  @Test
  void the_first_update_comes_half_a_second_after_the_divider_is_let_go() {
    write(A, 0x76);
    write(0, 0x10);
    write(A, 0x26);
    machine.advance(Duration.ofMillis(499));
    assertThat(read(0)).isEqualTo(0x10);
    machine.advance(Duration.ofMillis(1));
    assertThat(read(0)).isEqualTo(0x11);
  }

  @Test
  void update_in_progress_is_seen_before_the_second_ends() {
    machine.advance(Duration.ofMillis(997));
    assertThat(read(A) & 0x80).isZero();
    machine.advance(Duration.ofMillis(1));
    assertThat(read(A) & 0x80).isEqualTo(0x80);
    machine.advance(Duration.ofMillis(2));
    assertThat(read(A) & 0x80).isZero();
  }

  @Test
  void the_periodic_interrupt_comes_at_its_rate_if_it_is_acknowledged() {
    write(B, 0x42);
    int interrupts = 0;
    for (int i = 0; i < 100_000; i++) {
      machine.advance(Duration.ofNanos(10_000));
      if (machine.line(IRQ)) {
        assertThat(read(C) & 0xC0).isEqualTo(0xC0);
        assertThat(machine.line(IRQ)).isFalse();
        interrupts++;
      }
    }
    assertThat(interrupts).isBetween(1023, 1025);
  }

  @Test
  void an_unread_interrupt_costs_no_timers() {
    write(A, 0x23);
    write(B, 0x72);
    machine.advance(Duration.ofSeconds(1));
    long before = machine.firings();
    machine.advance(Duration.ofSeconds(10));
    assertThat(machine.firings()).isEqualTo(before);
    assertThat(machine.edges(IRQ)).isEqualTo(1);
  }

  @Test
  void the_update_interrupt_comes_each_second() {
    write(B, 0x12);
    machine.advance(Duration.ofMillis(999));
    assertThat(machine.line(IRQ)).isFalse();
    machine.advance(Duration.ofMillis(1));
    assertThat(machine.line(IRQ)).isTrue();
    assertThat(read(C) & 0x90).isEqualTo(0x90);
  }

  @Test
  void the_alarm_comes_at_its_time_and_once() {
    write(1, 0x00);
    write(3, 0x10);
    write(5, 0x03);
    write(B, 0x22);
    machine.advance(Duration.ofSeconds(354));
    assertThat(machine.line(IRQ)).isFalse();
    machine.advance(Duration.ofSeconds(1));
    assertThat(machine.line(IRQ)).isTrue();
    assertThat(time()).endsWith("03:10:00");
    assertThat(read(C) & 0xA0).isEqualTo(0xA0);
    machine.advance(Duration.ofHours(23));
    assertThat(machine.line(IRQ)).isFalse();
    machine.advance(Duration.ofHours(1));
    assertThat(machine.line(IRQ)).isTrue();
  }

  @Test
  void an_alarm_register_from_0xc0_on_means_each() {
    write(1, 0x30);
    write(3, 0xFF);
    write(5, 0xC0);
    write(B, 0x22);
    machine.advance(Duration.ofSeconds(25));
    assertThat(read(C) & 0x20).isEqualTo(0x20);
    machine.advance(Duration.ofSeconds(60));
    assertThat(read(C) & 0x20).isEqualTo(0x20);
  }

  @Test
  void an_impossible_alarm_never_comes() {
    write(5, 0x77);
    write(B, 0x22);
    machine.advance(Duration.ofDays(3));
    assertThat(machine.edges(IRQ)).isZero();
  }

  @Test
  void cmos_tells_the_size_of_the_memory() {
    byte[] cmos;
    try (TestMachine large =
        TestMachine.builder()
            .ram(MemorySize.gibibytes(8))
            .device("rtc", new RtcFactory(), RtcConfig.DEFAULT)
            .build()) {
      cmos = (byte[]) large.state().get("memory");
    }
    assertThat(number(cmos, 0x15, 2)).as("KiB of base memory").isEqualTo(640);
    assertThat(number(cmos, 0x17, 2)).as("KiB above 1 MiB").isEqualTo(0xFFFF);
    assertThat(number(cmos, 0x30, 2)).isEqualTo(0xFFFF);
    assertThat(number(cmos, 0x34, 2)).as("64 KiB above 16 MiB").isEqualTo((3072 - 16) * 16);
    assertThat(number(cmos, 0x5B, 3)).as("64 KiB above 4 GiB").isEqualTo(5 * 1024 * 16);
  }

  private static int number(byte[] bytes, int at, int count) {
    int value = 0;
    for (int i = count - 1; i >= 0; i--) {
      value = value << 8 | bytes[at + i] & 0xFF;
    }
    return value;
  }

  @Test
  void the_nmi_bit_of_the_index_is_ignored() {
    write(0x8F, 0x5A);
    assertThat(read(0x0F)).isEqualTo(0x5A);
  }
}

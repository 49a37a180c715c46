package io.vmm4j.devices.acpipm;

import static io.vmm4j.devices.DeviceUnderTest.machineWith;
import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.VmExit;
import io.vmm4j.api.clock.VmClock;
import io.vmm4j.api.device.PlatformFact;
import io.vmm4j.testkit.TestMachine;
import java.time.Duration;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class AcpiPmTest {
  private static final int STATUS = 0x600;
  private static final int ENABLE = 0x602;
  private static final int CONTROL = 0x604;
  private static final int TIMER = 0x608;
  private static final int SCI = 9;
  private static final long HALF = 1L << 23;

  @AutoClose
  private final TestMachine machine =
      machineWith(new AcpiPmFactory(), new AcpiPmConfig(0x600, 9, 5, 0xCF9));

  private void tickTo(long tick) {
    long at = VmClock.ticksToNanos(tick, AcpiPm.FREQUENCY_HZ);
    machine.advance(Duration.ofNanos(at - machine.nanoTime()));
  }

  @Test
  void the_timer_counts_3579545_ticks_a_second_in_24_bits() {
    machine.advance(Duration.ofSeconds(1));
    assertThat(machine.in(TIMER, 4)).isEqualTo(3_579_545);
    machine.advance(Duration.ofSeconds(9));
    assertThat(machine.in(TIMER, 4)).isEqualTo(35_795_450 & 0xFF_FFFF);
  }

  @Test
  void a_change_of_its_highest_bit_sets_the_status_and_asks_for_an_sci_if_enabled() {
    machine.out(ENABLE, 2, 1);
    tickTo(HALF - 1);
    assertThat(machine.in(STATUS, 2)).isZero();
    assertThat(machine.line(SCI)).isFalse();
    tickTo(HALF);
    assertThat(machine.line(SCI)).isTrue();
    assertThat(machine.in(STATUS, 2)).isEqualTo(1);
    machine.out(STATUS, 2, 1);
    assertThat(machine.line(SCI)).isFalse();
    tickTo(2 * HALF);
    assertThat(machine.line(SCI)).as("when it falls too").isTrue();
  }

  @Test
  void without_enable_the_status_is_set_and_no_sci_comes() {
    tickTo(HALF);
    assertThat(machine.in(STATUS, 2)).isEqualTo(1);
    assertThat(machine.edges(SCI)).isZero();
    assertThat(machine.firings()).isZero();
  }

  @Test
  void the_power_button_sets_its_status_and_asks_for_an_sci_if_enabled() {
    machine.pressPowerButton();
    assertThat(machine.in(STATUS, 2)).isEqualTo(0x100);
    assertThat(machine.line(SCI)).as("while it is not enabled").isFalse();
    machine.out(ENABLE, 2, 0x100);
    assertThat(machine.line(SCI)).isTrue();
    machine.out(STATUS, 2, 0x100);
    assertThat(machine.line(SCI)).as("once it is acknowledged").isFalse();
    machine.pressPowerButton();
    assertThat(machine.line(SCI)).isTrue();
    assertThat(machine.exits()).as("it only asks").isEmpty();
  }

  @Test
  void acpi_mode_is_always_on() {
    machine.out(CONTROL, 2, 0);
    assertThat(machine.in(CONTROL, 2)).isEqualTo(1);
  }

  @Test
  void soft_off_needs_its_sleep_type_and_sleep_enable() {
    machine.out(CONTROL, 2, 5 << 10);
    machine.out(CONTROL, 2, 3 << 10 | 1 << 13);
    assertThat(machine.exits()).isEmpty();
    machine.out(CONTROL, 2, 5 << 10 | 1 << 13);
    assertThat(machine.exits()).containsExactly(new VmExit.PoweredOff());
    assertThat(machine.in(CONTROL, 2) & 1 << 13).as("SLP_EN is write-only").isZero();
  }

  /** The power-off that kernels write who read no tables, as in QEMU's machines. */
  @Test
  void by_default_soft_off_is_sleep_type_0() {
    TestMachine usual = machineWith(new AcpiPmFactory(), AcpiPmConfig.DEFAULT);
    usual.out(CONTROL, 2, 0x2000);
    assertThat(usual.exits()).containsExactly(new VmExit.PoweredOff());
  }

  @Test
  void the_high_byte_alone_switches_off() {
    machine.out8(CONTROL + 1, 5 << 2 | 1 << 5);
    assertThat(machine.exits()).containsExactly(new VmExit.PoweredOff());
  }

  @Test
  void the_reset_register_resets_with_bit_2() {
    machine.out8(0xCF9, 0x02);
    assertThat(machine.exits()).isEmpty();
    machine.out8(0xCF9, 0x06);
    assertThat(machine.exits())
        .containsExactly(new VmExit.Reset(VmExit.Reset.Cause.RESET_CONTROL_REGISTER));
  }

  @Test
  void it_is_described_with_an_sci_that_is_level_triggered_and_active_high() {
    assertThat(machine.facts())
        .containsExactly(
            new PlatformFact.PowerManagement(0x600, 0x604, 0x608, 9, 5),
            new PlatformFact.PowerButton(),
            new PlatformFact.ResetRegister(0xCF9, 6),
            new PlatformFact.InterruptOverride(9, 9, false, true));
  }
}

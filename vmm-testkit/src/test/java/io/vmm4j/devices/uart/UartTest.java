package io.vmm4j.devices.uart;

import static io.vmm4j.devices.DeviceUnderTest.machineWith;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.device.PlatformFact;
import io.vmm4j.testkit.TestMachine;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class UartTest {
  private static final int DATA = 0x3F8;
  private static final int IER = 0x3F9;
  private static final int IIR = 0x3FA;
  private static final int FCR = 0x3FA;
  private static final int LCR = 0x3FB;
  private static final int MCR = 0x3FC;
  private static final int LSR = 0x3FD;
  private static final int MSR = 0x3FE;
  private static final int IRQ = 4;
  private static final Duration LONG_ENOUGH = Duration.ofMillis(100);

  @AutoClose private final TestMachine machine = machineWith(new UartFactory(), Uart.com1());

  private String readAll() {
    StringBuilder text = new StringBuilder();
    while ((machine.in8(LSR) & 1) != 0) {
      text.append((char) machine.in8(DATA));
    }
    return text.toString();
  }

  @Test
  void what_the_guest_writes_is_transmitted_at_once() {
    machine.out8(DATA, 'o');
    machine.out8(DATA, 'k');
    assertThat(machine.output()).isEqualTo("ok");
    assertThat(machine.in8(LSR)).isEqualTo(0x60);
  }

  @Test
  void when_nothing_waits_a_read_gives_the_last_character_again() {
    assertThat(machine.in8(DATA)).as("after reset").isZero();
    machine.send("ab");
    assertThat(readAll()).isEqualTo("ab");
    assertThat(machine.in8(DATA)).isEqualTo('b');
    assertThat(machine.in8(LSR) & 1).isZero();
  }

  @Test
  void drivers_find_a_16550a() {
    // As Linux 8250_port.c autoconfig().
    machine.out8(IER, 0x00);
    assertThat(machine.in8(IER)).isZero();
    machine.out8(IER, 0xFF);
    assertThat(machine.in8(IER)).isEqualTo(0x0F);
    machine.out8(IER, 0x00);
    machine.out8(MCR, 0x1A);
    assertThat(machine.in8(MSR) & 0xF0).isEqualTo(0x90);
    machine.out8(MCR, 0x00);
    machine.out8(FCR, 0x01);
    assertThat(machine.in8(IIR) >> 6).isEqualTo(3);
    machine.out8(0x3FF, 0xA5);
    assertThat(machine.in8(0x3FF)).isEqualTo(0xA5);
  }

  @Test
  void the_divisor_latch_hides_data_and_interrupt_enable() {
    machine.out8(LCR, 0x83);
    machine.out8(DATA, 0x34);
    machine.out8(IER, 0x12);
    assertThat(machine.in8(DATA)).isEqualTo(0x34);
    assertThat(machine.in8(IER)).isEqualTo(0x12);
    machine.out8(LCR, 0x03);
    assertThat(machine.in8(IER)).isZero();
    assertThat(machine.output()).isEmpty();
  }

  @Test
  void no_input_is_lost_however_much_comes() {
    machine.out8(FCR, 0x01);
    String text = "0123456789".repeat(100);
    machine.send(text);
    assertThat(readAll()).isEqualTo(text);
    machine.out8(FCR, 0x00);
    machine.send(text);
    assertThat(readAll()).isEqualTo(text);
    assertThat(machine.in8(LSR) & 0x02).as("overrun").isZero();
  }

  /**
   * As Linux's driver has it: it reads while there is something, at most 512 times 256 characters,
   * and is called again by the next edge alone.
   */
  @Test
  void a_driver_that_is_called_by_edges_gets_all_input_however_much_comes() {
    // given
    machine.out8(FCR, 0x81);
    machine.out8(IER, 0x01);
    String text = "0123456789".repeat(20_000);

    // when
    StringBuilder read = new StringBuilder();
    int edges = machine.edges(IRQ);
    machine.send(text);
    while (machine.edges(IRQ) != edges) {
      edges = machine.edges(IRQ);
      int passes = 0;
      for (int in = 0; (machine.in8(LSR) & 1) != 0 && passes < 512; in++) {
        read.append((char) machine.in8(DATA));
        passes += in % 256 == 255 ? 1 : 0;
      }
      machine.advance(LONG_ENOUGH);
    }

    // then
    assertThat(read.toString()).isEqualTo(text);
  }

  @Test
  void the_line_falls_between_batches_and_rests_twice_as_long_as_reading_took() {
    machine.out8(FCR, 0x01);
    machine.out8(IER, 0x01);
    machine.send("0123456789ABCDEFthe rest");
    int edges = machine.edges(IRQ);
    for (int i = 0; i < 16; i++) {
      machine.advance(Duration.ofNanos(1_000));
      machine.in8(DATA);
    }
    assertThat(machine.line(IRQ)).isFalse();
    assertThat(machine.in8(LSR) & 1).as("data ready").isZero();
    machine.advance(Duration.ofNanos(31_999));
    assertThat(machine.line(IRQ)).isFalse();
    machine.advance(Duration.ofNanos(1));
    assertThat(machine.edges(IRQ)).isEqualTo(edges + 1);
    assertThat(readAll()).isEqualTo("the rest");
  }

  @Test
  void a_character_that_was_left_unread_for_long_holds_the_next_ones_up_for_short() {
    machine.out8(FCR, 0x01);
    machine.send("a");
    machine.advance(Duration.ofHours(1));
    machine.in8(DATA);
    machine.send("b");
    machine.advance(Duration.ofMillis(10));
    assertThat(readAll()).isEqualTo("b");
  }

  @ParameterizedTest
  @CsvSource({"0x01, 1", "0x41, 4", "0x81, 8", "0xC1, 14"})
  void received_data_interrupts_at_the_trigger_level(String control, int level) {
    machine.out8(FCR, Integer.decode(control));
    machine.out8(IER, 0x01);
    machine.send("x".repeat(level - 1));
    assertThat(machine.line(IRQ)).isFalse();
    machine.send("x");
    assertThat(machine.line(IRQ)).isTrue();
    assertThat(machine.in8(IIR)).isEqualTo(0xC4);
    machine.in8(DATA);
    assertThat(machine.line(IRQ)).isFalse();
  }

  @Test
  void characters_below_the_trigger_level_interrupt_after_four_character_times() {
    machine.out8(LCR, 0x83);
    machine.out8(DATA, 1);
    machine.out8(IER, 0);
    machine.out8(LCR, 0x03);
    machine.out8(FCR, 0xC1);
    machine.out8(IER, 0x01);
    machine.send("ab");
    machine.advance(Duration.ofNanos(347_221));
    assertThat(machine.line(IRQ)).isFalse();
    machine.advance(Duration.ofNanos(2));
    assertThat(machine.line(IRQ)).isTrue();
    assertThat(machine.in8(IIR)).isEqualTo(0xCC);
    machine.in8(DATA);
    assertThat(machine.line(IRQ)).as("a read ends it").isFalse();
    machine.advance(LONG_ENOUGH);
    assertThat(machine.line(IRQ)).as("and begins it anew for the rest").isTrue();
    machine.in8(DATA);
    machine.advance(LONG_ENOUGH);
    assertThat(machine.line(IRQ)).isFalse();
  }

  @Test
  void transmitter_empty_interrupts_when_enabled_and_after_each_character() {
    machine.out8(IER, 0x02);
    assertThat(machine.line(IRQ)).isTrue();
    assertThat(machine.in8(IIR)).isEqualTo(0x02);
    assertThat(machine.line(IRQ)).as("reading IIR ends it").isFalse();
    assertThat(machine.in8(IIR)).isEqualTo(0x01);
    machine.out8(DATA, 'x');
    assertThat(machine.line(IRQ)).isTrue();
    int edges = machine.edges(IRQ);
    machine.out8(DATA, 'y');
    assertThat(machine.edges(IRQ)).as("each character is an edge").isEqualTo(edges + 1);
    machine.out8(IER, 0x00);
    machine.in8(IIR);
    machine.out8(IER, 0x02);
    assertThat(machine.line(IRQ)).as("enabling raises it again").isTrue();
  }

  @Test
  void interrupts_are_identified_by_priority() {
    machine.out8(IER, 0x0F);
    machine.out8(MCR, 0x10);
    machine.out8(DATA, 'a');
    machine.out8(DATA, 'b');
    assertThat(machine.in8(IIR)).as("overrun").isEqualTo(0x06);
    assertThat(machine.in8(LSR) & 0x03).isEqualTo(0x03);
    assertThat(machine.in8(IIR)).as("received").isEqualTo(0x04);
    assertThat(machine.in8(DATA)).isEqualTo('b');
    assertThat(machine.in8(IIR)).as("transmitter empty").isEqualTo(0x02);
    assertThat(machine.in8(IIR)).as("modem").isEqualTo(0x00);
    machine.in8(MSR);
    assertThat(machine.in8(IIR)).isEqualTo(0x01);
  }

  @Test
  void loopback_connects_outputs_with_inputs_and_keeps_the_host_out() {
    machine.out8(MCR, 0x10);
    machine.in8(MSR);
    machine.send("host");
    machine.out8(DATA, 'x');
    assertThat(machine.in8(DATA)).isEqualTo('x');
    assertThat(machine.output()).isEmpty();
    machine.out8(MCR, 0x1F);
    assertThat(machine.in8(MSR)).isEqualTo(0xFB);
    machine.out8(MCR, 0x1B);
    assertThat(machine.in8(MSR)).as("RI ends: TERI").isEqualTo(0xB4);
    machine.out8(MCR, 0x00);
    assertThat(readAll()).isEqualTo("host");
  }

  @Test
  void a_break_in_loopback_is_received_as_a_zero_with_its_flag() {
    machine.out8(FCR, 0x01);
    machine.out8(MCR, 0x10);
    machine.out8(LCR, 0x43);
    assertThat(machine.in8(LSR) & 0x91).isEqualTo(0x91);
    assertThat(machine.in8(LSR) & 0x91).as("read once").isEqualTo(0x01);
    assertThat(machine.in8(DATA)).isZero();
  }

  @Test
  void clearing_the_receiver_drops_what_it_holds_and_takes_what_waits() {
    machine.out8(FCR, 0x01);
    machine.send("0123456789ABCDEFrest");
    machine.out8(FCR, 0x03);
    assertThat(readAll()).isEqualTo("rest");
  }

  @Test
  void it_is_described_for_the_dsdt() {
    assertThat(machine.facts())
        .containsExactly(
            new PlatformFact.FixedDevice(
                "COM1",
                "PNP0501",
                List.of(new PlatformFact.PortRange(0x3F8, 8)),
                List.of(),
                List.of(4)));
  }

  @Test
  void a_port_out_of_range_is_refused_by_name() {
    assertThatThrownBy(() -> new UartConfig(0xFFFC, 4)).hasMessageContaining("port");
    assertThatThrownBy(() -> new UartConfig(0x3F8, 24)).hasMessageContaining("irq");
  }
}

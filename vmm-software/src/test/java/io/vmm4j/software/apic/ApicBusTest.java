package io.vmm4j.software.apic;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.software.TestHost;
import io.vmm4j.software.cpu.Cpu;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Messages between several local APICs (SDM volume 3, 11.6.2). */
class ApicBusTest {
  private static final long MESSAGE = 0xFEE0_0000L;
  private static final int LOGICAL = 4;
  private static final int LOWEST_PRIORITY = 0x100;

  private final TestHost host = new TestHost();
  private final ApicBus bus = new ApicBus();
  private final List<Cpu> cpus =
      IntStream.range(0, 4).mapToObj(index -> new Cpu(index, host)).toList();

  @BeforeEach
  void enableAll() {
    for (Cpu cpu : cpus) {
      cpu.system.powerOn();
      bus.add(cpu.apic);
      cpu.apic.writeMmio(0xF0, 4, 0x1FF);
      cpu.apic.writeMmio(0xD0, 4, 1L << 24 + cpu.apic.id());
    }
  }

  /** Which of them have an interrupt, which is acknowledged. */
  private List<Integer> takers() {
    List<Cpu> takers = cpus.stream().filter(cpu -> cpu.apic.hasInterrupt()).toList();
    takers.forEach(cpu -> {
      cpu.apic.acknowledge();
      cpu.apic.writeMmio(0xB0, 4, 0);
    });
    return takers.stream().map(cpu -> cpu.apic.id()).toList();
  }

  @Test
  void aMessageReachesTheApicOfItsPhysicalDestination() {
    bus.deliverMessage(MESSAGE | 2 << 12, 0x41);
    assertThat(takers()).containsExactly(2);
    bus.deliverMessage(MESSAGE | 9 << 12, 0x41);
    assertThat(takers()).isEmpty();
    bus.deliverMessage(MESSAGE | 0xFF << 12, 0x41);
    assertThat(takers()).containsExactly(0, 1, 2, 3);
  }

  @Test
  void aLogicalDestinationMeansAllOfWhichABitIsSet() {
    bus.deliverMessage(MESSAGE | 0b1010 << 12 | LOGICAL, 0x41);
    assertThat(takers()).containsExactly(1, 3);

    cpus.forEach(cpu -> cpu.apic.writeMmio(0xE0, 4, 0x0FFF_FFFF));
    cpus.get(3).apic.writeMmio(0xD0, 4, 0x1800_0000);
    bus.deliverMessage(MESSAGE | 0b1111 << 12 | LOGICAL, 0x41);
    assertThat(takers()).as("cluster 0").containsExactly(0, 1, 2);
    bus.deliverMessage(MESSAGE | 0x18 << 12 | LOGICAL, 0x41);
    assertThat(takers()).as("cluster 1").containsExactly(3);
  }

  @Test
  void theLowestPriorityTakesTheMessage() {
    cpus.get(0).apic.writeMmio(0x80, 4, 0x30);
    cpus.get(1).apic.writeMmio(0x80, 4, 0x30);
    cpus.get(2).apic.writeMmio(0x80, 4, 0x10);

    bus.deliverMessage(MESSAGE | 0b0111 << 12 | LOGICAL, LOWEST_PRIORITY | 0x41);
    assertThat(takers()).containsExactly(2);

    cpus.get(2).apic.writeMmio(0xF0, 4, 0xFF);
    bus.deliverMessage(MESSAGE | 0b0111 << 12 | LOGICAL, LOWEST_PRIORITY | 0x41);
    assertThat(takers()).as("one that is disabled takes nothing").containsExactly(0);
  }

  @Test
  void shorthandsMeanOneselfAllAndAllOthers() {
    LocalApic sender = cpus.get(1).apic;
    sender.writeMmio(0x300, 4, 0x4_4041);
    assertThat(takers()).containsExactly(1);
    sender.writeMmio(0x300, 4, 0x8_4041);
    assertThat(takers()).containsExactly(0, 1, 2, 3);
    sender.writeMmio(0x300, 4, 0xC_4041);
    assertThat(takers()).containsExactly(0, 2, 3);
  }

  @Test
  void x2ApicsAreReachedByIdAndByCluster() {
    for (Cpu cpu : cpus) {
      assertThat(cpu.apic.writeBase(cpu.apic.base() | 1 << 10)).isTrue();
    }
    LocalApic sender = cpus.get(0).apic;
    sender.writeMsr(0x830, 3L << 32 | 0x4041);
    assertThat(cpus.get(3).apic.hasInterrupt()).isTrue();
    assertThat(cpus.get(1).apic.hasInterrupt()).isFalse();

    sender.writeMsr(0x830, 0b0110L << 32 | 0x4841);
    assertThat(cpus.get(1).apic.hasInterrupt()).isTrue();
    assertThat(cpus.get(2).apic.hasInterrupt()).isTrue();
    assertThat(sender.hasInterrupt()).isFalse();
  }

  @Test
  void initUndoesAStartupThatHasNotBeenActedUpon() {
    LocalApic sender = cpus.get(0).apic;
    sender.writeMmio(0x300, 4, 0xC_4610);
    assertThat(cpus.get(1).signals() & Cpu.SIGNAL_STARTUP).isNotZero();
    sender.writeMmio(0x300, 4, 0xC_4500);
    assertThat(cpus.get(1).signals() & Cpu.SIGNAL_STARTUP).isZero();
    assertThat(cpus.get(1).signals() & Cpu.SIGNAL_INIT).isNotZero();
  }
}

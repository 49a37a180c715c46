package io.vmm4j.software.apic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.software.TestHost;
import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.CpuFault;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The local APIC: Intel SDM volume 3, chapter 11. */
class LocalApicTest {
  private static final long BASE = 0xFEE00000L;

  private final TestHost host = new TestHost();
  private final Cpu cpu = new Cpu(0, host);
  private final LocalApic apic = cpu.apic;
  private final ApicBus bus = new ApicBus();

  @BeforeEach
  void enable() {
    cpu.system.powerOn();
    bus.add(apic);
    write(0xF0, 0x1FF);
  }

  private void write(int offset, int value) {
    apic.writeMmio(offset, 4, value);
  }

  private int read(int offset) {
    return (int) apic.readMmio(offset, 4);
  }

  private void message(int vector) {
    bus.deliverMessage(BASE, vector);
  }

  @Test
  void higherPriorityInterruptsComeFirst() {
    message(0x31);
    message(0x52);

    assertThat(cpu.signals() & Cpu.SIGNAL_INTERRUPT).isNotZero();
    assertThat(apic.acknowledge()).isEqualTo(0x52);
    assertThat(apic.hasInterrupt()).isFalse();
    assertThat(read(0xA0)).isEqualTo(0x50);
    write(0xB0, 0);
    assertThat(apic.acknowledge()).isEqualTo(0x31);
  }

  @Test
  void taskPriorityHoldsInterruptsOfItsClassBack() {
    apic.setTaskPriority(0x50);
    message(0x5F);
    assertThat(apic.hasInterrupt()).isFalse();

    apic.setTaskPriority(0x40);
    assertThat(apic.hasInterrupt()).isTrue();
  }

  @Test
  void endOfALevelTriggeredInterruptIsToldToTheMachine() {
    bus.deliverMessage(BASE, 0x8000 | 0x61);
    message(0x41);
    apic.acknowledge();
    write(0xB0, 0);
    apic.acknowledge();
    write(0xB0, 0);

    assertThat(host.endedInterrupts).containsExactly(0x61);
  }

  @Test
  void messagesForOtherApicsAreNotTaken() {
    bus.deliverMessage(BASE | 1 << 12, 0x41);
    assertThat(apic.hasInterrupt()).isFalse();

    write(0xD0, 0x02000000);
    bus.deliverMessage(BASE | 1 << 12 | 4, 0x41);
    assertThat(apic.hasInterrupt()).isFalse();
    bus.deliverMessage(BASE | 2 << 12 | 4, 0x41);
    assertThat(apic.hasInterrupt()).isTrue();
  }

  @Test
  void clusterModelComparesTheClusterAndTheMember() {
    write(0xE0, 0x0FFFFFFF);
    write(0xD0, 0x31000000);

    bus.deliverMessage(BASE | 0x21 << 12 | 4, 0x41);
    assertThat(apic.hasInterrupt()).isFalse();
    bus.deliverMessage(BASE | 0x33 << 12 | 4, 0x41);
    assertThat(apic.hasInterrupt()).isTrue();
  }

  @Test
  void softwareDisabledApicTakesNothingAndMasksItsVectorTable() {
    write(0x320, 0x40);
    write(0xF0, 0xFF);
    message(0x41);

    assertThat(apic.hasInterrupt()).isFalse();
    assertThat(read(0x320)).isEqualTo(0x10040);
    write(0x320, 0x40);
    assertThat(read(0x320)).isEqualTo(0x10040);
  }

  @Test
  void externalPinPassesThroughLint0() {
    apic.setExternalInterrupt(true);
    assertThat(apic.hasInterrupt()).isTrue();
    assertThat(apic.acknowledge()).isEqualTo(0x20);

    write(0x350, 0x10700);
    assertThat(apic.hasInterrupt()).isFalse();
    assertThat(apic.acknowledge()).isEqualTo(-1);
  }

  @Test
  void disabledApicPassesThePinAndLeavesItsPage() {
    write(0x350, 0x10700);
    assertThat(apic.claims(BASE + 0x20)).isTrue();

    assertThat(apic.writeBase(BASE | 0x100)).isTrue();
    apic.setExternalInterrupt(true);

    assertThat(apic.claims(BASE + 0x20)).isFalse();
    assertThat(apic.hasInterrupt()).isTrue();
  }

  @Test
  void oneShotTimerFiresOnceAndCountsDown() {
    write(0x3E0, 0xB); // divided by 1
    write(0x320, 0x40);
    write(0x380, 1000);

    host.advance(400);
    assertThat(read(0x390)).isEqualTo(600);
    assertThat(apic.hasInterrupt()).isFalse();
    host.advance(600);
    assertThat(apic.acknowledge()).isEqualTo(0x40);
    write(0xB0, 0);
    host.advance(5000);
    assertThat(apic.hasInterrupt()).isFalse();
    assertThat(read(0x390)).isZero();
  }

  @Test
  void dividedTimerCountsAtTheEndOfEachDivision() {
    write(0x3E0, 0x2); // divided by 8
    write(0x320, 0x40);
    write(0x380, 2);

    for (int ticks = 0; ticks < 16; ticks++) {
      assertThat(read(0x390)).as("after %d ticks", ticks).isEqualTo(ticks < 8 ? 2 : 1);
      assertThat(apic.hasInterrupt()).isFalse();
      host.advance(1);
    }
    assertThat(read(0x390)).isZero();
    assertThat(apic.hasInterrupt()).isTrue();
  }

  @Test
  void periodicTimerReloads() {
    write(0x3E0, 0); // divided by 2
    write(0x320, 0x20040);
    write(0x380, 500);

    for (int i = 0; i < 3; i++) {
      host.advance(999);
      assertThat(apic.hasInterrupt()).isFalse();
      host.advance(1);
      assertThat(apic.acknowledge()).isEqualTo(0x40);
      write(0xB0, 0);
    }
    write(0x380, 0);
    host.advance(10000);
    assertThat(apic.hasInterrupt()).isFalse();
  }

  @Test
  void tscDeadlineFiresWhenTheCounterGetsThere() {
    write(0x320, 0x40040);
    apic.setTscDeadline(5000);
    assertThat(apic.tscDeadline()).isEqualTo(5000);

    host.advance(4999);
    assertThat(apic.hasInterrupt()).isFalse();
    host.advance(1);
    assertThat(apic.acknowledge()).isEqualTo(0x40);
    assertThat(apic.tscDeadline()).isZero();
  }

  @Test
  void tscDeadlineOfThePastFiresAtOnce() {
    host.advance(5000);
    write(0x320, 0x40040);

    apic.setTscDeadline(5000);
    assertThat(apic.tscDeadline()).isZero();
    assertThat(apic.acknowledge()).isEqualTo(0x40);
  }

  @Test
  void aOneShotTimerThatHasExpiredStaysAtZeroWhenItBecomesPeriodic() {
    write(0x3E0, 0xB);
    write(0x320, 0x41);
    write(0x380, 1000);
    host.passUnnoticed(1500); // no timer of the machine has run yet

    write(0x320, 0x20042);
    assertThat(read(0x390)).isZero();
    host.advance(500);
    assertThat(read(0x390)).isZero();
    assertThat(apic.acknowledge()).isEqualTo(0x41);
    assertThat(apic.hasInterrupt()).isFalse();
  }

  @Test
  void tscDeadlineFollowsWritesOfTheCounter() {
    write(0x320, 0x40040);
    apic.setTscDeadline(5000);
    cpu.system.msrs.write(0x10, 4000);

    host.advance(999);
    assertThat(apic.hasInterrupt()).isFalse();
    host.advance(1);
    assertThat(apic.hasInterrupt()).isTrue();
  }

  @Test
  void transitionsBetweenModesThatDoNotExistAreRefused() {
    assertThat(apic.writeBase(BASE | 0x400)).isFalse();
    assertThat(apic.writeBase(BASE | 0xC00)).isTrue();
    assertThat(apic.writeBase(BASE | 0x800)).isFalse();
    assertThat(apic.writeBase(BASE)).isTrue();
    assertThat(apic.writeBase(BASE | 0xC00)).isFalse();
  }

  @Test
  void x2ApicRegistersAreMsrs() {
    assertThatThrownBy(() -> apic.readMsr(0x802)).isInstanceOf(CpuFault.class);
    apic.writeBase(BASE | 0xD00);
    apic.writeMsr(0x80F, 0x1FF);

    assertThat(apic.readMsr(0x802)).isZero();
    assertThat(apic.readMsr(0x80D)).isEqualTo(1);
    assertThatThrownBy(() -> apic.readMsr(0x80E)).isInstanceOf(CpuFault.class);
    assertThatThrownBy(() -> apic.readMsr(0x831)).isInstanceOf(CpuFault.class);
    assertThatThrownBy(() -> apic.readMsr(0x83F)).isInstanceOf(CpuFault.class);
    assertThatThrownBy(() -> apic.writeMsr(0x803, 0)).isInstanceOf(CpuFault.class);
    assertThatThrownBy(() -> apic.writeMsr(0x80B, 1)).isInstanceOf(CpuFault.class);

    apic.writeMsr(0x83F, 0x44);
    assertThat(apic.acknowledge()).isEqualTo(0x44);
    apic.writeMsr(0x80B, 0);
    apic.writeMsr(0x830, 0x45);
    assertThat(apic.acknowledge()).isEqualTo(0x45);
  }

  @Test
  void commandsReachOtherProcessors() {
    Cpu other = new Cpu(1, host);
    other.system.powerOn();
    bus.add(other.apic);
    other.apic.writeMmio(0xF0, 4, 0x1FF);

    write(0x310, 1 << 24);
    write(0x300, 0x4051);
    assertThat(other.apic.acknowledge()).isEqualTo(0x51);
    assertThat(apic.hasInterrupt()).isFalse();

    write(0x300, 0xC4500); // INIT, all but self
    assertThat(other.signals() & Cpu.SIGNAL_INIT).isNotZero();
    assertThat(cpu.signals() & Cpu.SIGNAL_INIT).isZero();
    write(0x300, 0xC4608);
    assertThat(other.apic.startupVector()).isEqualTo(8);
  }

  @Test
  void illegalVectorIsReportedWhenTheErrorRegisterIsWritten() {
    write(0x310, 0);
    write(0x300, 0x4005);
    assertThat(read(0x280)).isZero();

    write(0x280, 0);
    assertThat(read(0x280)).isEqualTo(0x20);
    write(0x280, 0);
    assertThat(read(0x280)).isZero();
  }

  @Test
  void stateComesBackWithARunningTimer() {
    write(0x3E0, 0xB);
    write(0x320, 0x20040);
    write(0x380, 1000);
    message(0x33);
    host.advance(300);

    Cpu twin = new Cpu(0, host);
    twin.apic.restore(apic.save());

    assertThat(twin.apic.save()).usingRecursiveComparison().isEqualTo(apic.save());
    assertThat(twin.apic.acknowledge()).isEqualTo(0x33);
    host.advance(700);
    assertThat(twin.apic.acknowledge()).isEqualTo(0x40);
  }

  @Test
  void stateHoldsErrorsThatNobodyHasReadYet() {
    write(0x300, 0x4005);

    Cpu twin = new Cpu(0, host);
    twin.apic.restore(apic.save());

    assertThat(twin.apic.readMmio(0x280, 4)).isZero();
    twin.apic.writeMmio(0x280, 4, 0);
    assertThat(twin.apic.readMmio(0x280, 4)).isEqualTo(0x20);
  }

  @Test
  void stateHoldsAnExternalInterruptMessageUnderWay() {
    bus.deliverMessage(0xFEE0_0000L, 0x700);

    Cpu twin = new Cpu(0, host);
    twin.apic.restore(apic.save());

    assertThat(twin.apic.hasInterrupt()).isTrue();
    twin.apic.acknowledge();
    assertThat(twin.apic.hasInterrupt()).isFalse();
  }
}

package io.vmm4j.software.system;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.CpuFault;
import io.vmm4j.software.cpu.Flags;
import org.junit.jupiter.api.Test;

/** Delivery of exceptions and interrupts: Intel SDM volume 3, chapter 6. */
class EventsTest {
  private static final int INTERRUPT_GATE = 0x8E;
  private static final int TRAP_GATE = 0x8F;
  private static final int USER_GATE = 0xEE;

  private static void fault(Guest g, int vector, int error) {
    try {
      throw g.cpu.raise(vector, error);
    } catch (CpuFault e) {
      Events.deliverFault(g.cpu);
    }
  }

  @Test
  void realModePushesThreeWordsAndNoErrorCode() {
    Guest g = Guest.real();
    g.interruptible();
    g.put32(13 * 4, 0x0100_0040);

    fault(g, Cpu.GP, 0);

    assertThat(g.cpu.seg[Cpu.CS].selector).isEqualTo(0x100);
    assertThat(g.cpu.rip).isEqualTo(0x40);
    assertThat(g.rsp()).isEqualTo(Guest.STACK0 - 6);
    assertThat(g.get16(Guest.STACK0 - 6)).isEqualTo(Guest.CODE);
    assertThat(g.get16(Guest.STACK0 - 2) & Flags.IF).isNotZero();
    assertThat(g.flag(Flags.IF)).isFalse();
  }

  @Test
  void interruptGateOfTheSameRingPushesErrorCodeAndClearsIf() {
    Guest g = Guest.protectedMode();
    g.interruptible();
    g.gate(Cpu.GP, Guest.CODE0, INTERRUPT_GATE, 0);
    long top = g.rsp();

    fault(g, Cpu.GP, 0x48);

    assertThat(g.cpu.rip).isEqualTo(Guest.HANDLER);
    assertThat(g.rsp()).isEqualTo(top - 16);
    assertThat(g.get32(top - 16)).isEqualTo(0x48);
    assertThat(g.get32(top - 12)).isEqualTo(Guest.CODE);
    assertThat(g.get32(top - 8)).isEqualTo(Guest.CODE0);
    assertThat(g.get32(top - 4)).isEqualTo(2 | Flags.IF | Flags.RF);
    assertThat(g.flag(Flags.IF)).isFalse();
  }

  @Test
  void trapGateKeepsIfAndInnerRingSwitchesStacks() {
    Guest g = Guest.protectedMode();
    g.interruptible();
    g.flat(3);
    g.gate(0x80, Guest.CODE0, TRAP_GATE, 0);

    Events.deliverInterrupt(g.cpu, 0x80);

    assertThat(g.cpu.cpl).isZero();
    assertThat(g.flag(Flags.IF)).isTrue();
    assertThat(g.rsp()).isEqualTo(Guest.STACK0 - 20);
    assertThat(g.get32(Guest.STACK0 - 4)).isEqualTo(Guest.DATA3 | 3);
    assertThat(g.get32(Guest.STACK0 - 8)).isEqualTo(Guest.STACK3);
    assertThat(g.get32(Guest.STACK0 - 16)).isEqualTo(Guest.CODE3 | 3);
    assertThat(g.cpu.seg[Cpu.SS].selector).isEqualTo(Guest.DATA0);
  }

  @Test
  void softwareInterruptLooksAtTheGatesPrivilege() {
    Guest g = Guest.protectedMode();
    g.flat(3);
    g.gate(0x80, Guest.CODE0, INTERRUPT_GATE, 0);
    g.gate(0x81, Guest.CODE0, USER_GATE, 0);

    assertThat(g.errorOf(Cpu.GP, () -> g.execute(0xCD, in -> in.imm = 0x80)))
        .isEqualTo(0x80 << 3 | 2);
    assertThat(g.rsp()).isEqualTo(Guest.STACK3);
    g.execute(0xCD, in -> in.imm = 0x81);
    assertThat(g.cpu.cpl).isZero();
  }

  @Test
  void absentGateIsNotPresentWithItsEntryAsErrorCode() {
    Guest g = Guest.protectedMode();
    g.gate(0x30, Guest.CODE0, 0x0E, 0);
    g.gate(Cpu.NP, Guest.CODE0, INTERRUPT_GATE, 0);

    Events.deliverInterrupt(g.cpu, 0x30);

    assertThat(g.cpu.rip).isEqualTo(Guest.HANDLER);
    assertThat(g.get32(g.rsp())).isEqualTo(0x30 << 3 | 2 | 1);
  }

  @Test
  void twoContributoryFaultsAreADoubleFaultAndAThirdShutsDown() {
    Guest g = Guest.protectedMode();
    g.gate(Cpu.DF, Guest.CODE0, INTERRUPT_GATE, 0);

    fault(g, Cpu.GP, 0); // its gate is missing: #GP again

    assertThat(g.cpu.rip).isEqualTo(Guest.HANDLER);
    assertThat(g.get32(g.rsp())).isZero();
    assertThat(g.cpu.shutdown).isFalse();

    g.gate(Cpu.DF, Guest.CODE0, 0x0E, 0);
    fault(g, Cpu.GP, 0);
    assertThat(g.cpu.shutdown).isTrue();
  }

  @Test
  void anInterruptIsNoExceptionWhateverItsVector() {
    Guest g = Guest.protectedMode();
    g.gate(Cpu.GP, Guest.CODE0, INTERRUPT_GATE, 0);

    Events.deliverInterrupt(g.cpu, Cpu.PF); // its gate is missing

    assertThat(g.get32(g.rsp())).isEqualTo(Cpu.PF << 3 | 2 | 1);
  }

  @Test
  void aFaultAfterABenignExceptionIsDeliveredInItsPlace() {
    Guest g = Guest.protectedMode();
    g.gate(Cpu.GP, Guest.CODE0, INTERRUPT_GATE, 0);

    try {
      throw g.cpu.raise(Cpu.UD);
    } catch (CpuFault e) {
      Events.deliverFault(g.cpu);
    }

    assertThat(g.cpu.rip).isEqualTo(Guest.HANDLER);
    assertThat(g.get32(g.rsp())).isEqualTo(Cpu.UD << 3 | 2 | 1);
  }

  @Test
  void longModePushesFiveQuadwordsOnAnAlignedStack() {
    Guest g = Guest.longMode();
    g.gate(0x40, Guest.CODE0, INTERRUPT_GATE, 0);
    g.cpu.gpr[Cpu.RSP] = Guest.STACK0 - 3;

    Events.deliverInterrupt(g.cpu, 0x40);

    long frame = (Guest.STACK0 - 3 & ~15) - 40;
    assertThat(g.rsp()).isEqualTo(frame);
    assertThat(g.get64(frame)).isEqualTo(Guest.CODE);
    assertThat(g.get64(frame + 8)).isEqualTo(Guest.CODE0);
    assertThat(g.get64(frame + 24)).isEqualTo(Guest.STACK0 - 3);
    assertThat(g.get64(frame + 32)).isEqualTo(Guest.DATA0);
    assertThat(g.cpu.seg[Cpu.SS].selector).isEqualTo(Guest.DATA0);
  }

  @Test
  void longModeUsesTheInterruptStackTableEvenInTheSameRing() {
    Guest g = Guest.longMode();
    g.gate(2, Guest.CODE0, INTERRUPT_GATE, 1);

    Events.deliverNmi(g.cpu);

    assertThat(g.rsp()).isEqualTo(Guest.STACK_IST - 40);
    assertThat(g.cpu.nmiBlocked).isTrue();
    g.execute(0xCF, in -> in.operandSize = 8);
    assertThat(g.cpu.nmiBlocked).isFalse();
    assertThat(g.cpu.rip).isEqualTo(Guest.CODE);
  }

  @Test
  void longModeToRing0LoadsANullStackSegment() {
    Guest g = Guest.longMode();
    g.flat(3);
    g.gate(0x40, Guest.CODE0, INTERRUPT_GATE, 0);

    Events.deliverInterrupt(g.cpu, 0x40);

    assertThat(g.cpu.cpl).isZero();
    assertThat(g.cpu.seg[Cpu.SS].selector).isZero();
    assertThat(g.cpu.seg[Cpu.SS].unusable()).isTrue();
    assertThat(g.rsp()).isEqualTo(Guest.STACK0 - 40);

    g.execute(0xCF, in -> in.operandSize = 8);
    assertThat(g.cpu.cpl).isEqualTo(3);
    assertThat(g.cpu.seg[Cpu.SS].selector).isEqualTo(Guest.DATA3 | 3);
    assertThat(g.rsp()).isEqualTo(Guest.STACK3);
  }

  @Test
  void pageFaultOnTheHandlersStackIsADoubleFault() {
    Guest g = Guest.longMode();
    g.gate(Cpu.PF, Guest.CODE0, INTERRUPT_GATE, 0);
    g.gate(Cpu.DF, Guest.CODE0, INTERRUPT_GATE, 1);
    g.cpu.gpr[Cpu.RSP] = 0x4000_0000; // not mapped
    g.cpu.cr2 = 0;

    fault(g, Cpu.PF, 2);

    assertThat(g.rsp()).isEqualTo(Guest.STACK_IST - 48);
    assertThat(g.cpu.cr2).isEqualTo(0x4000_0000 - 8);
  }

  @Test
  void debugTrapSetsDr6AndClearsTf() {
    Guest g = Guest.longMode();
    g.gate(Cpu.DB, Guest.CODE0, INTERRUPT_GATE, 0);
    g.cpu.systemFlags |= Flags.TF;

    Events.deliverDebugTrap(g.cpu, 1 << 14);

    assertThat(g.cpu.dr[4]).isEqualTo(0xFFFF4FF0L);
    assertThat(g.flag(Flags.TF)).isFalse();
    assertThat(g.get64(g.rsp() + 16) & Flags.TF).isNotZero();
  }

  @Test
  void int1TakesTheTrapsAlongThatMovSsHeldBack() {
    Guest g = Guest.longMode();
    g.gate(Cpu.DB, Guest.CODE0, INTERRUPT_GATE, 0);
    g.cpu.pendingDebug = 2;

    g.execute(0xF1);

    assertThat(g.cpu.rip).isEqualTo(Guest.HANDLER);
    assertThat(g.cpu.dr[4]).isEqualTo(0xFFFF0FF2L);
    assertThat(g.cpu.pendingDebug).isZero();
    assertThat(g.cpu.handlerEntered).isTrue();
  }

  @Test
  void interruptFromVirtual8086ModeSavesTheDataSegments() {
    Guest g = Guest.protectedMode();
    g.gate(0x30, Guest.CODE0, INTERRUPT_GATE, 0);
    long frame = Guest.STACK0 - 0x40;
    int[] image = {0x10, 0x700, 2 | Flags.VM, 0x100, 0x600, 0x11, 0x22, 0x33, 0x44};
    for (int i = 0; i < image.length; i++) {
      g.put32(frame + 4 * i, image[i]);
    }
    g.cpu.gpr[Cpu.RSP] = frame;
    g.execute(0xCF);
    assertThat(g.flag(Flags.VM)).isTrue();
    assertThat(g.cpu.seg[Cpu.DS].base).isEqualTo(0x220);
    assertThat(g.cpu.codeSize).isEqualTo(2);

    Events.deliverInterrupt(g.cpu, 0x30);

    assertThat(g.flag(Flags.VM)).isFalse();
    assertThat(g.rsp()).isEqualTo(Guest.STACK0 - 36);
    assertThat(g.get32(Guest.STACK0 - 4)).isEqualTo(0x44);
    assertThat(g.get32(Guest.STACK0 - 12)).isEqualTo(0x22);
    assertThat(g.get32(Guest.STACK0 - 20)).isEqualTo(0x600);
    assertThat(g.cpu.seg[Cpu.DS].unusable()).isTrue();
  }
}

package io.vmm4j.software.system;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Flags;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Far JMP, CALL, RET and IRET: Intel SDM volume 2, and volume 3, 5.8. */
class FarTransfersTest {
  private static final int GATE = Guest.FREE;

  private static void callGate(Guest g, int selector, int dpl, int parameters) {
    long access = 0x8C | dpl << 5;
    g.put64(
        Guest.GDT + GATE,
        Guest.HANDLER | (long) selector << 16 | (long) parameters << 32 | access << 40);
  }

  private static void call(Guest g, int selector, long offset) {
    g.execute(
        0x9A,
        in -> {
          in.imm2 = selector;
          in.imm = offset;
        });
  }

  private static void jump(Guest g, int selector, long offset) {
    g.execute(
        0xEA,
        in -> {
          in.imm2 = selector;
          in.imm = offset;
        });
  }

  @Test
  void jumpInRealModeLoadsAParagraph() {
    Guest g = Guest.real();

    jump(g, 0x1000, 0x20);

    assertThat(g.cpu.seg[Cpu.CS].base).isEqualTo(0x10000);
    assertThat(g.cpu.rip).isEqualTo(0x20);
  }

  @Test
  void jumpChecksTheCodeSegment() {
    Guest g = Guest.protectedMode();

    assertThat(g.errorOf(Cpu.GP, () -> jump(g, 0, 0))).isZero();
    assertThat(g.errorOf(Cpu.GP, () -> jump(g, Guest.DATA0, 0))).isEqualTo(Guest.DATA0);
    assertThat(g.errorOf(Cpu.GP, () -> jump(g, Guest.CODE3, 0))).isEqualTo(Guest.CODE3);
    assertThat(g.errorOf(Cpu.GP, () -> jump(g, Guest.OUTSIDE, 0))).isEqualTo(Guest.OUTSIDE);
    g.put64(Guest.GDT + Guest.FREE, 0x0040_9A00_0000_0FFFL);
    assertThat(g.errorOf(Cpu.GP, () -> jump(g, Guest.FREE, 0x1000))).isZero();
    assertThat(g.cpu.seg[Cpu.CS].selector).isEqualTo(Guest.CODE0);
  }

  @Test
  void conformingCodeKeepsThePrivilege() {
    Guest g = Guest.protectedMode();
    g.flat(3);

    jump(g, Guest.CONFORMING, 0x5000);

    assertThat(g.cpu.cpl).isEqualTo(3);
    assertThat(g.cpu.seg[Cpu.CS].selector).isEqualTo(Guest.CONFORMING | 3);
    assertThat(g.cpu.rip).isEqualTo(0x5000);
  }

  @Test
  void callGateToAnInnerRingSwitchesStacksAndCopiesParameters() {
    Guest g = Guest.protectedMode();
    g.flat(3);
    callGate(g, Guest.CODE0, 3, 2);
    g.put32(Guest.STACK3, 0x11111111);
    g.put32(Guest.STACK3 + 4, 0x22222222);

    call(g, GATE | 3, 0);

    assertThat(g.cpu.cpl).isZero();
    assertThat(g.cpu.rip).isEqualTo(Guest.HANDLER);
    assertThat(g.rsp()).isEqualTo(Guest.STACK0 - 24);
    assertThat(g.get32(Guest.STACK0 - 4)).isEqualTo(Guest.DATA3 | 3);
    assertThat(g.get32(Guest.STACK0 - 8)).isEqualTo(Guest.STACK3);
    assertThat(g.get32(Guest.STACK0 - 12)).isEqualTo(0x22222222);
    assertThat(g.get32(Guest.STACK0 - 16)).isEqualTo(0x11111111);
    assertThat(g.get32(Guest.STACK0 - 20)).isEqualTo(Guest.CODE3 | 3);
    assertThat(g.get32(Guest.STACK0 - 24)).isEqualTo(Guest.CODE);
  }

  @Test
  void farReturnToTheOuterRingDropsParametersFromBothStacksAndPrivilegedSegments() {
    Guest g = Guest.protectedMode();
    g.flat(3);
    callGate(g, Guest.CODE0, 3, 2);
    call(g, GATE | 3, 0);
    Segmentation.load(g.cpu, Cpu.DS, Guest.DATA0);

    g.execute(0xCA, in -> in.imm = 8);

    assertThat(g.cpu.cpl).isEqualTo(3);
    assertThat(g.cpu.rip).isEqualTo(Guest.CODE);
    assertThat(g.rsp()).isEqualTo(Guest.STACK3 + 8);
    assertThat(g.cpu.seg[Cpu.DS].unusable()).isTrue();
    assertThat(g.cpu.seg[Cpu.ES].selector).isEqualTo(Guest.DATA3 | 3);
  }

  private static final int[] DATA_SEGMENTS = {Cpu.ES, Cpu.DS, Cpu.FS, Cpu.GS};

  /** Loads null selectors of 1, 2, 3 and 2, with bases that only FS and GS can have. */
  private static void loadNullSelectors(Guest g) {
    for (int i = 0; i < DATA_SEGMENTS.length; i++) {
      Segmentation.load(g.cpu, DATA_SEGMENTS[i], i == 3 ? 2 : i + 1);
    }
    g.cpu.system.msrs.setBase(Cpu.FS, 0x1000);
    g.cpu.system.msrs.setBase(Cpu.GS, 0x2000);
  }

  private static void assertNullSelectors(Guest g, int es, int ds, int fs, int gs) {
    int[] expected = {es, ds, fs, gs};
    for (int i = 0; i < DATA_SEGMENTS.length; i++) {
      assertThat(g.cpu.seg[DATA_SEGMENTS[i]].selector).isEqualTo(expected[i]);
      assertThat(g.cpu.seg[DATA_SEGMENTS[i]].unusable()).isTrue();
    }
    assertThat(g.cpu.seg[Cpu.FS].base).isEqualTo(0x1000);
    assertThat(g.cpu.seg[Cpu.GS].base).isEqualTo(0x2000);
  }

  /** The frame of IRET; the first two and the last two are that of a far RET. */
  private static void frame(Guest g, int size, long... values) {
    for (int i = 0; i < values.length; i++) {
      if (size == 8) {
        g.put64(g.rsp() + 8L * i, values[i]);
      } else {
        g.put32(g.rsp() + 4L * i, (int) values[i]);
      }
    }
  }

  @Test
  void everyReturnToAnOuterRingMakesNullSelectorsZero() {
    for (Guest g : List.of(Guest.protectedMode(), Guest.longMode())) {
      int size = g.cpu.codeSize;
      loadNullSelectors(g);
      frame(g, size, 0x1234, Guest.CODE3 | 3, 2, Guest.STACK3, Guest.DATA3 | 3);
      g.execute(0xCF, in -> in.operandSize = size);
      assertThat(g.cpu.cpl).isEqualTo(3);
      assertNullSelectors(g, 0, 0, 0, 0);

      g.flat(0);
      loadNullSelectors(g);
      frame(g, size, 0x1234, Guest.CODE3 | 3, Guest.STACK3, Guest.DATA3 | 3);
      g.execute(0xCB, in -> in.operandSize = size);
      assertThat(g.cpu.cpl).isEqualTo(3);
      assertNullSelectors(g, 0, 0, 0, 0);
    }
  }

  @Test
  void returnsToTheSameRingAndFastOnesKeepNullSelectors() {
    for (Guest g : List.of(Guest.protectedMode(), Guest.longMode())) {
      int size = g.cpu.codeSize;
      loadNullSelectors(g);
      frame(g, size, 0x1234, Guest.CODE0, 2, Guest.STACK0, Guest.DATA0);
      g.execute(0xCF, in -> in.operandSize = size);
      assertNullSelectors(g, 1, 2, 3, 2);
      frame(g, size, 0x1234, Guest.CODE0);
      g.execute(0xCB, in -> in.operandSize = size);
      assertNullSelectors(g, 1, 2, 3, 2);
      g.cpu.system.msrs.write(0x174, Guest.CODE0);
      g.execute(0x135); // SYSEXIT
      assertThat(g.cpu.cpl).isEqualTo(3);
      assertNullSelectors(g, 1, 2, 3, 2);
    }
    Guest g = Guest.longMode();
    loadNullSelectors(g);
    g.execute(0x107, in -> in.rexW = true); // SYSRET
    assertThat(g.cpu.cpl).isEqualTo(3);
    assertNullSelectors(g, 1, 2, 3, 2);
  }

  /** A register that still has its limit and rights of real mode, under a null selector. */
  @Test
  void aNullSelectorOfRealModeIsDroppedWithItsSegment() {
    Guest g = Guest.protectedMode();
    g.cpu.seg[Cpu.ES].set(0, 0, 0xFFFF, 0xF3);
    frame(g, 4, 0x1234, Guest.CODE3 | 3, 2, Guest.STACK3, Guest.DATA3 | 3);

    g.execute(0xCF);

    assertThat(g.cpu.seg[Cpu.ES].unusable()).isTrue();
  }

  @Test
  void conformingCodeStaysInDataSegmentsOfAnOuterRing() {
    Guest g = Guest.protectedMode();
    g.segment(Guest.CONFORMING, 0, 0x9E, 0xC0); // readable
    Segmentation.load(g.cpu, Cpu.DS, Guest.CONFORMING);
    Segmentation.load(g.cpu, Cpu.ES, Guest.CODE0);
    frame(g, 4, 0x1234, Guest.CODE3 | 3, 2, Guest.STACK3, Guest.DATA3 | 3);

    g.execute(0xCF);

    assertThat(g.cpu.seg[Cpu.DS].selector).isEqualTo(Guest.CONFORMING);
    assertThat(g.cpu.seg[Cpu.ES].selector).isZero();
    assertThat(g.cpu.seg[Cpu.ES].unusable()).isTrue();
  }

  @Test
  void callGateIsCheckedAgainstCplAndRpl() {
    Guest g = Guest.protectedMode();
    g.flat(3);
    callGate(g, Guest.CODE0, 0, 0);

    assertThat(g.errorOf(Cpu.GP, () -> call(g, GATE | 3, 0))).isEqualTo(GATE);
    assertThat(g.errorOf(Cpu.GP, () -> call(g, GATE, 0))).isEqualTo(GATE);
    assertThat(g.rsp()).isEqualTo(Guest.STACK3);
  }

  @Test
  void callGateWithoutAnInnerStackIsAnInvalidTss() {
    Guest g = Guest.protectedMode();
    g.put32(Guest.TSS + 8, Guest.READ_ONLY);
    g.flat(3);
    callGate(g, Guest.CODE0, 3, 0);

    assertThat(g.errorOf(Cpu.TS, () -> call(g, GATE | 3, 0))).isEqualTo(Guest.READ_ONLY);
  }

  @Test
  void returnToAnInnerRingIsRefused() {
    Guest g = Guest.protectedMode();
    g.flat(3);
    g.put32(Guest.STACK3 + 4, Guest.CODE0);

    assertThat(g.errorOf(Cpu.GP, () -> g.execute(0xCB))).isEqualTo(Guest.CODE0);
  }

  @Test
  void interruptReturnInRing3CannotChangeIfOrIopl() {
    Guest g = Guest.protectedMode();
    g.flat(3);
    g.put32(Guest.STACK3, 0x1234);
    g.put32(Guest.STACK3 + 4, Guest.CODE3 | 3);
    g.put32(Guest.STACK3 + 8, Flags.IF | Flags.IOPL | Flags.CF | Flags.AC);

    g.execute(0xCF);

    assertThat(g.cpu.rip).isEqualTo(0x1234);
    assertThat(g.cpu.eflags()).isEqualTo(2 | Flags.CF | Flags.AC);
    assertThat(g.rsp()).isEqualTo(Guest.STACK3 + 12);
  }

  @Test
  void interruptReturnIn64BitModeAlwaysPopsTheStack() {
    Guest g = Guest.longMode();
    long frame = g.rsp();
    long[] image = {0x1234, Guest.CODE0, 2, 0x7770, Guest.DATA0};
    for (int i = 0; i < image.length; i++) {
      g.put64(frame + 8 * i, image[i]);
    }

    g.execute(0xCF, in -> in.operandSize = 8);

    assertThat(g.rsp()).isEqualTo(0x7770);
  }

  @Test
  void interruptReturnToANonCanonicalAddressFaults() {
    Guest g = Guest.longMode();
    g.put64(g.rsp(), 0x8000_0000_0000L);
    g.put64(g.rsp() + 8, Guest.CODE0);
    g.put64(g.rsp() + 32, Guest.DATA0);

    assertThat(g.errorOf(Cpu.GP, () -> g.execute(0xCF, in -> in.operandSize = 8))).isZero();
  }

  @Test
  void nestedTaskReturnDoesNotExistInLongMode() {
    Guest g = Guest.longMode();
    g.cpu.systemFlags |= Flags.NT;

    assertThat(g.errorOf(Cpu.GP, () -> g.execute(0xCF, in -> in.operandSize = 8))).isZero();
  }

  @Test
  void sysCallAndSysReturnGoBetweenTheRings() {
    Guest g = Guest.longMode();
    g.cpu.system.msrs.write(0xC0000081, 0x0010_0008_0000_0000L);
    g.cpu.system.msrs.write(0xC0000082, 0xFFFF8000_12345678L);
    g.cpu.system.msrs.write(0xC0000084, Flags.IF);
    g.flat(3);
    g.interruptible();

    g.execute(0x105);

    assertThat(g.cpu.cpl).isZero();
    assertThat(g.cpu.rip).isEqualTo(0xFFFF8000_12345678L);
    assertThat(g.cpu.gpr[Cpu.RCX]).isEqualTo(Guest.CODE);
    assertThat(g.cpu.gpr[11]).isEqualTo(2 | Flags.IF);
    assertThat(g.flag(Flags.IF)).isFalse();
    assertThat(g.cpu.seg[Cpu.SS].selector).isEqualTo(0x10);

    g.execute(0x107, in -> in.rexW = true);

    assertThat(g.cpu.cpl).isEqualTo(3);
    assertThat(g.cpu.rip).isEqualTo(Guest.CODE);
    assertThat(g.cpu.seg[Cpu.CS].selector).isEqualTo(0x23);
    assertThat(g.cpu.seg[Cpu.SS].selector).isEqualTo(0x1B);
    assertThat(g.flag(Flags.IF)).isTrue();
  }

  @Test
  void sysReturnToANonCanonicalAddressFaultsInRing0() {
    Guest g = Guest.longMode();
    g.cpu.gpr[Cpu.RCX] = 1L << 47;

    assertThat(g.errorOf(Cpu.GP, () -> g.execute(0x107, in -> in.rexW = true))).isZero();
    assertThat(g.cpu.cpl).isZero();
  }

  @Test
  void sysEnterNeedsItsCodeSelector() {
    Guest g = Guest.protectedMode();

    assertThat(g.errorOf(Cpu.GP, () -> g.execute(0x134))).isZero();
    g.cpu.system.msrs.write(0x174, Guest.CODE0);
    g.cpu.system.msrs.write(0x175, 0x7000);
    g.cpu.system.msrs.write(0x176, 0x6000);
    g.flat(3);
    g.execute(0x134);
    assertThat(g.cpu.cpl).isZero();
    assertThat(g.cpu.rip).isEqualTo(0x6000);
    assertThat(g.rsp()).isEqualTo(0x7000);
  }
}

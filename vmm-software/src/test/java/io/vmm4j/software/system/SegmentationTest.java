package io.vmm4j.software.system;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Flags;
import io.vmm4j.software.cpu.InstructionBuilder;
import org.junit.jupiter.api.Test;

/** Loads of segment registers: Intel SDM volume 2, MOV; volume 3, 5.6 and 5.7. */
class SegmentationTest {

  @Test
  void loadInRealModeSetsTheBaseAndKeepsTheLimit() {
    Guest g = Guest.real();
    g.cpu.seg[Cpu.DS].limit = 0xFFFFFFFFL;

    Segmentation.load(g.cpu, Cpu.DS, 0x1234);

    assertThat(g.cpu.seg[Cpu.DS].base).isEqualTo(0x12340);
    assertThat(g.cpu.seg[Cpu.DS].limit).isEqualTo(0xFFFFFFFFL);
    assertThat(g.cpu.segBase[Cpu.DS]).isEqualTo(0x12340);
  }

  @Test
  void dataSegmentIsLoadedAndMarkedAccessed() {
    Guest g = Guest.protectedMode();
    g.segment(Guest.FREE, 0x4567, 0x92, 0xC0);

    Segmentation.load(g.cpu, Cpu.ES, Guest.FREE);

    assertThat(g.cpu.seg[Cpu.ES].base).isEqualTo(0x4567);
    assertThat(g.cpu.seg[Cpu.ES].limit).isEqualTo(0xFFFFFFFFL);
    assertThat(g.get64(Guest.GDT + Guest.FREE) >>> 40 & 0xFF).isEqualTo(0x93);
  }

  @Test
  void dataSegmentsThatMayNotBeLoadedFaultWithTheirSelector() {
    Guest g = Guest.protectedMode();
    g.segment(Guest.FREE, 0, 0x98, 0xC0); // execute-only

    assertThat(g.errorOf(Cpu.GP, () -> Segmentation.load(g.cpu, Cpu.DS, Guest.OUTSIDE)))
        .isEqualTo(Guest.OUTSIDE);
    assertThat(g.errorOf(Cpu.GP, () -> Segmentation.load(g.cpu, Cpu.DS, Guest.FREE)))
        .isEqualTo(Guest.FREE);
    assertThat(g.errorOf(Cpu.GP, () -> Segmentation.load(g.cpu, Cpu.DS, Guest.DATA0 | 3)))
        .isEqualTo(Guest.DATA0);
    assertThat(g.errorOf(Cpu.GP, () -> Segmentation.load(g.cpu, Cpu.DS, Guest.FREE | 4)))
        .isEqualTo(Guest.FREE | 4);
    assertThat(g.errorOf(Cpu.NP, () -> Segmentation.load(g.cpu, Cpu.DS, Guest.ABSENT_DATA)))
        .isEqualTo(Guest.ABSENT_DATA);
  }

  @Test
  void nullIsUsableInDataRegistersAndNotInSs() {
    Guest g = Guest.protectedMode();

    Segmentation.load(g.cpu, Cpu.DS, 0);

    assertThat(g.cpu.seg[Cpu.DS].unusable()).isTrue();
    assertThat(g.errorOf(Cpu.GP, () -> g.cpu.linear(Cpu.DS, 0, 1, false))).isZero();
    assertThat(g.errorOf(Cpu.GP, () -> Segmentation.load(g.cpu, Cpu.SS, 0))).isZero();
  }

  @Test
  void nullStackSegmentIsAllowedIn64BitModeBelowRing3() {
    Guest g = Guest.longMode();

    Segmentation.load(g.cpu, Cpu.SS, 0);

    assertThat(g.cpu.seg[Cpu.SS].unusable()).isTrue();
    assertThat(g.errorOf(Cpu.GP, () -> Segmentation.load(g.cpu, Cpu.SS, 3))).isZero();
    g.flat(3);
    assertThat(g.errorOf(Cpu.GP, () -> Segmentation.load(g.cpu, Cpu.SS, 3))).isZero();
  }

  @Test
  void stackSegmentHasToBeWritableAndOfThisPrivilege() {
    Guest g = Guest.protectedMode();
    g.segment(Guest.FREE, 0, 0x12, 0xC0);

    assertThat(g.errorOf(Cpu.GP, () -> Segmentation.load(g.cpu, Cpu.SS, Guest.READ_ONLY)))
        .isEqualTo(Guest.READ_ONLY);
    assertThat(g.errorOf(Cpu.GP, () -> Segmentation.load(g.cpu, Cpu.SS, Guest.DATA3 | 3)))
        .isEqualTo(Guest.DATA3);
    assertThat(g.errorOf(Cpu.SS_FAULT, () -> Segmentation.load(g.cpu, Cpu.SS, Guest.FREE)))
        .isEqualTo(Guest.FREE);
  }

  @Test
  void movToSsShadowsTheNextInstruction() {
    Guest g = Guest.protectedMode();
    g.cpu.gpr[Cpu.RAX] = Guest.DATA0;

    g.execute(0x8E, in -> in.modrm = 0xD0);

    assertThat(g.cpu.shadowMovSs).isTrue();
    assertThat(g.errorOf(Cpu.UD, () -> g.execute(0x8E, in -> in.modrm = 0xC8))) // MOV CS
        .isEqualTo(-1);
  }

  @Test
  void loadOfTheTaskRegisterMarksItBusy() {
    Guest g = Guest.protectedMode();

    assertThat(g.get64(Guest.GDT + Guest.TASK) >>> 40 & 0xF).isEqualTo(Descriptor.TSS_BUSY);
    assertThat(g.errorOf(Cpu.GP, () -> Segmentation.loadTask(g.cpu, Guest.TASK)))
        .isEqualTo(Guest.TASK);
  }

  @Test
  void questionsAboutDescriptorsAnswerByPrivilege() {
    Guest g = Guest.protectedMode();
    g.flat(3);

    Segmentation.verify(g.cpu, Guest.DATA3 | 3, true);
    assertThat(g.flag(Flags.ZF)).isTrue();
    Segmentation.verify(g.cpu, Guest.DATA0, false);
    assertThat(g.flag(Flags.ZF)).isFalse();
    Segmentation.verify(g.cpu, Guest.CONFORMING, false);
    assertThat(g.flag(Flags.ZF)).isTrue();
    assertThat(Segmentation.limit(g.cpu, Guest.DATA3)).isEqualTo(0xFFFFFFFFL);
    assertThat(Segmentation.accessRights(g.cpu, Guest.DATA3)).isEqualTo(0xC0F200);
    assertThat(Segmentation.accessRights(g.cpu, Guest.DATA0)).isEqualTo(-1);
  }

  @Test
  void arplWritesOnlyWhatItChanges() {
    Guest g = Guest.protectedMode();
    g.segment(Guest.FREE, 0, 0x90, 0xC0); // read-only
    Segmentation.load(g.cpu, Cpu.DS, Guest.FREE);
    g.put32(0x6000, 0x13);
    g.cpu.gpr[Cpu.RCX] = 2;

    g.execute(0x63, SegmentationTest::arplAt6000);
    assertThat(g.flag(Flags.ZF)).isFalse();
    g.cpu.gpr[Cpu.RCX] = 3;
    g.put32(0x6000, 0x11);
    assertThat(g.errorOf(Cpu.GP, () -> g.execute(0x63, SegmentationTest::arplAt6000))).isZero();
    Segmentation.load(g.cpu, Cpu.DS, Guest.DATA0);
    g.execute(0x63, SegmentationTest::arplAt6000);
    assertThat(g.flag(Flags.ZF)).isTrue();
    assertThat(g.get32(0x6000)).isEqualTo(0x13);
  }

  /** ARPL word [0x6000], CX. */
  private static void arplAt6000(InstructionBuilder in) {
    in.isMemory = true;
    in.reg = Cpu.RCX;
    in.displacement = 0x6000;
  }
}

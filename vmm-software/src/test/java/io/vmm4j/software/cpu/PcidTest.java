package io.vmm4j.software.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Process-context identifiers, global pages and INVPCID (Intel SDM volume 3, 4.10): what a change
 * of the page tables and an instruction that must make it seen do to the next access.
 */
class PcidTest {
  private static final long CR4_PGE = 1 << 7;
  private static final long CR4_PCIDE = 1 << 17;
  private static final long NO_FLUSH = 1L << 63;

  private static final int[] MOV_CR3_RCX = {0x0F, 0x22, 0xD9};
  private static final int[] MOV_RDX_CR3 = {0x0F, 0x20, 0xDA};
  private static final int[] INVPCID_RAX_RSI = {0x66, 0x0F, 0x38, 0x82, 0x06};
  private static final int[] INVLPG_RBX = {0x0F, 0x01, 0x3B};
  private static final int[] MOV_EBP_RBX = {0x8B, 0x2B};

  private static final int PAGE = 0x40_0000;
  private static final int OTHER_PAGE = 0x60_0000;
  private static final int OPERAND = 0x6000;

  private final BareCpu bare = BareCpu.withCodeSize(8);
  private final Cpu cpu = bare.cpu;
  private long root;

  @BeforeEach
  void contextsOn() {
    bare.put64(PAGE, 0x1111);
    bare.put64(OTHER_PAGE, 0x2222);
    root = cpu.cr3;
    cpu.cr4 |= CR4_PGE | CR4_PCIDE;
    cpu.mmu.flush();
    cpu.modeChanged();
    cpu.gpr[Cpu.RBX] = PAGE;
  }

  private void map(int page, long flags) {
    bare.put64(BareCpu.PAGE_DIRECTORY + 8 * (PAGE >> 21), page | flags);
  }

  /** Reads the page, changes its mapping, makes the change seen, and reads again. */
  private int afterChange(long flags, int[] instruction) {
    map(PAGE, flags);
    cpu.mmu.flush();
    assertThat(bare.run(MOV_EBP_RBX)).isEqualTo(-1);
    assertThat((int) cpu.gpr[Cpu.RBP]).isEqualTo(0x1111);
    map(OTHER_PAGE, flags);
    assertThat(bare.run(Code.join(instruction, MOV_EBP_RBX))).isEqualTo(-1);
    return (int) cpu.gpr[Cpu.RBP];
  }

  /** The premise of the others; the manual allows either. */
  @Test
  void aTranslationIsKeptWhenNothingIsSaid() {
    assertThat(afterChange(0x83, new int[0])).isEqualTo(0x1111);
  }

  @Test
  void aLoadOfCr3MakesChangesSeen() {
    cpu.gpr[Cpu.RCX] = root | 5;
    assertThat(afterChange(0x83, MOV_CR3_RCX)).isEqualTo(0x2222);
    assertThat(cpu.cr3).isEqualTo(root | 5);
  }

  @Test
  void invlpgMakesChangesOfAGlobalPageSeen() {
    assertThat(afterChange(0x183, INVLPG_RBX)).isEqualTo(0x2222);
  }

  @Test
  void invpcidMakesChangesSeenAsItsTypeSays() {
    bare.put64(OPERAND, 0);
    bare.put64(OPERAND + 8, PAGE);
    cpu.gpr[Cpu.RSI] = OPERAND;
    for (int type = 0; type < 4; type++) {
      cpu.gpr[Cpu.RAX] = type;
      long flags = type == 2 ? 0x183 : 0x83; // only type 2 includes global pages
      assertThat(afterChange(flags, INVPCID_RAX_RSI)).as("type %d", type).isEqualTo(0x2222);
    }
  }

  @Test
  void theBitThatKeepsTranslationsIsNotPartOfCr3() {
    cpu.gpr[Cpu.RCX] = root | 7 | NO_FLUSH;
    assertThat(bare.run(Code.join(MOV_CR3_RCX, MOV_RDX_CR3))).isEqualTo(-1);
    assertThat(cpu.gpr[Cpu.RDX]).isEqualTo(root | 7);
  }

  @Test
  void theBitThatKeepsTranslationsIsReservedWithoutPcid() {
    cpu.cr4 &= ~CR4_PCIDE;
    cpu.gpr[Cpu.RCX] = root | NO_FLUSH;
    assertThat(bare.run(MOV_CR3_RCX)).isEqualTo(Cpu.GP);
    assertThat(cpu.cr3).isEqualTo(root);
  }

  @Test
  void invpcidRefusesWhatIsReserved() {
    long[][] refused = { // type, PCID, address
      {4, 0, 0}, {-1, 0, 0}, {0, 0x1000, 0}, {1, 1L << 63, 0}, {0, 0, 1L << 47}
    };
    cpu.gpr[Cpu.RSI] = OPERAND;
    for (long[] operand : refused) {
      cpu.gpr[Cpu.RAX] = operand[0];
      bare.put64(OPERAND, operand[1]);
      bare.put64(OPERAND + 8, operand[2]);
      assertThat(bare.run(INVPCID_RAX_RSI))
          .as("%x %x %x", operand[0], operand[1], operand[2])
          .isEqualTo(Cpu.GP);
    }
    cpu.cr4 &= ~CR4_PCIDE;
    cpu.gpr[Cpu.RAX] = 0;
    bare.put64(OPERAND, 1);
    bare.put64(OPERAND + 8, 0);
    assertThat(bare.run(INVPCID_RAX_RSI)).as("a PCID while they are off").isEqualTo(Cpu.GP);
  }

  @Test
  void theGlobalBitChangesNothingOfATranslationAndIsIgnoredAboveThePage() {
    for (long cr4 : new long[] {0, CR4_PGE}) {
      cpu.cr4 = cpu.cr4 & ~CR4_PGE | cr4;
      map(OTHER_PAGE, 0x183);
      bare.put64(BareCpu.PAGE_DIRECTORY - 0x1000, BareCpu.PAGE_DIRECTORY | 0x103);
      cpu.mmu.flush();
      assertThat(bare.run(MOV_EBP_RBX)).isEqualTo(-1);
      assertThat((int) cpu.gpr[Cpu.RBP]).isEqualTo(0x2222);
    }
  }
}

package io.vmm4j.software.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.backend.CpuVendor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What Intel's processors do otherwise than AMD's. */
class VendorTest {
  private static final int LOOPNE = 0xE0;
  private static final int LOOPE = 0xE1;
  private static final int LOOP = 0xE2;
  private static final int REPNE = 0xF2;
  private static final int REPE = 0xF3;

  /** Whether a loop instruction with a count left is taken: over an UD2. */
  private static boolean isTaken(CpuVendor vendor, int prefix, int opcode, boolean zero) {
    BareCpu bare = BareCpu.of(vendor, 8);
    bare.cpu.gpr[Cpu.RCX] = 2;
    bare.cpu.setEflags(zero ? Flags.ZF : 0);
    int vector = bare.run(prefix, opcode, 2, 0x0F, 0x0B, 0x90);
    assertThat(bare.cpu.gpr[Cpu.RCX]).isEqualTo(1);
    return vector == -1;
  }

  @Test
  void loopsOfIntelIgnoreARepeatPrefix() {
    for (int prefix : new int[] {REPNE, REPE}) {
      assertThat(isTaken(CpuVendor.INTEL, prefix, LOOPNE, false)).isTrue();
      assertThat(isTaken(CpuVendor.INTEL, prefix, LOOPNE, true)).isFalse();
      assertThat(isTaken(CpuVendor.INTEL, prefix, LOOPE, false)).isFalse();
      assertThat(isTaken(CpuVendor.INTEL, prefix, LOOPE, true)).isTrue();
    }
  }

  @Test
  void loopsOfAmdFollowARepeatPrefix() {
    for (int opcode : new int[] {LOOPNE, LOOPE}) {
      assertThat(isTaken(CpuVendor.AMD, REPNE, opcode, false)).isTrue();
      assertThat(isTaken(CpuVendor.AMD, REPNE, opcode, true)).isFalse();
      assertThat(isTaken(CpuVendor.AMD, REPE, opcode, false)).isFalse();
      assertThat(isTaken(CpuVendor.AMD, REPE, opcode, true)).isTrue();
    }
    assertThat(isTaken(CpuVendor.AMD, REPE, LOOP, false)).isTrue();
    assertThat(isTaken(CpuVendor.AMD, REPNE, LOOP, true)).isTrue();
  }

  @Test
  void prefetchOfARegisterIsANopOnIntelAndUndefinedOnAmd() {
    for (int modrm = 0xC0; modrm < 0x100; modrm += 9) {
      assertThat(BareCpu.of(CpuVendor.INTEL, 8).run(0x0F, 0x0D, modrm)).isEqualTo(-1);
      assertThat(BareCpu.of(CpuVendor.AMD, 8).run(0x0F, 0x0D, modrm)).isEqualTo(Cpu.UD);
    }
    assertThat(BareCpu.of(CpuVendor.AMD, 8).run(0x0F, 0x0D, 0x00)).isEqualTo(-1);
    assertThat(BareCpu.of(CpuVendor.AMD, 8).run(0x0F, 0x18, 0xC0)).isEqualTo(-1);
  }

  @ParameterizedTest
  @EnumSource
  void aTrapWithinARepeatedInstructionHasRfOnIntel(CpuVendor vendor) {
    BareCpu bare = BareCpu.of(vendor, 4);
    bare.cpu.gpr[Cpu.RCX] = 2;
    bare.cpu.gpr[Cpu.RDI] = 0x9000;
    bare.cpu.systemFlags |= Flags.TF;

    assertThat(bare.run(0xF3, 0xAA)).isEqualTo(Cpu.DB);

    assertThat((bare.pushed(2) & Flags.RF) != 0).isEqualTo(vendor == CpuVendor.INTEL);
  }
}

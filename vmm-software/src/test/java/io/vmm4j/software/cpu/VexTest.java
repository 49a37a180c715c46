package io.vmm4j.software.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.api.backend.CpuModel;
import io.vmm4j.software.fpu.Simd;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** When instructions with VEX exist, and what they do to registers (Intel SDM volume 2, 2.3). */
class VexTest {
  private static final int NONE = -1;
  private static final int CR4_OSXSAVE = 1 << 18;
  private static final int CR4_OSFXSR = 1 << 9;
  private static final int CR0_TS = 8;
  private static final int DATA = 0x9000;
  private static final int AREA = 0xA000;
  private static final int XSTATE_BV = 512;
  private static final int AVX_AREA = 576;

  /** VADDPS XMM0, XMM1, XMM2, and with YMM registers. */
  private static final int[] VADDPS = {0xC5, 0xF0, 0x58, 0xC2};

  private static final int[] VADDPS_WIDE = {0xC5, 0xF4, 0x58, 0xC2};

  private static BareCpu v3(int codeSize) {
    BareCpu bare = BareCpu.with(codeSize, CpuModel.V3.features().toArray(CpuFeature[]::new));
    bare.cpu.cr4 |= CR4_OSXSAVE | CR4_OSFXSR;
    bare.cpu.xcr0 = 7;
    bare.cpu.gpr[Cpu.RBX] = DATA;
    return bare;
  }

  private static int[] prefixed(int prefix, int... code) {
    int[] whole = new int[code.length + 1];
    whole[0] = prefix;
    System.arraycopy(code, 0, whole, 1, code.length);
    return whole;
  }

  private static void fill(BareCpu bare) {
    for (int i = 0; i < 32; i++) {
      bare.cpu.fpu.xmm[i] = 0x100 + i;
      bare.cpu.fpu.ymmHigh[i] = 0x200 + i;
    }
  }

  // ---- whether they exist ----

  @Test
  void whatCpuidDoesNotClaimIsUndefined() {
    BareCpu plain = BareCpu.withCodeSize(8);
    plain.cpu.cr4 |= CR4_OSXSAVE;
    plain.cpu.xcr0 = 7;
    assertThat(plain.run(VADDPS)).isEqualTo(Cpu.UD);
    BareCpu first = BareCpu.with(8, CpuFeature.AVX);
    first.cpu.cr4 |= CR4_OSXSAVE;
    first.cpu.xcr0 = 7;
    assertThat(first.run(VADDPS_WIDE)).isEqualTo(NONE);
    assertThat(first.run(0xC5, 0xF1, 0xFE, 0xC2)).as("VPADDD of 128 bits").isEqualTo(NONE);
    assertThat(first.run(0xC5, 0xF5, 0xFE, 0xC2)).as("VPADDD of 256 bits").isEqualTo(Cpu.UD);
    assertThat(first.run(0xC4, 0xE2, 0x71, 0x98, 0xC2)).as("VFMADD132PS").isEqualTo(Cpu.UD);
    assertThat(first.run(0xC4, 0xE2, 0x79, 0x13, 0xC2)).as("VCVTPH2PS").isEqualTo(Cpu.UD);
  }

  @Test
  void theSystemHasToEnableThem() {
    BareCpu bare = v3(8);
    assertThat(bare.run(VADDPS)).isEqualTo(NONE);
    bare.cpu.xcr0 = 3;
    assertThat(bare.run(VADDPS)).isEqualTo(Cpu.UD);
    assertThat(bare.run(0xC4, 0xE2, 0x70, 0xF2, 0xC2)).as("ANDN").isEqualTo(NONE);
    bare.cpu.xcr0 = 7;
    bare.cpu.cr4 &= ~CR4_OSXSAVE;
    assertThat(bare.run(VADDPS)).isEqualTo(Cpu.UD);
    bare.cpu.cr4 |= CR4_OSXSAVE;
    bare.cpu.cr0 |= CR0_TS;
    assertThat(bare.run(VADDPS)).isEqualTo(Cpu.NM);
    bare.cpu.xcr0 = 3;
    assertThat(bare.run(VADDPS)).as("#UD comes first").isEqualTo(Cpu.UD);
  }

  @ParameterizedTest
  @ValueSource(ints = {0x66, 0xF2, 0xF3, 0xF0, 0x40, 0x48})
  void prefixesThatVexHasItselfAreUndefinedBeforeIt(int prefix) {
    assertThat(v3(8).run(prefixed(prefix, VADDPS))).isEqualTo(Cpu.UD);
    assertThat(v3(8).run(prefixed(0x64, VADDPS))).as("FS").isEqualTo(NONE);
    assertThat(v3(8).run(prefixed(0x67, VADDPS))).as("the address size").isEqualTo(NONE);
  }

  @Test
  void fieldsThatAreNotUsedHaveTheirValues() {
    BareCpu bare = v3(8);
    assertThat(bare.run(0xC5, 0xF8, 0x51, 0xC2)).as("VSQRTPS").isEqualTo(NONE);
    assertThat(bare.run(0xC5, 0xF0, 0x51, 0xC2)).as("with vvvv").isEqualTo(Cpu.UD);
    assertThat(bare.run(0xC5, 0xF9, 0x6E, 0xC0)).as("VMOVD").isEqualTo(NONE);
    assertThat(bare.run(0xC5, 0xFD, 0x6E, 0xC0)).as("of 256 bits").isEqualTo(Cpu.UD);
    assertThat(bare.run(0xC4, 0xE2, 0x6D, 0x36, 0xC1)).as("VPERMD").isEqualTo(NONE);
    assertThat(bare.run(0xC4, 0xE2, 0x69, 0x36, 0xC1)).as("of 128 bits").isEqualTo(Cpu.UD);
    assertThat(bare.run(0xC4, 0xE2, 0xED, 0x36, 0xC1)).as("with W").isEqualTo(Cpu.UD);
    assertThat(bare.run(0xC4, 0xE4, 0x70, 0x58, 0xC2)).as("no such map").isEqualTo(Cpu.UD);
  }

  @Test
  void outsideProtectedModeTheyAreUndefined() {
    BareCpu real = v3(2);
    real.cpu.cr0 = 0x10;
    real.cpu.modeChanged();
    real.code(VADDPS);
    Instruction in = new Decoder(real.cpu).block(BareCpu.CODE, BareCpu.CODE).instructions[0];
    assertThat(in.vex).isTrue();
    assertThatThrownBy(() -> Simd.execute(real.cpu, in)).isInstanceOf(CpuFault.class);
    assertThat(v3(2).run(VADDPS)).as("16-bit protected mode").isEqualTo(NONE);
  }

  @Test
  void in32BitCodeWithMemoryTheyAreLoadsOfFarPointers() {
    BareCpu bare = v3(4);
    bare.put64(DATA, 0x1234L);
    assertThat(bare.run(0xC5, 0x0B)).as("LDS ECX, [EBX]").isEqualTo(NONE);
    assertThat(bare.cpu.gpr[Cpu.RCX]).isEqualTo(0x1234);
    assertThat(v3(4).run(VADDPS)).isEqualTo(NONE);
  }

  // ---- what they do to registers ----

  @Test
  void upperHalvesStayWithoutVexAndAreClearedWithIt() {
    BareCpu bare = v3(8);
    fill(bare);
    assertThat(bare.run(0x66, 0x0F, 0xEF, 0xC1)).as("PXOR XMM0, XMM1").isEqualTo(NONE);
    assertThat(bare.cpu.fpu.ymmHigh[0]).isEqualTo(0x200);
    assertThat(bare.run(0xC5, 0xF1, 0xEF, 0xC2)).as("VPXOR XMM0, XMM1, XMM2").isEqualTo(NONE);
    assertThat(bare.cpu.fpu.xmm[0]).isEqualTo(0x102 ^ 0x104);
    assertThat(bare.cpu.fpu.ymmHigh[0]).isZero();
    assertThat(bare.cpu.fpu.ymmHigh[1]).isZero();
    assertThat(bare.run(0xC5, 0xF5, 0xEF, 0xC2)).as("of 256 bits").isEqualTo(NONE);
    assertThat(bare.cpu.fpu.ymmHigh[1]).isEqualTo(0x203 ^ 0x205);
  }

  @Test
  void zeroingIsOfTheRegistersThatTheModeHas() {
    BareCpu narrow = v3(4);
    fill(narrow);
    assertThat(narrow.run(0xC5, 0xFC, 0x77)).as("VZEROALL").isEqualTo(NONE);
    assertThat(narrow.cpu.fpu.xmm[15]).isZero();
    assertThat(narrow.cpu.fpu.xmm[16]).isEqualTo(0x110);
    assertThat(narrow.cpu.fpu.ymmHigh[16]).isEqualTo(0x210);
    BareCpu wide = v3(8);
    fill(wide);
    assertThat(wide.run(0xC5, 0xF8, 0x77)).as("VZEROUPPER").isEqualTo(NONE);
    assertThat(wide.cpu.fpu.xmm[31]).isEqualTo(0x11F);
    assertThat(wide.cpu.fpu.ymmHigh).containsOnly(0);
  }

  @Test
  void aGatherNeedsThreeRegistersAndAnIndexOfVectors() {
    BareCpu bare = v3(8);
    // VPGATHERDD XMM1, [RBX + XMM2], XMM3
    assertThat(bare.run(0xC4, 0xE2, 0x61, 0x90, 0x0C, 0x13)).isEqualTo(NONE);
    assertThat(bare.run(0xC4, 0xE2, 0x61, 0x90, 0x0C, 0x0B)).as("XMM1 twice").isEqualTo(Cpu.UD);
    assertThat(bare.run(0xC4, 0xE2, 0x69, 0x90, 0x0C, 0x13)).as("XMM2 twice").isEqualTo(Cpu.UD);
    assertThat(bare.run(0xC4, 0xE2, 0x61, 0x90, 0x0B)).as("no SIB").isEqualTo(Cpu.UD);
  }

  // ---- the state ----

  @Test
  void theAreaOfXsaveHasTheUpperHalves() {
    BareCpu bare = v3(8);
    fill(bare);
    bare.cpu.gpr[Cpu.RBX] = AREA;
    bare.cpu.gpr[Cpu.RAX] = 7;
    bare.cpu.gpr[Cpu.RDX] = 0;
    bare.put64(AREA + XSTATE_BV, 0);
    assertThat(bare.run(0x48, 0x0F, 0xAE, 0x23)).as("XSAVE64").isEqualTo(NONE);
    assertThat(bare.get8(AREA + XSTATE_BV)).isEqualTo(7);
    assertThat(bare.get32(AREA + AVX_AREA + 8 * 31)).isEqualTo(0x21F);
    assertThat(bare.run(0xC5, 0xFC, 0x77)).isEqualTo(NONE);
    bare.cpu.gpr[Cpu.RAX] = 4;
    assertThat(bare.run(0x48, 0x0F, 0xAE, 0x2B)).as("XRSTOR64").isEqualTo(NONE);
    assertThat(bare.cpu.fpu.ymmHigh[31]).isEqualTo(0x21F);
    assertThat(bare.cpu.fpu.xmm[31]).as("not asked for").isZero();
    // All zeros are the initial state: XSAVE says so, and XRSTOR makes them.
    assertThat(bare.run(0xC5, 0xF8, 0x77)).isEqualTo(NONE);
    bare.cpu.gpr[Cpu.RAX] = 7;
    assertThat(bare.run(0x48, 0x0F, 0xAE, 0x23)).isEqualTo(NONE);
    assertThat(bare.get8(AREA + XSTATE_BV)).isEqualTo(3);
    fill(bare);
    assertThat(bare.run(0x48, 0x0F, 0xAE, 0x2B)).isEqualTo(NONE);
    assertThat(bare.cpu.fpu.ymmHigh).containsOnly(0);
  }

  @Test
  void xcr0HasAvxOnlyWithSse() {
    BareCpu bare = v3(8);
    for (int value : new int[] {1, 3, 7}) {
      assertThat(setXcr0(bare, value)).as("%d", value).isEqualTo(NONE);
      assertThat(bare.cpu.xcr0).isEqualTo(value);
    }
    for (int value : new int[] {0, 2, 4, 5, 6, 15}) {
      assertThat(setXcr0(bare, value)).as("%d", value).isEqualTo(Cpu.GP);
    }
    BareCpu plain = BareCpu.withCodeSize(8);
    plain.cpu.cr4 |= CR4_OSXSAVE;
    assertThat(setXcr0(plain, 7)).isEqualTo(Cpu.GP);
  }

  private static int setXcr0(BareCpu bare, int value) {
    bare.cpu.gpr[Cpu.RAX] = value;
    bare.cpu.gpr[Cpu.RCX] = 0;
    bare.cpu.gpr[Cpu.RDX] = 0;
    return bare.run(0x0F, 0x01, 0xD1);
  }

  @Test
  void cpuidTellsTheSizeOfTheArea() {
    BareCpu bare = v3(8);
    assertThat(cpuid(bare, 0)).containsExactly(7, 832, 832, 0);
    assertThat(cpuid(bare, 2)).containsExactly(256, 576, 0, 0);
    bare.cpu.xcr0 = 3;
    assertThat(cpuid(bare, 0)).containsExactly(7, 576, 832, 0);
  }

  private static long[] cpuid(BareCpu bare, int subleaf) {
    bare.cpu.gpr[Cpu.RAX] = 0xD;
    bare.cpu.gpr[Cpu.RCX] = subleaf;
    assertThat(bare.run(0x0F, 0xA2)).isEqualTo(NONE);
    return new long[] {
      bare.cpu.gpr[Cpu.RAX], bare.cpu.gpr[Cpu.RBX], bare.cpu.gpr[Cpu.RCX], bare.cpu.gpr[Cpu.RDX]
    };
  }
}

package io.vmm4j.software.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.api.backend.CpuVendor;
import io.vmm4j.software.TestHost;
import java.lang.foreign.ValueLayout;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which encodings of MOVBE, ADX, BMI, CLFLUSHOPT and CLWB exist, in which modes. */
class BitManipulationTest {
  private static final int NONE = -1;
  private static final int DATA = 0x9000;

  /** ANDN EAX, ECX, EDX. */
  private static final int[] ANDN = {0xC4, 0xE2, 0x70, 0xF2, 0xC2};

  /** RORX EAX, EDX, 1. */
  private static final int[] RORX = {0xC4, 0xE3, 0x7B, 0xF0, 0xC2, 1};

  private static int[] prefixed(int prefix, int[] code) {
    int[] whole = new int[code.length + 1];
    whole[0] = prefix;
    System.arraycopy(code, 0, whole, 1, code.length);
    return whole;
  }

  private static BareCpu bmi(int codeSize) {
    return BareCpu.with(codeSize, CpuFeature.BMI1, CpuFeature.BMI2);
  }

  @Test
  void whatCpuidDoesNotClaimIsUndefined() {
    BareCpu plain = BareCpu.withCodeSize(8);
    assertThat(plain.run(ANDN)).isEqualTo(Cpu.UD);
    assertThat(plain.run(RORX)).isEqualTo(Cpu.UD);
    assertThat(plain.run(0x0F, 0x38, 0xF0, 0x05, 0, 0, 0, 0)).isEqualTo(Cpu.UD);
    assertThat(plain.run(0x66, 0x0F, 0x38, 0xF6, 0xC2)).isEqualTo(Cpu.UD);
    plain.cpu.gpr[Cpu.RBX] = DATA;
    assertThat(plain.run(0x66, 0x0F, 0xAE, 0x3B)).as("CLFLUSHOPT").isEqualTo(Cpu.UD);
    assertThat(plain.run(0x66, 0x0F, 0xAE, 0x33)).as("CLWB").isEqualTo(Cpu.UD);
  }

  @Test
  void withoutTheirFeaturesCountsAreScans() {
    BareCpu plain = BareCpu.withCodeSize(8);
    plain.cpu.gpr[Cpu.RDX] = 8;
    assertThat(plain.run(0xF3, 0x0F, 0xBD, 0xC2)).isEqualTo(NONE);
    assertThat(plain.cpu.gpr[Cpu.RAX]).isEqualTo(3);
    BareCpu counting = BareCpu.with(8, CpuFeature.LZCNT);
    counting.cpu.gpr[Cpu.RDX] = 8;
    assertThat(counting.run(0xF3, 0x0F, 0xBD, 0xC2)).isEqualTo(NONE);
    assertThat(counting.cpu.gpr[Cpu.RAX]).isEqualTo(28);
  }

  @ParameterizedTest
  @ValueSource(ints = {0x66, 0xF2, 0xF3, 0xF0, 0x48, 0x40})
  void vexAfterAMandatoryPrefixLockOrRexIsUndefined(int prefix) {
    assertThat(bmi(8).run(ANDN)).isEqualTo(NONE);
    assertThat(bmi(8).run(prefixed(prefix, ANDN))).isEqualTo(Cpu.UD);
  }

  @Test
  void segmentAndAddressSizePrefixesMayStandBeforeVex() {
    BareCpu bare = bmi(8);
    bare.put64(DATA, 0xF0F0);
    bare.cpu.gpr[Cpu.RDX] = 0xABCD_0000_0000L | DATA;
    bare.cpu.gpr[Cpu.RCX] = 0xFF00;
    assertThat(bare.run(0x3E, 0x67, 0xC4, 0xE2, 0x70, 0xF2, 0x02)).isEqualTo(NONE);
    assertThat(bare.cpu.gpr[Cpu.RAX]).isEqualTo(0xF0);
  }

  @Test
  void vexOf256BitsIsUndefined() {
    assertThat(bmi(8).run(0xC4, 0xE2, 0x74, 0xF2, 0xC2)).isEqualTo(Cpu.UD);
  }

  @Test
  void rotationWithASecondSourceIsUndefined() {
    assertThat(bmi(8).run(RORX)).isEqualTo(NONE);
    assertThat(bmi(8).run(0xC4, 0xE3, 0x73, 0xF0, 0xC2, 1)).isEqualTo(Cpu.UD);
  }

  @Test
  void reservedEncodingsAreUndefined() {
    assertThat(bmi(8).run(0xC4, 0xE2, 0x71, 0xF2, 0xC2)).as("ANDN with 66").isEqualTo(Cpu.UD);
    assertThat(bmi(8).run(0xC4, 0xE2, 0x70, 0xF3, 0xC2)).as("group 17, /0").isEqualTo(Cpu.UD);
    assertThat(bmi(8).run(0xC4, 0xE2, 0x70, 0xF3, 0xE2)).as("group 17, /4").isEqualTo(Cpu.UD);
    assertThat(bmi(8).run(0xC4, 0xE1, 0x70, 0xF2, 0xC2)).as("map 0F").isEqualTo(Cpu.UD);
    BareCpu all = BareCpu.with(8, CpuFeature.MOVBE, CpuFeature.ADX);
    assertThat(all.run(0x0F, 0x38, 0xF0, 0xC2)).as("MOVBE of a register").isEqualTo(Cpu.UD);
    assertThat(all.run(0xF3, 0x0F, 0x38, 0xF0, 0x02)).as("MOVBE with F3").isEqualTo(Cpu.UD);
    assertThat(all.run(0x0F, 0x38, 0xF6, 0xC2)).as("ADX without prefix").isEqualTo(Cpu.UD);
    assertThat(all.run(0xF2, 0x0F, 0x38, 0xF1, 0xC2)).as("CRC32").isEqualTo(NONE);
  }

  @Test
  void in32BitCodeC4IsVexWithARegisterAndLesWithMemory() {
    BareCpu bare = bmi(4);
    bare.cpu.gpr[Cpu.RCX] = 0xFF00_FF00L;
    bare.cpu.gpr[Cpu.RDX] = 0xFFFF_0000L;
    assertThat(bare.run(ANDN)).isEqualTo(NONE);
    assertThat(bare.cpu.gpr[Cpu.RAX]).isEqualTo(0x00FF_0000L);
    // W and the fourth bit of vvvv mean nothing there.
    assertThat(bare.run(0xC4, 0xE2, 0xB0, 0xF2, 0xC2)).isEqualTo(NONE);
    assertThat(bare.cpu.gpr[Cpu.RAX]).isEqualTo(0x00FF_0000L);
    bare.put64(DATA, 0x1234_5678L);
    bare.cpu.gpr[Cpu.RDX] = DATA;
    assertThat(bare.run(0xC4, 0x02)).as("LES EAX, [EDX]").isEqualTo(NONE);
    assertThat(bare.cpu.gpr[Cpu.RAX]).isEqualTo(0x1234_5678L);
  }

  @Test
  void realModeHasNoVex() {
    TestHost host = new TestHost(CpuVendor.INTEL, Set.of(CpuFeature.BMI1));
    Cpu cpu = new Cpu(0, host);
    cpu.system.powerOn();
    cpu.seg[Cpu.CS].set(0, 0, 0xFFFF, 0x9B);
    cpu.modeChanged();
    cpu.rip = 0x8000;
    for (int i = 0; i < ANDN.length; i++) {
      host.memory().set(ValueLayout.JAVA_BYTE, 0x8000 + i, (byte) ANDN[i]);
    }
    host.memory().set(ValueLayout.JAVA_INT, 4 * Cpu.UD, 0x4000);
    host.memory().set(ValueLayout.JAVA_BYTE, 0x4000, (byte) 0xF4);

    Tiers.loop(cpu).run(10);

    assertThat(cpu.rip).isEqualTo(0x4001);
  }

  @Test
  void cacheInstructionsHaveTheFaultsOfALoad() {
    BareCpu bare = BareCpu.with(8, CpuFeature.CLFLUSHOPT, CpuFeature.CLWB);
    bare.cpu.gpr[Cpu.RBX] = DATA;
    assertThat(bare.run(0x66, 0x0F, 0xAE, 0x3B)).isEqualTo(NONE);
    assertThat(bare.run(0x66, 0x0F, 0xAE, 0x33)).isEqualTo(NONE);
    bare.cpu.gpr[Cpu.RBX] = 1L << 40;
    assertThat(bare.run(0x66, 0x0F, 0xAE, 0x3B)).isEqualTo(Cpu.PF);
    assertThat(bare.run(0x66, 0x0F, 0xAE, 0x33)).isEqualTo(Cpu.PF);
    bare.cpu.gpr[Cpu.RBX] = 1L << 60;
    assertThat(bare.run(0x66, 0x0F, 0xAE, 0x33)).isEqualTo(Cpu.GP);
    assertThat(bare.run(0x66, 0x0F, 0xAE, 0xF3)).as("with a register").isEqualTo(Cpu.UD);
  }
}

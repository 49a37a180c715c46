package io.vmm4j.software.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Segments in 64-bit code: only FS and GS have bases, none has a limit (Intel SDM volume 3, 3.4.4).
 */
class LongModeSegmentTest {
  private static final int FS_BASE = 0xC000_0100;
  private static final int GS_BASE = 0xC000_0101;
  private static final int CR4_FSGSBASE = 1 << 16;

  private static final int FS = 0x64;
  private static final int GS = 0x65;
  private static final int DS = 0x3E;
  private static final int SS = 0x36;

  private static final int[] MOV_EAX_RBX = {0x8B, 0x03};

  private final BareCpu bare = BareCpu.withCodeSize(8);
  private final Cpu cpu = bare.cpu;

  @BeforeEach
  void differentNumbersEverywhere() {
    for (int i = 0; i < 8; i++) {
      bare.put64(0x20_0000 + i * 0x1000, 0x1111_1111L * i);
    }
    cpu.gpr[Cpu.RBX] = 0x20_0000;
  }

  private int load(int... prefixes) {
    assertThat(bare.run(Code.join(prefixes, MOV_EAX_RBX))).as("exception").isEqualTo(-1);
    return (int) cpu.gpr[Cpu.RAX];
  }

  @Test
  void fsAndGsAddTheirBases() {
    cpu.system.msrs.write(FS_BASE, 0x1000);
    cpu.system.msrs.write(GS_BASE, 0x3000);

    assertThat(load()).isZero();
    assertThat(load(FS)).isEqualTo(0x1111_1111);
    assertThat(load(GS)).isEqualTo(0x3333_3333);
    assertThat(load(FS, GS)).as("the last override counts").isEqualTo(0x3333_3333);
  }

  @Test
  void aBaseReachesDownAndAroundTheAddressSpace() {
    cpu.system.msrs.write(GS_BASE, -0x1000);
    cpu.gpr[Cpu.RBX] = 0x20_3000;
    assertThat(load(GS)).isEqualTo(0x2222_2222);

    cpu.system.msrs.write(FS_BASE, 0x1000);
    cpu.gpr[Cpu.RBX] = 0x1_0020_1000L;
    assertThat(load(FS, 0x67)).as("32-bit address, then the base").isEqualTo(0x2222_2222);
  }

  @Test
  void aSumThatIsNotCanonicalIsGeneralProtection() {
    cpu.system.msrs.write(FS_BASE, 0x7FFF_FFFF_F000L);
    cpu.gpr[Cpu.RBX] = 0x1000;

    assertThat(bare.run(Code.join(new int[] {FS}, MOV_EAX_RBX))).isEqualTo(Cpu.GP);
    assertThat(bare.pushed(0)).isZero();
  }

  @Test
  void basesAndLimitsOfTheOthersAreNotHeeded() {
    for (int segment : new int[] {Cpu.DS, Cpu.ES, Cpu.SS}) {
      bare.segment(segment, 0x5000, 0xFF);
    }
    cpu.seg[Cpu.FS].set(16, 0x1000, 0xFF, 0x4093);
    cpu.modeChanged();

    assertThat(load()).isZero();
    assertThat(load(DS)).isZero();
    assertThat(load(SS)).isZero();
    assertThat(load(FS)).as("a base, and no limit").isEqualTo(0x1111_1111);
    assertThat(load(FS, DS)).as("an override that does not count leaves FS").isEqualTo(0x1111_1111);
  }

  @Test
  void leaGivesTheOffsetWithoutTheBase() {
    cpu.system.msrs.write(FS_BASE, 0x1000);

    assertThat(bare.run(FS, 0x48, 0x8D, 0x03)).isEqualTo(-1);
    assertThat(cpu.gpr[Cpu.RAX]).isEqualTo(0x20_0000);
  }

  @Test
  void stringsTakeTheirSourceFromTheOverride() {
    cpu.system.msrs.write(FS_BASE, 0x1000);
    cpu.gpr[Cpu.RSI] = 0x20_1000;
    cpu.gpr[Cpu.RDI] = 0x20_7000;

    assertThat(bare.run(FS, 0xA5)).isEqualTo(-1); // MOVSD
    assertThat(bare.get32(0x20_7000)).as("ES has no base").isEqualTo(0x2222_2222);
  }

  @Test
  void wrfsbaseTakesEffectAtOnceAndRdfsbaseGivesItBack() {
    int[] wrfsbaseRcx = {0xF3, 0x48, 0x0F, 0xAE, 0xD1};
    int[] rdfsbaseRdx = {0xF3, 0x48, 0x0F, 0xAE, 0xC2};
    int[] loadThroughFs = {FS, 0x8B, 0x03};
    cpu.gpr[Cpu.RCX] = 0x2000;
    assertThat(bare.run(wrfsbaseRcx)).as("without CR4.FSGSBASE").isEqualTo(Cpu.UD);

    cpu.cr4 |= CR4_FSGSBASE;
    assertThat(bare.run(Code.join(wrfsbaseRcx, loadThroughFs, rdfsbaseRdx))).isEqualTo(-1);
    assertThat((int) cpu.gpr[Cpu.RAX]).isEqualTo(0x2222_2222);
    assertThat(cpu.gpr[Cpu.RDX]).isEqualTo(0x2000);
    assertThat(cpu.system.msrs.read(FS_BASE)).isEqualTo(0x2000);

    cpu.gpr[Cpu.RCX] = 1L << 47;
    assertThat(bare.run(wrfsbaseRcx)).as("not canonical").isEqualTo(Cpu.GP);
    assertThat(cpu.system.msrs.read(FS_BASE)).as("unchanged").isEqualTo(0x2000);
  }
}

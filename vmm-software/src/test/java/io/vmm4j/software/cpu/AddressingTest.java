package io.vmm4j.software.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;

/**
 * Every ModRM and SIB byte with 16- and 32-bit addresses, in 16- and 32-bit code: effective address
 * and default segment as Intel SDM volume 2, tables 2-1, 2-2 and 2-3, give them.
 */
class AddressingTest {
  private static final int NONE = -1;

  /** Table 2-1: the base and index of R/M 0 to 7. */
  private static final int[][] PAIRS = {
    {Cpu.RBX, Cpu.RSI},
    {Cpu.RBX, Cpu.RDI},
    {Cpu.RBP, Cpu.RSI},
    {Cpu.RBP, Cpu.RDI},
    {Cpu.RSI, NONE},
    {Cpu.RDI, NONE},
    {Cpu.RBP, NONE},
    {Cpu.RBX, NONE}
  };

  private static final int[] OVERRIDES = {0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65}; // ES to GS

  /** Where the test's segments begin, 1 MiB apart, each with its number in every byte. */
  private static final int SEGMENTS = 0x20_0000;

  private static final int SEGMENT_BYTES = 0x10_0000;

  private final Values values = new Values(10);
  private BareCpu bare = BareCpu.withCodeSize(4);
  private Cpu cpu = bare.cpu;

  private void setUp(int codeSize) {
    bare = BareCpu.withCodeSize(codeSize);
    cpu = bare.cpu;
    for (int i = 0; i < 6; i++) {
      bare.host.memory().asSlice(SEGMENTS + i * SEGMENT_BYTES, SEGMENT_BYTES).fill((byte) i);
      if (i != Cpu.CS) {
        bare.segment(i, SEGMENTS + i * SEGMENT_BYTES, 0xFFFF_FFFFL);
      }
    }
  }

  @Test
  void everyModrmWith16BitAddresses() {
    for (int codeSize : new int[] {2, 4}) {
      setUp(codeSize);
      for (int modrm = 0; modrm < 0xC0; modrm++) {
        int mode = modrm >> 6;
        int rm = modrm & 7;
        boolean direct = mode == 0 && rm == 6;
        int base = direct ? NONE : PAIRS[rm][0];
        int displacementBytes = direct ? 2 : mode;
        for (int i = 0; i < 4; i++) {
          registers(values::next);
          int displacement = values.below(0x10000);
          int signed =
              switch (displacementBytes) {
                case 0 -> 0;
                case 1 -> (byte) displacement;
                default -> displacement;
              };
          long sum = value(base) + value(PAIRS[rm][1]) + signed;
          int[] tail = Code.with(new int[] {modrm}, displacementBytes, displacement);
          check(codeSize, 2, tail, sum & 0xFFFF, base == Cpu.RBP ? Cpu.SS : Cpu.DS);
        }
      }
    }
  }

  @Test
  void everyModrmAndSibWith32BitAddresses() {
    for (int codeSize : new int[] {2, 4}) {
      setUp(codeSize);
      for (int modrm = 0; modrm < 0xC0; modrm++) {
        boolean hasSib = (modrm & 7) == 4;
        for (int sib = 0; sib < (hasSib ? 256 : 1); sib++) {
          // Small enough for the segments of this test, whatever the scale.
          registers(() -> values.below(0x1_0000));
          int mode = modrm >> 6;
          int base = hasSib ? sib & 7 : modrm & 7;
          int index = hasSib && (sib >> 3 & 7) != 4 ? sib >> 3 & 7 : NONE;
          boolean noBase = base == 5 && mode == 0;
          int displacementBytes = noBase || mode == 2 ? 4 : mode;
          int displacement = displacementBytes == 1 ? values.below(128) : values.below(0x1_0000);
          long sum =
              (noBase ? 0 : value(base))
                  + (value(index) << (hasSib ? sib >> 6 : 0))
                  + (displacementBytes == 0 ? 0 : displacement);
          int[] tail = hasSib ? new int[] {modrm, sib} : new int[] {modrm};
          boolean stack = !noBase && (base == Cpu.RSP || base == Cpu.RBP);
          check(
              codeSize,
              4,
              Code.with(tail, displacementBytes, displacement),
              sum & 0xFFFF_FFFFL,
              stack ? Cpu.SS : Cpu.DS);
        }
      }
    }
  }

  private void registers(LongSupplier source) {
    for (int r = 0; r < 8; r++) {
      cpu.gpr[r] = source.getAsLong() & 0xFFFF_FFFFL;
    }
  }

  private long value(int register) {
    return register == NONE ? 0 : cpu.gpr[register];
  }

  /** LEA and MOV of the operand, without and with each segment override. */
  private void check(int codeSize, int addressSize, int[] tail, long address, int segment) {
    int[] prefix = addressSize == codeSize ? new int[0] : new int[] {0x67};
    int destination = tail[0] >> 3 & 7;
    long[] saved = Arrays.copyOf(cpu.gpr, 8);
    int[] wide = codeSize == 4 ? new int[0] : new int[] {0x66};
    bare.code(Code.join(prefix, wide, new int[] {0x8D}, tail));
    assertThat(bare.run()).isEqualTo(-1);
    assertThat(cpu.gpr[destination]).as("LEA %s", Arrays.toString(tail)).isEqualTo(address);

    int override = values.below(7) - 1;
    int[] overridden = override < 0 ? new int[0] : new int[] {OVERRIDES[override]};
    if (override == Cpu.CS) {
      return; // code lies in the flat segment
    }
    System.arraycopy(saved, 0, cpu.gpr, 0, 8);
    // MOVZX r32, byte
    bare.code(Code.join(prefix, overridden, wide, new int[] {0x0F, 0xB6}, tail));
    assertThat(bare.run()).isEqualTo(-1);
    assertThat(cpu.gpr[destination])
        .as("segment of %s", Arrays.toString(tail))
        .isEqualTo(override < 0 ? segment : override);
    System.arraycopy(saved, 0, cpu.gpr, 0, 8);
  }
}

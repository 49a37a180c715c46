package io.vmm4j.engine.software.fpu;

import io.vmm4j.engine.software.cpu.Cpu;
import io.vmm4j.engine.software.cpu.Flags;
import io.vmm4j.engine.software.cpu.Instruction;

/** PCMPESTRM, PCMPESTRI, PCMPISTRM, PCMPISTRI (Intel SDM volume 2, 4.1). */
final class SimdStrings {
  private SimdStrings() {}

  static void execute(Cpu cpu, Instruction in) {
    Operands.requireSse(cpu);
    long bl = Operands.loadUnaligned128(cpu, in);
    long bh = cpu.fpu.operandHigh;
    long[] xmm = cpu.fpu.xmm;
    long al = xmm[2 * in.reg];
    long ah = xmm[2 * in.reg + 1];
    int mode = (int) in.imm;
    boolean words = (mode & 1) != 0;
    int lanes = words ? 8 : 16;
    boolean implicit = (in.opcode & 2) != 0;
    int lengthA = implicit ? length(al, ah, words) : explicit(cpu, in, Cpu.RAX, lanes);
    int lengthB = implicit ? length(bl, bh, words) : explicit(cpu, in, Cpu.RDX, lanes);
    int result = aggregate(mode, al, ah, lengthA, bl, bh, lengthB);
    int all = (1 << lanes) - 1;
    if ((mode & 0x30) == 0x10) {
      result ^= all;
    } else if ((mode & 0x30) == 0x30) {
      result ^= (1 << lengthB) - 1;
    }
    result &= all;
    if ((in.opcode & 1) != 0) {
      int index = (mode & 0x40) == 0 ? Integer.numberOfTrailingZeros(result) : top(result, lanes);
      cpu.gpr[Cpu.RCX] = result == 0 ? lanes : index;
    } else {
      mask(cpu, result, lanes, (mode & 0x40) != 0);
    }
    cpu.setArithmeticFlags(
        (result != 0 ? Flags.CF : 0)
            | (lengthB < lanes ? Flags.ZF : 0)
            | (lengthA < lanes ? Flags.SF : 0)
            | ((result & 1) != 0 ? Flags.OF : 0));
  }

  private static int top(int result, int lanes) {
    return result == 0 ? lanes : 31 - Integer.numberOfLeadingZeros(result);
  }

  private static void mask(Cpu cpu, int result, int lanes, boolean expand) {
    long low = result;
    long high = 0;
    if (expand) {
      low = 0;
      int bits = 128 / lanes;
      long ones = (1L << bits) - 1;
      for (int i = 0; i < lanes; i++) {
        long lane = (result >> i & 1) != 0 ? ones : 0;
        if (i < lanes / 2) {
          low |= lane << i * bits;
        } else {
          high |= lane << (i - lanes / 2) * bits;
        }
      }
    }
    cpu.fpu.xmm[0] = low;
    cpu.fpu.xmm[1] = high;
  }

  private static int explicit(Cpu cpu, Instruction in, int register, int lanes) {
    long value = in.rexW ? cpu.gpr[register] : (int) cpu.gpr[register];
    return value > lanes || value < -lanes ? lanes : (int) Math.abs(value);
  }

  private static int length(long low, long high, boolean words) {
    int lanes = words ? 8 : 16;
    for (int i = 0; i < lanes; i++) {
      if (lane(low, high, i, words, false) == 0) {
        return i;
      }
    }
    return lanes;
  }

  private static int lane(long low, long high, int i, boolean words, boolean signed) {
    if (words) {
      int value = (int) ((i < 4 ? low : high) >>> 16 * (i & 3));
      return signed ? (short) value : value & 0xffff;
    }
    int value = (int) ((i < 8 ? low : high) >>> 8 * (i & 7));
    return signed ? (byte) value : value & 0xff;
  }

  /** Intermediate result 1, a bit for each lane of the second operand. */
  private static int aggregate(
      int mode, long al, long ah, int lengthA, long bl, long bh, int lengthB) {
    boolean words = (mode & 1) != 0;
    boolean signed = (mode & 2) != 0;
    int lanes = words ? 8 : 16;
    int result = 0;
    for (int j = 0; j < lanes; j++) {
      int b = lane(bl, bh, j, words, signed);
      boolean hit =
          switch (mode >> 2 & 3) {
            case 0 -> {
              boolean any = false;
              for (int i = 0; i < lengthA && j < lengthB; i++) {
                any |= lane(al, ah, i, words, signed) == b;
              }
              yield any;
            }
            case 1 -> {
              boolean any = false;
              for (int i = 0; i + 1 < lengthA && j < lengthB; i += 2) {
                any |=
                    lane(al, ah, i, words, signed) <= b && b <= lane(al, ah, i + 1, words, signed);
              }
              yield any;
            }
            case 2 -> {
              boolean validA = j < lengthA;
              boolean validB = j < lengthB;
              yield validA && validB ? lane(al, ah, j, words, signed) == b : validA == validB;
            }
            default -> {
              boolean match = true;
              for (int i = 0; i < lengthA && i + j < lanes; i++) {
                match &=
                    i + j < lengthB
                        && lane(al, ah, i, words, signed) == lane(bl, bh, i + j, words, signed);
              }
              yield match;
            }
          };
      result |= hit ? 1 << j : 0;
    }
    return result;
  }
}

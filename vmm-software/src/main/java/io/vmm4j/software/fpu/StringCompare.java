package io.vmm4j.software.fpu;

import static io.vmm4j.software.cpu.Mnemonic.PCMPESTRI;
import static io.vmm4j.software.cpu.Mnemonic.PCMPISTRI;
import static io.vmm4j.software.cpu.Mnemonic.PCMPISTRM;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Flags;
import io.vmm4j.software.cpu.Instruction;

/** PCMPESTRM, PCMPESTRI, PCMPISTRM and PCMPISTRI (Intel SDM volume 2, 4.1). */
final class StringCompare {
  private StringCompare() {}

  static void execute(Cpu cpu, Instruction in) {
    int op = in.mnemonic;
    long bl = Operands.loadUnaligned128(cpu, in);
    long bh = cpu.fpu.operandHigh;
    long al = cpu.fpu.xmm[2 * in.reg];
    long ah = cpu.fpu.xmm[2 * in.reg + 1];
    int imm = (int) in.imm & 0xff;
    int count = (imm & 1) != 0 ? 8 : 16;
    boolean implicit = op == PCMPISTRM || op == PCMPISTRI;
    int aLength = implicit ? implied(al, ah, imm, count) : given(cpu, in, Cpu.RAX, count);
    int bLength = implicit ? implied(bl, bh, imm, count) : given(cpu, in, Cpu.RDX, count);
    int all = (1 << count) - 1;
    int result = aggregate(al, ah, aLength, bl, bh, bLength, imm, count);
    if ((imm & 0x10) != 0) {
      result ^= (imm & 0x20) != 0 ? (1 << bLength) - 1 : all;
    }
    if (op == PCMPESTRI || op == PCMPISTRI) {
      int index =
          result == 0
              ? count
              : (imm & 0x40) != 0
                  ? 31 - Integer.numberOfLeadingZeros(result)
                  : Integer.numberOfTrailingZeros(result);
      cpu.gpr[Cpu.RCX] = index;
    } else if ((imm & 0x40) == 0) {
      cpu.fpu.xmm[0] = result;
      cpu.fpu.xmm[1] = 0;
    } else {
      int width = 128 / count;
      cpu.fpu.xmm[0] = expand(result, width);
      cpu.fpu.xmm[1] = expand(result >> count / 2, width);
    }
    cpu.setArithmeticFlags(
        (result != 0 ? Flags.CF : 0)
            | (bLength < count ? Flags.ZF : 0)
            | (aLength < count ? Flags.SF : 0)
            | ((result & 1) != 0 ? Flags.OF : 0));
  }

  private static long expand(int mask, int width) {
    long lane = (1L << width) - 1;
    long result = 0;
    for (int i = 0; i * width < 64; i++) {
      result |= (mask >> i & 1) != 0 ? lane << i * width : 0;
    }
    return result;
  }

  /** An explicit length: the magnitude of EAX or EDX (RAX, RDX with REX.W), at most the count. */
  private static int given(Cpu cpu, Instruction in, int register, int count) {
    long value = in.rexW ? cpu.gpr[register] : (int) cpu.gpr[register];
    long magnitude = Math.abs(value);
    return magnitude < 0 || magnitude > count ? count : (int) magnitude;
  }

  /** An implicit length: up to the first zero element. */
  private static int implied(long low, long high, int imm, int count) {
    for (int i = 0; i < count; i++) {
      if (element(low, high, i, imm) == 0) {
        return i;
      }
    }
    return count;
  }

  private static int element(long low, long high, int index, int imm) {
    if ((imm & 1) != 0) {
      int word = (int) ((index < 4 ? low : high) >>> 16 * (index & 3));
      return (imm & 2) != 0 ? (short) word : word & 0xffff;
    }
    int value = (int) ((index < 8 ? low : high) >>> 8 * (index & 7));
    return (imm & 2) != 0 ? (byte) value : value & 0xff;
  }

  private static int aggregate(
      long al, long ah, int aLength, long bl, long bh, int bLength, int imm, int count) {
    int mode = imm >> 2 & 3;
    int result = 0;
    for (int j = 0; j < count; j++) {
      boolean hit =
          switch (mode) {
            case 0 -> j < bLength && anyEqual(al, ah, aLength, element(bl, bh, j, imm), imm);
            case 1 -> j < bLength && inRange(al, ah, aLength, element(bl, bh, j, imm), imm);
            case 2 ->
                j < aLength && j < bLength
                    ? element(al, ah, j, imm) == element(bl, bh, j, imm)
                    : j >= aLength && j >= bLength;
            default -> ordered(al, ah, aLength, bl, bh, bLength, imm, count, j);
          };
      result |= hit ? 1 << j : 0;
    }
    return result;
  }

  private static boolean anyEqual(long al, long ah, int length, int value, int imm) {
    for (int i = 0; i < length; i++) {
      if (element(al, ah, i, imm) == value) {
        return true;
      }
    }
    return false;
  }

  private static boolean inRange(long al, long ah, int length, int value, int imm) {
    for (int i = 0; i + 1 < length; i += 2) {
      if (value >= element(al, ah, i, imm) && value <= element(al, ah, i + 1, imm)) {
        return true;
      }
    }
    return false;
  }

  /** Whether the first operand stands in the second at {@code at}, as far as that reaches. */
  private static boolean ordered(
      long al, long ah, int aLength, long bl, long bh, int bLength, int imm, int count, int at) {
    for (int i = 0; i < aLength && at + i < count; i++) {
      if (at + i >= bLength || element(al, ah, i, imm) != element(bl, bh, at + i, imm)) {
        return false;
      }
    }
    return true;
  }
}

package io.vmm4j.engine.software.fpu;

import io.vmm4j.engine.software.cpu.Cpu;
import io.vmm4j.engine.software.cpu.Flags;
import io.vmm4j.engine.software.cpu.Instruction;

/** Floating-point arithmetic, logic and comparison of SSE to SSE3 in the map 0F. */
final class SimdArithmetic {
  private SimdArithmetic() {}

  static void execute(Cpu cpu, Instruction in) {
    Operands.requireSse(cpu);
    cpu.fpu.simd.clear();
    int op = in.opcode & 0xff;
    switch (op) {
      case 0x2e, 0x2f -> compareToFlags(cpu, in, op == 0x2e);
      case 0x54, 0x55, 0x56, 0x57 -> logic(cpu, in, op);
      case 0x7c, 0x7d, 0xd0 -> horizontal(cpu, in, op);
      default -> arithmetic(cpu, in, op);
    }
  }

  private static void compareToFlags(Cpu cpu, Instruction in, boolean quiet) {
    SimdFloat simd = cpu.fpu.simd;
    long a = cpu.fpu.xmm[2 * in.reg];
    int relation =
        switch (in.mandatoryPrefix) {
          case Instruction.PREFIX_NONE ->
              simd.compareSingle((int) a, Operands.load32(cpu, in), quiet);
          case Instruction.PREFIX_66 -> simd.compareDouble(a, Operands.load64(cpu, in), quiet);
          default -> throw cpu.undefined(in);
        };
    Operands.settle(cpu);
    cpu.setArithmeticFlags(
        relation == 2
            ? Flags.ZF | Flags.PF | Flags.CF
            : relation == 0 ? Flags.ZF : relation < 0 ? Flags.CF : 0);
  }

  private static void logic(Cpu cpu, Instruction in, int op) {
    if (in.mandatoryPrefix > Instruction.PREFIX_66) {
      throw cpu.undefined(in);
    }
    long bl = Operands.load128(cpu, in);
    long bh = cpu.fpu.operandHigh;
    long[] xmm = cpu.fpu.xmm;
    int d = 2 * in.reg;
    switch (op) {
      case 0x54 -> {
        xmm[d] &= bl;
        xmm[d + 1] &= bh;
      }
      case 0x55 -> {
        xmm[d] = ~xmm[d] & bl;
        xmm[d + 1] = ~xmm[d + 1] & bh;
      }
      case 0x56 -> {
        xmm[d] |= bl;
        xmm[d + 1] |= bh;
      }
      default -> {
        xmm[d] ^= bl;
        xmm[d + 1] ^= bh;
      }
    }
  }

  private static void arithmetic(Cpu cpu, Instruction in, int op) {
    FpuState fpu = cpu.fpu;
    SimdFloat simd = fpu.simd;
    long[] xmm = fpu.xmm;
    int d = 2 * in.reg;
    int predicate = (int) in.imm & 7;
    boolean doubles =
        in.mandatoryPrefix == Instruction.PREFIX_66 || in.mandatoryPrefix == Instruction.PREFIX_F2;
    if (doubles && (op == 0x52 || op == 0x53)) {
      throw cpu.undefined(in);
    }
    switch (in.mandatoryPrefix) {
      case Instruction.PREFIX_F2 -> {
        long result = twice(cpu, in, op, xmm[d], Operands.load64(cpu, in), predicate);
        Operands.settle(cpu);
        xmm[d] = result;
      }
      case Instruction.PREFIX_F3 -> {
        int result = single(simd, op, (int) xmm[d], Operands.load32(cpu, in), predicate);
        Operands.settle(cpu);
        xmm[d] = Packed.pair(result, xmm[d] >>> 32);
      }
      case Instruction.PREFIX_66 -> {
        long bl = Operands.load128(cpu, in);
        long bh = fpu.operandHigh;
        long low = twice(cpu, in, op, xmm[d], bl, predicate);
        long high = twice(cpu, in, op, xmm[d + 1], bh, predicate);
        Operands.settle(cpu);
        xmm[d] = low;
        xmm[d + 1] = high;
      }
      default -> {
        long bl = Operands.load128(cpu, in);
        long bh = fpu.operandHigh;
        long low = singles(simd, op, xmm[d], bl, predicate);
        long high = singles(simd, op, xmm[d + 1], bh, predicate);
        Operands.settle(cpu);
        xmm[d] = low;
        xmm[d + 1] = high;
      }
    }
  }

  private static long singles(SimdFloat simd, int op, long a, long b, int predicate) {
    int low = single(simd, op, (int) a, (int) b, predicate);
    return Packed.pair(low, single(simd, op, (int) (a >>> 32), (int) (b >>> 32), predicate));
  }

  private static long twice(Cpu cpu, Instruction in, int op, long a, long b, int predicate) {
    SimdFloat simd = cpu.fpu.simd;
    return switch (op) {
      case 0x51 -> simd.squareRootDouble(b);
      case 0x58 -> simd.addDouble(a, b);
      case 0x59 -> simd.multiplyDouble(a, b);
      case 0x5c -> simd.subtractDouble(a, b);
      case 0x5d -> simd.minimumDouble(a, b);
      case 0x5e -> simd.divideDouble(a, b);
      case 0x5f -> simd.maximumDouble(a, b);
      case 0xc2 -> simd.matchesDouble(a, b, predicate) ? -1 : 0;
      default -> throw cpu.undefined(in);
    };
  }

  private static int single(SimdFloat simd, int op, int a, int b, int predicate) {
    return switch (op) {
      case 0x51 -> simd.squareRootSingle(b);
      case 0x52 -> estimate(b, true);
      case 0x53 -> estimate(b, false);
      case 0x58 -> simd.addSingle(a, b);
      case 0x59 -> simd.multiplySingle(a, b);
      case 0x5c -> simd.subtractSingle(a, b);
      case 0x5d -> simd.minimumSingle(a, b);
      case 0x5e -> simd.divideSingle(a, b);
      case 0x5f -> simd.maximumSingle(a, b);
      default -> simd.matchesSingle(a, b, predicate) ? -1 : 0;
    };
  }

  /**
   * RSQRTPS and RCPPS: 12 bits of the exact value, within the 1.5·2^-12 allowed; no exceptions,
   * denormals count as zeros.
   */
  private static int estimate(int b, boolean root) {
    int magnitude = b & 0x7fff_ffff;
    int sign = b & 0x8000_0000;
    if (magnitude > 0x7f80_0000) {
      return b | 0x0040_0000;
    }
    if (magnitude < 0x0080_0000) {
      return sign | 0x7f80_0000;
    }
    if (root && sign != 0) {
      return 0xffc0_0000;
    }
    double x = Float.intBitsToFloat(b);
    int result = Float.floatToRawIntBits((float) (1 / (root ? Math.sqrt(x) : x)));
    if ((result & 0x7f80_0000) == 0) {
      return sign;
    }
    return result + 0x400 & 0xffff_f800;
  }

  private static void horizontal(Cpu cpu, Instruction in, int op) {
    long bl = Operands.load128(cpu, in);
    long bh = cpu.fpu.operandHigh;
    long al = cpu.fpu.xmm[2 * in.reg];
    long ah = cpu.fpu.xmm[2 * in.reg + 1];
    SimdFloat simd = cpu.fpu.simd;
    boolean subtract = op == 0x7d;
    long low;
    long high;
    if (in.mandatoryPrefix == Instruction.PREFIX_66) {
      if (op == 0xd0) {
        low = simd.subtractDouble(al, bl);
        high = simd.addDouble(ah, bh);
      } else {
        low = subtract ? simd.subtractDouble(al, ah) : simd.addDouble(al, ah);
        high = subtract ? simd.subtractDouble(bl, bh) : simd.addDouble(bl, bh);
      }
    } else if (in.mandatoryPrefix == Instruction.PREFIX_F2) {
      if (op == 0xd0) {
        low = alternate(simd, al, bl);
        high = alternate(simd, ah, bh);
      } else {
        low = Packed.pair(across(simd, al, subtract), across(simd, ah, subtract));
        high = Packed.pair(across(simd, bl, subtract), across(simd, bh, subtract));
      }
    } else {
      throw cpu.undefined(in);
    }
    Operands.settle(cpu);
    cpu.fpu.xmm[2 * in.reg] = low;
    cpu.fpu.xmm[2 * in.reg + 1] = high;
  }

  private static long alternate(SimdFloat simd, long a, long b) {
    int low = simd.subtractSingle((int) a, (int) b);
    return Packed.pair(low, simd.addSingle((int) (a >>> 32), (int) (b >>> 32)));
  }

  private static int across(SimdFloat simd, long a, boolean subtract) {
    int high = (int) (a >>> 32);
    return subtract ? simd.subtractSingle((int) a, high) : simd.addSingle((int) a, high);
  }
}

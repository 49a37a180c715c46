package io.vmm4j.software.fpu;

import static io.vmm4j.software.cpu.Mnemonic.ADDPD;
import static io.vmm4j.software.cpu.Mnemonic.ADDPS;
import static io.vmm4j.software.cpu.Mnemonic.ADDSD;
import static io.vmm4j.software.cpu.Mnemonic.ADDSS;
import static io.vmm4j.software.cpu.Mnemonic.ADDSUBPD;
import static io.vmm4j.software.cpu.Mnemonic.ADDSUBPS;
import static io.vmm4j.software.cpu.Mnemonic.ANDNPD;
import static io.vmm4j.software.cpu.Mnemonic.ANDNPS;
import static io.vmm4j.software.cpu.Mnemonic.ANDPD;
import static io.vmm4j.software.cpu.Mnemonic.ANDPS;
import static io.vmm4j.software.cpu.Mnemonic.CMPPD;
import static io.vmm4j.software.cpu.Mnemonic.CMPSD;
import static io.vmm4j.software.cpu.Mnemonic.COMISD;
import static io.vmm4j.software.cpu.Mnemonic.COMISS;
import static io.vmm4j.software.cpu.Mnemonic.DIVPD;
import static io.vmm4j.software.cpu.Mnemonic.DIVPS;
import static io.vmm4j.software.cpu.Mnemonic.DIVSD;
import static io.vmm4j.software.cpu.Mnemonic.DIVSS;
import static io.vmm4j.software.cpu.Mnemonic.HADDPD;
import static io.vmm4j.software.cpu.Mnemonic.HADDPS;
import static io.vmm4j.software.cpu.Mnemonic.HSUBPD;
import static io.vmm4j.software.cpu.Mnemonic.HSUBPS;
import static io.vmm4j.software.cpu.Mnemonic.MAXPD;
import static io.vmm4j.software.cpu.Mnemonic.MAXPS;
import static io.vmm4j.software.cpu.Mnemonic.MAXSD;
import static io.vmm4j.software.cpu.Mnemonic.MAXSS;
import static io.vmm4j.software.cpu.Mnemonic.MINPD;
import static io.vmm4j.software.cpu.Mnemonic.MINPS;
import static io.vmm4j.software.cpu.Mnemonic.MINSD;
import static io.vmm4j.software.cpu.Mnemonic.MINSS;
import static io.vmm4j.software.cpu.Mnemonic.MULPD;
import static io.vmm4j.software.cpu.Mnemonic.MULPS;
import static io.vmm4j.software.cpu.Mnemonic.MULSD;
import static io.vmm4j.software.cpu.Mnemonic.MULSS;
import static io.vmm4j.software.cpu.Mnemonic.ORPD;
import static io.vmm4j.software.cpu.Mnemonic.ORPS;
import static io.vmm4j.software.cpu.Mnemonic.RCPPS;
import static io.vmm4j.software.cpu.Mnemonic.RCPSS;
import static io.vmm4j.software.cpu.Mnemonic.RSQRTPS;
import static io.vmm4j.software.cpu.Mnemonic.RSQRTSS;
import static io.vmm4j.software.cpu.Mnemonic.SQRTPD;
import static io.vmm4j.software.cpu.Mnemonic.SQRTPS;
import static io.vmm4j.software.cpu.Mnemonic.SQRTSD;
import static io.vmm4j.software.cpu.Mnemonic.SQRTSS;
import static io.vmm4j.software.cpu.Mnemonic.SUBPD;
import static io.vmm4j.software.cpu.Mnemonic.SUBPS;
import static io.vmm4j.software.cpu.Mnemonic.SUBSD;
import static io.vmm4j.software.cpu.Mnemonic.SUBSS;
import static io.vmm4j.software.cpu.Mnemonic.UCOMISD;
import static io.vmm4j.software.cpu.Mnemonic.UCOMISS;
import static io.vmm4j.software.cpu.Mnemonic.XORPD;
import static io.vmm4j.software.cpu.Mnemonic.XORPS;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Flags;
import io.vmm4j.software.cpu.Instruction;

/** Floating-point arithmetic, logic and comparison of SSE to SSE3. */
final class SimdArithmetic {
  private SimdArithmetic() {}

  static void execute(Cpu cpu, Instruction in) {
    Operands.requireSse(cpu);
    cpu.fpu.simd.clear();
    switch (in.mnemonic) {
      case UCOMISS, UCOMISD, COMISS, COMISD -> compareToFlags(cpu, in);
      default -> packed(cpu, in);
    }
  }

  static void compareToFlags(Cpu cpu, Instruction in) {
    SimdFloat simd = cpu.fpu.simd;
    long a = cpu.fpu.xmm[2 * in.reg];
    int relation =
        switch (in.mnemonic) {
          case UCOMISS -> simd.compareSingle((int) a, Operands.load32(cpu, in), true);
          case COMISS -> simd.compareSingle((int) a, Operands.load32(cpu, in), false);
          case UCOMISD -> simd.compareDouble(a, Operands.load64(cpu, in), true);
          default -> simd.compareDouble(a, Operands.load64(cpu, in), false);
        };
    Operands.settle(cpu);
    cpu.setArithmeticFlags(
        relation == 2
            ? Flags.ZF | Flags.PF | Flags.CF
            : relation == 0 ? Flags.ZF : relation < 0 ? Flags.CF : 0);
  }

  private static void packed(Cpu cpu, Instruction in) {
    long[] xmm = cpu.fpu.xmm;
    int d = 2 * in.reg;
    long bl =
        switch (in.form.fixedOperandBytes()) {
          case 4 -> Operands.load32(cpu, in);
          case 8 -> Operands.load64(cpu, in);
          default -> Operands.load128(cpu, in);
        };
    long low = lane(cpu, in, xmm[d], xmm[d + 1], bl, cpu.fpu.operandHigh);
    Operands.settle(cpu);
    xmm[d] = low;
    xmm[d + 1] = cpu.fpu.resultHigh;
  }

  /** The result in 128 bits of two operands, but for comparisons to flags. */
  static long lane(Cpu cpu, Instruction in, long al, long ah, long bl, long bh) {
    return switch (in.mnemonic) {
      case ANDPS, ANDPD, ANDNPS, ANDNPD, ORPS, ORPD, XORPS, XORPD -> {
        cpu.fpu.resultHigh = logic(in.mnemonic, ah, bh);
        yield logic(in.mnemonic, al, bl);
      }
      case HADDPS, HADDPD, HSUBPS, HSUBPD, ADDSUBPS, ADDSUBPD ->
          horizontal(cpu, in, al, ah, bl, bh);
      default -> arithmetic(cpu, in, al, ah, bl, bh);
    };
  }

  private static long logic(int op, long a, long b) {
    return switch (op) {
      case ANDPS, ANDPD -> a & b;
      case ANDNPS, ANDNPD -> ~a & b;
      case ORPS, ORPD -> a | b;
      default -> a ^ b;
    };
  }

  private static long arithmetic(Cpu cpu, Instruction in, long al, long ah, long bl, long bh) {
    FpuState fpu = cpu.fpu;
    SimdFloat simd = fpu.simd;
    int op = in.mnemonic;
    int predicate = (int) in.imm & (in.vex ? 31 : 7);
    switch (in.mandatoryPrefix) {
      case Instruction.PREFIX_F2 -> {
        fpu.resultHigh = ah;
        return twice(cpu, in, op, al, bl, predicate);
      }
      case Instruction.PREFIX_F3 -> {
        fpu.resultHigh = ah;
        return Packed.pair(single(simd, op, (int) al, (int) bl, predicate), al >>> 32);
      }
      case Instruction.PREFIX_66 -> {
        long low = twice(cpu, in, op, al, bl, predicate);
        fpu.resultHigh = twice(cpu, in, op, ah, bh, predicate);
        return low;
      }
      default -> {
        long low = singles(simd, op, al, bl, predicate);
        fpu.resultHigh = singles(simd, op, ah, bh, predicate);
        return low;
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
      case SQRTPD, SQRTSD -> simd.squareRootDouble(b);
      case ADDPD, ADDSD -> simd.addDouble(a, b);
      case MULPD, MULSD -> simd.multiplyDouble(a, b);
      case SUBPD, SUBSD -> simd.subtractDouble(a, b);
      case MINPD, MINSD -> simd.minimumDouble(a, b);
      case DIVPD, DIVSD -> simd.divideDouble(a, b);
      case MAXPD, MAXSD -> simd.maximumDouble(a, b);
      case CMPPD, CMPSD -> simd.matchesDouble(a, b, predicate) ? -1 : 0;
      default -> throw cpu.undefined(in);
    };
  }

  private static int single(SimdFloat simd, int op, int a, int b, int predicate) {
    return switch (op) {
      case SQRTPS, SQRTSS -> simd.squareRootSingle(b);
      case RSQRTPS, RSQRTSS -> estimate(b, true);
      case RCPPS, RCPSS -> estimate(b, false);
      case ADDPS, ADDSS -> simd.addSingle(a, b);
      case MULPS, MULSS -> simd.multiplySingle(a, b);
      case SUBPS, SUBSS -> simd.subtractSingle(a, b);
      case MINPS, MINSS -> simd.minimumSingle(a, b);
      case DIVPS, DIVSS -> simd.divideSingle(a, b);
      case MAXPS, MAXSS -> simd.maximumSingle(a, b);
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

  private static long horizontal(Cpu cpu, Instruction in, long al, long ah, long bl, long bh) {
    SimdFloat simd = cpu.fpu.simd;
    long low;
    long high;
    switch (in.mnemonic) {
      case HADDPD -> {
        low = simd.addDouble(al, ah);
        high = simd.addDouble(bl, bh);
      }
      case HSUBPD -> {
        low = simd.subtractDouble(al, ah);
        high = simd.subtractDouble(bl, bh);
      }
      case ADDSUBPD -> {
        low = simd.subtractDouble(al, bl);
        high = simd.addDouble(ah, bh);
      }
      case ADDSUBPS -> {
        low = alternate(simd, al, bl);
        high = alternate(simd, ah, bh);
      }
      default -> {
        boolean subtract = in.mnemonic == HSUBPS;
        low = Packed.pair(across(simd, al, subtract), across(simd, ah, subtract));
        high = Packed.pair(across(simd, bl, subtract), across(simd, bh, subtract));
      }
    }
    cpu.fpu.resultHigh = high;
    return low;
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

package io.vmm4j.software.fpu;

import static io.vmm4j.software.cpu.Mnemonic.CVTDQ2PD;
import static io.vmm4j.software.cpu.Mnemonic.CVTDQ2PS;
import static io.vmm4j.software.cpu.Mnemonic.CVTPD2DQ;
import static io.vmm4j.software.cpu.Mnemonic.CVTPD2PS;
import static io.vmm4j.software.cpu.Mnemonic.CVTPS2DQ;
import static io.vmm4j.software.cpu.Mnemonic.CVTPS2PD;
import static io.vmm4j.software.cpu.Mnemonic.CVTSD2SI;
import static io.vmm4j.software.cpu.Mnemonic.CVTSD2SS;
import static io.vmm4j.software.cpu.Mnemonic.CVTSI2SD;
import static io.vmm4j.software.cpu.Mnemonic.CVTSI2SS;
import static io.vmm4j.software.cpu.Mnemonic.CVTSS2SD;
import static io.vmm4j.software.cpu.Mnemonic.CVTSS2SI;
import static io.vmm4j.software.cpu.Mnemonic.CVTTPD2DQ;
import static io.vmm4j.software.cpu.Mnemonic.CVTTPS2DQ;
import static io.vmm4j.software.cpu.Mnemonic.CVTTSD2SI;
import static io.vmm4j.software.cpu.Mnemonic.CVTTSS2SI;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Instruction;

/** VEX forms of conversions (Intel SDM volume 2). */
final class AvxConvert {
  private AvxConvert() {}

  static void execute(Cpu cpu, Instruction in) {
    switch (in.mnemonic) {
      case CVTSI2SS, CVTSI2SD -> fromGeneral(cpu, in);
      case CVTTSS2SI -> SimdConvert.toGeneral(cpu, in, false, true);
      case CVTTSD2SI -> SimdConvert.toGeneral(cpu, in, true, true);
      case CVTSS2SI -> SimdConvert.toGeneral(cpu, in, false, false);
      case CVTSD2SI -> SimdConvert.toGeneral(cpu, in, true, false);
      case CVTSS2SD -> {
        long low = cpu.fpu.simd.singleToDouble(Operands.load32(cpu, in));
        scalar(cpu, in, low);
      }
      case CVTSD2SS -> {
        int low = cpu.fpu.simd.doubleToSingle(Operands.load64(cpu, in));
        scalar(cpu, in, Packed.pair(low, cpu.fpu.xmm[2 * in.vexRegister] >>> 32));
      }
      case CVTPS2PD, CVTDQ2PD -> widen(cpu, in);
      case CVTPD2PS, CVTPD2DQ, CVTTPD2DQ -> narrow(cpu, in);
      default -> sameSize(cpu, in);
    }
  }

  private static void scalar(Cpu cpu, Instruction in, long low) {
    Operands.settle(cpu);
    Avx.set(cpu.fpu, in.reg, low, cpu.fpu.xmm[2 * in.vexRegister + 1], 0, 0);
  }

  private static void fromGeneral(Cpu cpu, Instruction in) {
    SimdFloat simd = cpu.fpu.simd;
    long value = Operands.loadInteger(cpu, in, in.rexW);
    if (!in.rexW) {
      value = (int) value;
    }
    long above = cpu.fpu.xmm[2 * in.vexRegister] >>> 32;
    scalar(
        cpu,
        in,
        in.mnemonic == CVTSI2SD
            ? simd.integerToDouble(value)
            : Packed.pair(simd.integerToSingle(value), above));
  }

  /** To 64 bits from 32. */
  private static void widen(Cpu cpu, Instruction in) {
    long[] s = cpu.fpu.source;
    Operands.loadVector(cpu, in);
    long a = widened(cpu, in, (int) s[0]);
    long b = widened(cpu, in, (int) (s[0] >>> 32));
    long c = in.vexL ? widened(cpu, in, (int) s[1]) : 0;
    long d = in.vexL ? widened(cpu, in, (int) (s[1] >>> 32)) : 0;
    Operands.settle(cpu);
    Avx.set(cpu.fpu, in.reg, a, b, c, d);
  }

  private static long widened(Cpu cpu, Instruction in, int lane) {
    SimdFloat simd = cpu.fpu.simd;
    return in.mnemonic == CVTPS2PD ? simd.singleToDouble(lane) : simd.integerToDouble(lane);
  }

  /** To 32 bits from 64. */
  private static void narrow(Cpu cpu, Instruction in) {
    long[] s = cpu.fpu.source;
    Operands.loadVector(cpu, in);
    long low = narrowed(cpu, in, s[0], s[1]);
    long high = in.vexL ? narrowed(cpu, in, s[2], s[3]) : 0;
    Operands.settle(cpu);
    Avx.set(cpu.fpu, in.reg, low, high, 0, 0);
  }

  private static long narrowed(Cpu cpu, Instruction in, long first, long second) {
    SimdFloat simd = cpu.fpu.simd;
    if (in.mnemonic == CVTPD2PS) {
      int low = simd.doubleToSingle(first);
      return Packed.pair(low, simd.doubleToSingle(second));
    }
    return SimdConvert.doublePair(simd, first, second, in.mnemonic == CVTTPD2DQ);
  }

  private static void sameSize(Cpu cpu, Instruction in) {
    long[] s = cpu.fpu.source;
    Operands.loadVector(cpu, in);
    long a = converted(cpu, in, s[0]);
    long b = converted(cpu, in, s[1]);
    long c = in.vexL ? converted(cpu, in, s[2]) : 0;
    long d = in.vexL ? converted(cpu, in, s[3]) : 0;
    Operands.settle(cpu);
    Avx.set(cpu.fpu, in.reg, a, b, c, d);
  }

  private static long converted(Cpu cpu, Instruction in, long pair) {
    SimdFloat simd = cpu.fpu.simd;
    return switch (in.mnemonic) {
      case CVTDQ2PS -> SimdConvert.singles(simd, pair);
      case CVTPS2DQ -> SimdConvert.singlePair(simd, pair, false);
      case CVTTPS2DQ -> SimdConvert.singlePair(simd, pair, true);
      default -> throw cpu.undefined(in);
    };
  }
}

package io.vmm4j.software.fpu;

import static io.vmm4j.software.cpu.Mnemonic.CVTDQ2PD;
import static io.vmm4j.software.cpu.Mnemonic.CVTDQ2PS;
import static io.vmm4j.software.cpu.Mnemonic.CVTPD2DQ;
import static io.vmm4j.software.cpu.Mnemonic.CVTPD2PI;
import static io.vmm4j.software.cpu.Mnemonic.CVTPD2PS;
import static io.vmm4j.software.cpu.Mnemonic.CVTPI2PD;
import static io.vmm4j.software.cpu.Mnemonic.CVTPI2PS;
import static io.vmm4j.software.cpu.Mnemonic.CVTPS2DQ;
import static io.vmm4j.software.cpu.Mnemonic.CVTPS2PD;
import static io.vmm4j.software.cpu.Mnemonic.CVTPS2PI;
import static io.vmm4j.software.cpu.Mnemonic.CVTSD2SI;
import static io.vmm4j.software.cpu.Mnemonic.CVTSD2SS;
import static io.vmm4j.software.cpu.Mnemonic.CVTSI2SD;
import static io.vmm4j.software.cpu.Mnemonic.CVTSI2SS;
import static io.vmm4j.software.cpu.Mnemonic.CVTSS2SD;
import static io.vmm4j.software.cpu.Mnemonic.CVTSS2SI;
import static io.vmm4j.software.cpu.Mnemonic.CVTTPD2DQ;
import static io.vmm4j.software.cpu.Mnemonic.CVTTPD2PI;
import static io.vmm4j.software.cpu.Mnemonic.CVTTPS2DQ;
import static io.vmm4j.software.cpu.Mnemonic.CVTTPS2PI;
import static io.vmm4j.software.cpu.Mnemonic.CVTTSD2SI;
import static io.vmm4j.software.cpu.Mnemonic.CVTTSS2SI;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Instruction;

/** Conversions of SSE and SSE2. */
final class SimdConvert {
  private SimdConvert() {}

  static void execute(Cpu cpu, Instruction in) {
    Operands.requireSse(cpu);
    cpu.fpu.simd.clear();
    switch (in.mnemonic) {
      case CVTSI2SS, CVTSI2SD -> fromGeneral(cpu, in, in.mnemonic == CVTSI2SD);
      case CVTPI2PS, CVTPI2PD -> fromMmx(cpu, in, in.mnemonic == CVTPI2PD);
      case CVTTSS2SI -> toGeneral(cpu, in, false, true);
      case CVTTSD2SI -> toGeneral(cpu, in, true, true);
      case CVTSS2SI -> toGeneral(cpu, in, false, false);
      case CVTSD2SI -> toGeneral(cpu, in, true, false);
      case CVTTPS2PI -> toMmx(cpu, in, false, true);
      case CVTTPD2PI -> toMmx(cpu, in, true, true);
      case CVTPS2PI -> toMmx(cpu, in, false, false);
      case CVTPD2PI -> toMmx(cpu, in, true, false);
      case CVTPS2PD, CVTPD2PS, CVTSS2SD, CVTSD2SS -> betweenFormats(cpu, in);
      default -> packedIntegers(cpu, in);
    }
  }

  private static void finish(Cpu cpu, Instruction in, long low, long high) {
    Operands.settle(cpu);
    cpu.fpu.xmm[2 * in.reg] = low;
    cpu.fpu.xmm[2 * in.reg + 1] = high;
  }

  private static void fromGeneral(Cpu cpu, Instruction in, boolean twice) {
    long value = Operands.loadInteger(cpu, in, in.rexW);
    if (!in.rexW) {
      value = (int) value;
    }
    SimdFloat simd = cpu.fpu.simd;
    long old = cpu.fpu.xmm[2 * in.reg];
    long result =
        twice ? simd.integerToDouble(value) : Packed.pair(simd.integerToSingle(value), old >>> 32);
    finish(cpu, in, result, cpu.fpu.xmm[2 * in.reg + 1]);
  }

  static void toGeneral(Cpu cpu, Instruction in, boolean twice, boolean truncate) {
    SimdFloat simd = cpu.fpu.simd;
    int bits = in.rexW ? 64 : 32;
    long value =
        twice
            ? simd.doubleToInteger(Operands.load64(cpu, in), bits, truncate)
            : simd.singleToInteger(Operands.load32(cpu, in), bits, truncate);
    Operands.settle(cpu);
    cpu.gpr[in.reg] = in.rexW ? value : value & 0xffff_ffffL;
  }

  private static void fromMmx(Cpu cpu, Instruction in, boolean twice) {
    // From memory no MMX register is touched, and processors leave the x87 alone.
    if (!in.isMemory) {
      Operands.requireNoPending(cpu);
    }
    SimdFloat simd = cpu.fpu.simd;
    long source = Operands.loadMmx(cpu, in);
    int first = (int) source;
    int second = (int) (source >>> 32);
    if (twice) {
      finish(cpu, in, simd.integerToDouble(first), simd.integerToDouble(second));
    } else {
      int low = simd.integerToSingle(first);
      long pair = Packed.pair(low, simd.integerToSingle(second));
      finish(cpu, in, pair, cpu.fpu.xmm[2 * in.reg + 1]);
    }
    if (!in.isMemory) {
      cpu.fpu.enterMmx();
    }
  }

  private static void toMmx(Cpu cpu, Instruction in, boolean twice, boolean truncate) {
    Operands.requireNoPending(cpu);
    SimdFloat simd = cpu.fpu.simd;
    long result;
    if (twice) {
      long low = Operands.load128(cpu, in);
      long high = cpu.fpu.operandHigh;
      result = doublePair(simd, low, high, truncate);
    } else {
      result = singlePair(simd, Operands.load64(cpu, in), truncate);
    }
    Operands.settle(cpu);
    cpu.fpu.enterMmx();
    cpu.fpu.mmx(in.reg & 7, result);
  }

  static long doublePair(SimdFloat simd, long low, long high, boolean truncate) {
    long first = simd.doubleToInteger(low, 32, truncate);
    return Packed.pair(first, simd.doubleToInteger(high, 32, truncate));
  }

  static long singlePair(SimdFloat simd, long pair, boolean truncate) {
    long first = simd.singleToInteger((int) pair, 32, truncate);
    return Packed.pair(first, simd.singleToInteger((int) (pair >>> 32), 32, truncate));
  }

  private static void betweenFormats(Cpu cpu, Instruction in) {
    SimdFloat simd = cpu.fpu.simd;
    long[] xmm = cpu.fpu.xmm;
    int d = 2 * in.reg;
    switch (in.mnemonic) {
      case CVTPS2PD -> {
        long source = Operands.load64(cpu, in);
        long low = simd.singleToDouble((int) source);
        finish(cpu, in, low, simd.singleToDouble((int) (source >>> 32)));
      }
      case CVTPD2PS -> {
        long low = Operands.load128(cpu, in);
        int first = simd.doubleToSingle(low);
        finish(cpu, in, Packed.pair(first, simd.doubleToSingle(cpu.fpu.operandHigh)), 0);
      }
      case CVTSS2SD -> finish(cpu, in, simd.singleToDouble(Operands.load32(cpu, in)), xmm[d + 1]);
      default -> {
        int result = simd.doubleToSingle(Operands.load64(cpu, in));
        finish(cpu, in, Packed.pair(result, xmm[d] >>> 32), xmm[d + 1]);
      }
    }
  }

  /** Conversions between packed numbers and packed integers of XMM registers. */
  private static void packedIntegers(Cpu cpu, Instruction in) {
    SimdFloat simd = cpu.fpu.simd;
    if (in.mnemonic == CVTDQ2PD) {
      long source = Operands.load64(cpu, in);
      finish(cpu, in, simd.integerToDouble((int) source), simd.integerToDouble(source >> 32));
      return;
    }
    long low = Operands.load128(cpu, in);
    long high = cpu.fpu.operandHigh;
    switch (in.mnemonic) {
      case CVTDQ2PS -> finish(cpu, in, singles(simd, low), singles(simd, high));
      case CVTPS2DQ, CVTTPS2DQ -> {
        boolean truncate = in.mnemonic == CVTTPS2DQ;
        long first = singlePair(simd, low, truncate);
        finish(cpu, in, first, singlePair(simd, high, truncate));
      }
      case CVTPD2DQ, CVTTPD2DQ ->
          finish(cpu, in, doublePair(simd, low, high, in.mnemonic == CVTTPD2DQ), 0);
      default -> throw cpu.undefined(in);
    }
  }

  static long singles(SimdFloat simd, long integers) {
    int first = simd.integerToSingle((int) integers);
    return Packed.pair(first, simd.integerToSingle(integers >> 32));
  }
}

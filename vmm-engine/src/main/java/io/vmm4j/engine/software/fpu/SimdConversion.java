package io.vmm4j.engine.software.fpu;

import io.vmm4j.engine.software.cpu.Cpu;
import io.vmm4j.engine.software.cpu.Flags;
import io.vmm4j.engine.software.cpu.Instruction;

/** SSE and SSE2 conversions between integers and floats, and (U)COMISS, (U)COMISD. */
final class SimdConversion {
  private static final long LOW = 0xffff_ffffL;
  private static final int F3 = Instruction.PREFIX_F3;
  private static final int F2 = Instruction.PREFIX_F2;
  private static final int P66 = Instruction.PREFIX_66;

  private SimdConversion() {}

  static void execute(Cpu cpu, Instruction in, int op) {
    Operands.requireSse(cpu);
    cpu.fpu.simd.clear();
    boolean scalar = in.mandatoryPrefix == F3 || in.mandatoryPrefix == F2;
    switch (op) {
      case 0x2a -> {
        require(cpu, in, scalar);
        fromInteger(cpu, in);
      }
      case 0x2c, 0x2d -> {
        require(cpu, in, scalar);
        toInteger(cpu, in, op == 0x2c);
      }
      case 0x2e, 0x2f -> {
        require(cpu, in, !scalar);
        compare(cpu, in, op == 0x2e);
      }
      case 0x5a -> betweenFloats(cpu, in);
      case 0x5b -> packedSingles(cpu, in);
      default -> packedDoubles(cpu, in);
    }
  }

  private static void require(Cpu cpu, Instruction in, boolean condition) {
    if (!condition) {
      throw cpu.undefined(in);
    }
  }

  private static void fromInteger(Cpu cpu, Instruction in) {
    long value = Operands.loadInteger(cpu, in, in.rexW);
    if (!in.rexW) {
      value = (int) value;
    }
    SimdFloat unit = cpu.fpu.simd;
    long[] xmm = cpu.fpu.xmm;
    int d = 2 * in.reg;
    long result =
        in.mandatoryPrefix == F3
            ? xmm[d] & ~LOW | unit.integerToSingle(value) & LOW
            : unit.integerToDouble(value);
    Operands.settle(cpu);
    xmm[d] = result;
  }

  private static void toInteger(Cpu cpu, Instruction in, boolean truncate) {
    int bits = in.rexW ? 64 : 32;
    SimdFloat unit = cpu.fpu.simd;
    long result =
        in.mandatoryPrefix == F3
            ? unit.singleToInteger(Operands.load32(cpu, in), bits, truncate)
            : unit.doubleToInteger(Operands.load64(cpu, in), bits, truncate);
    Operands.settle(cpu);
    cpu.setReg(in.reg, bits / 8, result);
  }

  private static void compare(Cpu cpu, Instruction in, boolean quiet) {
    SimdFloat unit = cpu.fpu.simd;
    long a = cpu.fpu.xmm[2 * in.reg];
    int relation =
        in.mandatoryPrefix == P66
            ? unit.compareDouble(a, Operands.load64(cpu, in), quiet)
            : unit.compareSingle((int) a, Operands.load32(cpu, in), quiet);
    Operands.settle(cpu);
    cpu.setArithmeticFlags(
        switch (relation) {
          case 2 -> Flags.ZF | Flags.PF | Flags.CF;
          case -1 -> Flags.CF;
          case 0 -> Flags.ZF;
          default -> 0;
        });
  }

  private static void betweenFloats(Cpu cpu, Instruction in) {
    SimdFloat unit = cpu.fpu.simd;
    long[] xmm = cpu.fpu.xmm;
    int d = 2 * in.reg;
    long low;
    long high = xmm[d + 1];
    switch (in.mandatoryPrefix) {
      case F3 -> low = unit.singleToDouble(Operands.load32(cpu, in));
      case F2 -> low = xmm[d] & ~LOW | unit.doubleToSingle(Operands.load64(cpu, in)) & LOW;
      case P66 -> {
        long bl = Operands.load128(cpu, in);
        long bh = cpu.fpu.operandHigh;
        low = unit.doubleToSingle(bl) & LOW | (long) unit.doubleToSingle(bh) << 32;
        high = 0;
      }
      default -> {
        long b = Operands.load64(cpu, in);
        low = unit.singleToDouble((int) b);
        high = unit.singleToDouble((int) (b >>> 32));
      }
    }
    Operands.settle(cpu);
    xmm[d] = low;
    xmm[d + 1] = high;
  }

  /** CVTDQ2PS, CVTPS2DQ, CVTTPS2DQ. */
  private static void packedSingles(Cpu cpu, Instruction in) {
    require(cpu, in, in.mandatoryPrefix != F2);
    long bl = Operands.load128(cpu, in);
    long bh = cpu.fpu.operandHigh;
    long low = pairOfSingles(cpu.fpu.simd, in.mandatoryPrefix, bl);
    long high = pairOfSingles(cpu.fpu.simd, in.mandatoryPrefix, bh);
    Operands.settle(cpu);
    cpu.fpu.xmm[2 * in.reg] = low;
    cpu.fpu.xmm[2 * in.reg + 1] = high;
  }

  private static long pairOfSingles(SimdFloat unit, int prefix, long value) {
    int first = (int) value;
    int second = (int) (value >>> 32);
    if (prefix == Instruction.PREFIX_NONE) {
      return unit.integerToSingle(first) & LOW | (long) unit.integerToSingle(second) << 32;
    }
    boolean truncate = prefix == F3;
    return unit.singleToInteger(first, 32, truncate) & LOW
        | unit.singleToInteger(second, 32, truncate) << 32;
  }

  /** CVTDQ2PD, CVTPD2DQ, CVTTPD2DQ. */
  private static void packedDoubles(Cpu cpu, Instruction in) {
    require(cpu, in, in.mandatoryPrefix != Instruction.PREFIX_NONE);
    SimdFloat unit = cpu.fpu.simd;
    long low;
    long high = 0;
    if (in.mandatoryPrefix == F3) {
      long b = Operands.load64(cpu, in);
      low = unit.integerToDouble((int) b);
      high = unit.integerToDouble((int) (b >>> 32));
    } else {
      boolean truncate = in.mandatoryPrefix == P66;
      long bl = Operands.load128(cpu, in);
      long bh = cpu.fpu.operandHigh;
      low =
          unit.doubleToInteger(bl, 32, truncate) & LOW
              | unit.doubleToInteger(bh, 32, truncate) << 32;
    }
    Operands.settle(cpu);
    cpu.fpu.xmm[2 * in.reg] = low;
    cpu.fpu.xmm[2 * in.reg + 1] = high;
  }
}

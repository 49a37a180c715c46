package io.vmm4j.engine.software.fpu;

import io.vmm4j.engine.software.cpu.Cpu;
import io.vmm4j.engine.software.cpu.Instruction;

/** Conversions of SSE and SSE2: opcodes 2A, 2C, 2D, 5A, 5B and E6 of the map 0F. */
final class SimdConvert {
  private static final int NONE = Instruction.PREFIX_NONE;
  private static final int OPERAND = Instruction.PREFIX_66;
  private static final int F3 = Instruction.PREFIX_F3;
  private static final int F2 = Instruction.PREFIX_F2;

  private SimdConvert() {}

  static void execute(Cpu cpu, Instruction in) {
    Operands.requireSse(cpu);
    cpu.fpu.simd.clear();
    int prefix = in.mandatoryPrefix;
    switch (in.opcode & 0xff) {
      case 0x2a -> {
        if (prefix >= F3) {
          fromGeneral(cpu, in, prefix == F2);
        } else {
          fromMmx(cpu, in, prefix == OPERAND);
        }
      }
      case 0x2c, 0x2d -> {
        boolean truncate = (in.opcode & 0xff) == 0x2c;
        if (prefix >= F3) {
          toGeneral(cpu, in, prefix == F2, truncate);
        } else {
          toMmx(cpu, in, prefix == OPERAND, truncate);
        }
      }
      case 0x5a -> betweenFormats(cpu, in, prefix);
      case 0x5b -> singlesAndIntegers(cpu, in, prefix);
      default -> doublesAndIntegers(cpu, in, prefix);
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

  private static void toGeneral(Cpu cpu, Instruction in, boolean twice, boolean truncate) {
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

  private static long doublePair(SimdFloat simd, long low, long high, boolean truncate) {
    long first = simd.doubleToInteger(low, 32, truncate);
    return Packed.pair(first, simd.doubleToInteger(high, 32, truncate));
  }

  private static long singlePair(SimdFloat simd, long pair, boolean truncate) {
    long first = simd.singleToInteger((int) pair, 32, truncate);
    return Packed.pair(first, simd.singleToInteger((int) (pair >>> 32), 32, truncate));
  }

  private static void betweenFormats(Cpu cpu, Instruction in, int prefix) {
    SimdFloat simd = cpu.fpu.simd;
    long[] xmm = cpu.fpu.xmm;
    int d = 2 * in.reg;
    switch (prefix) {
      case NONE -> {
        long source = Operands.load64(cpu, in);
        long low = simd.singleToDouble((int) source);
        finish(cpu, in, low, simd.singleToDouble((int) (source >>> 32)));
      }
      case OPERAND -> {
        long low = Operands.load128(cpu, in);
        int first = simd.doubleToSingle(low);
        finish(cpu, in, Packed.pair(first, simd.doubleToSingle(cpu.fpu.operandHigh)), 0);
      }
      case F3 -> finish(cpu, in, simd.singleToDouble(Operands.load32(cpu, in)), xmm[d + 1]);
      default -> {
        int result = simd.doubleToSingle(Operands.load64(cpu, in));
        finish(cpu, in, Packed.pair(result, xmm[d] >>> 32), xmm[d + 1]);
      }
    }
  }

  private static void singlesAndIntegers(Cpu cpu, Instruction in, int prefix) {
    if (prefix == F2) {
      throw cpu.undefined(in);
    }
    SimdFloat simd = cpu.fpu.simd;
    long low = Operands.load128(cpu, in);
    long high = cpu.fpu.operandHigh;
    if (prefix == NONE) {
      long first = Packed.pair(simd.integerToSingle((int) low), simd.integerToSingle(low >> 32));
      finish(
          cpu,
          in,
          first,
          Packed.pair(simd.integerToSingle((int) high), simd.integerToSingle(high >> 32)));
    } else {
      boolean truncate = prefix == F3;
      long first = singlePair(simd, low, truncate);
      finish(cpu, in, first, singlePair(simd, high, truncate));
    }
  }

  private static void doublesAndIntegers(Cpu cpu, Instruction in, int prefix) {
    SimdFloat simd = cpu.fpu.simd;
    switch (prefix) {
      case F3 -> {
        long source = Operands.load64(cpu, in);
        finish(cpu, in, simd.integerToDouble((int) source), simd.integerToDouble(source >> 32));
      }
      case OPERAND, F2 -> {
        long low = Operands.load128(cpu, in);
        finish(cpu, in, doublePair(simd, low, cpu.fpu.operandHigh, prefix == OPERAND), 0);
      }
      default -> throw cpu.undefined(in);
    }
  }
}

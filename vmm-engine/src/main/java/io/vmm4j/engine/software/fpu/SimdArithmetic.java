package io.vmm4j.engine.software.fpu;

import io.vmm4j.engine.software.cpu.Cpu;
import io.vmm4j.engine.software.cpu.Instruction;

/** SSE and SSE2 arithmetic, logic and compares: PS, PD, SS and SD forms by mandatory prefix. */
final class SimdArithmetic {
  private static final long LOW = 0xffff_ffffL;

  private SimdArithmetic() {}

  static void execute(Cpu cpu, Instruction in, int op) {
    Operands.requireSse(cpu);
    if (op >= 0x54 && op <= 0x57) {
      logic(cpu, in, op);
      return;
    }
    SimdFloat unit = cpu.fpu.simd;
    unit.clear();
    long[] xmm = cpu.fpu.xmm;
    int d = 2 * in.reg;
    int predicate = (int) in.imm & 7;
    switch (in.mandatoryPrefix) {
      case Instruction.PREFIX_F3 -> {
        int b = Operands.load32(cpu, in);
        long result = single(unit, op, (int) xmm[d], b, predicate) & LOW;
        Operands.settle(cpu);
        xmm[d] = xmm[d] & ~LOW | result;
      }
      case Instruction.PREFIX_F2 -> {
        long b = Operands.load64(cpu, in);
        long result = twice(unit, op, xmm[d], b, predicate);
        Operands.settle(cpu);
        xmm[d] = result;
      }
      case Instruction.PREFIX_66 -> {
        long bl = Operands.load128(cpu, in);
        long bh = cpu.fpu.operandHigh;
        long low = twice(unit, op, xmm[d], bl, predicate);
        long high = twice(unit, op, xmm[d + 1], bh, predicate);
        Operands.settle(cpu);
        xmm[d] = low;
        xmm[d + 1] = high;
      }
      default -> {
        long bl = Operands.load128(cpu, in);
        long bh = cpu.fpu.operandHigh;
        long low = singles(unit, op, xmm[d], bl, predicate);
        long high = singles(unit, op, xmm[d + 1], bh, predicate);
        Operands.settle(cpu);
        xmm[d] = low;
        xmm[d + 1] = high;
      }
    }
  }

  private static void logic(Cpu cpu, Instruction in, int op) {
    if (in.mandatoryPrefix > Instruction.PREFIX_66) {
      throw cpu.undefined(in);
    }
    long bl = Operands.load128(cpu, in);
    long bh = cpu.fpu.operandHigh;
    long[] xmm = cpu.fpu.xmm;
    int d = 2 * in.reg;
    xmm[d] = logic(op, xmm[d], bl);
    xmm[d + 1] = logic(op, xmm[d + 1], bh);
  }

  private static long logic(int op, long a, long b) {
    return switch (op) {
      case 0x54 -> a & b;
      case 0x55 -> ~a & b;
      case 0x56 -> a | b;
      default -> a ^ b;
    };
  }

  private static long singles(SimdFloat unit, int op, long a, long b, int predicate) {
    long low = single(unit, op, (int) a, (int) b, predicate) & LOW;
    return low | (long) single(unit, op, (int) (a >>> 32), (int) (b >>> 32), predicate) << 32;
  }

  private static int single(SimdFloat unit, int op, int a, int b, int predicate) {
    return switch (op) {
      case 0x51 -> unit.squareRootSingle(b);
      case 0x58 -> unit.addSingle(a, b);
      case 0x59 -> unit.multiplySingle(a, b);
      case 0x5c -> unit.subtractSingle(a, b);
      case 0x5d -> unit.minimumSingle(a, b);
      case 0x5e -> unit.divideSingle(a, b);
      case 0x5f -> unit.maximumSingle(a, b);
      default -> unit.matchesSingle(a, b, predicate) ? -1 : 0;
    };
  }

  private static long twice(SimdFloat unit, int op, long a, long b, int predicate) {
    return switch (op) {
      case 0x51 -> unit.squareRootDouble(b);
      case 0x58 -> unit.addDouble(a, b);
      case 0x59 -> unit.multiplyDouble(a, b);
      case 0x5c -> unit.subtractDouble(a, b);
      case 0x5d -> unit.minimumDouble(a, b);
      case 0x5e -> unit.divideDouble(a, b);
      case 0x5f -> unit.maximumDouble(a, b);
      default -> unit.matchesDouble(a, b, predicate) ? -1 : 0;
    };
  }
}

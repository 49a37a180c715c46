package io.vmm4j.software.fpu;

import static io.vmm4j.software.cpu.Mnemonic.VFMADDSUB132PS;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Instruction;

/**
 * The FMA instructions (Intel SDM volume 2, VFMADD132PD and what follows). Of the digits in a name
 * the first two are the operands that are multiplied.
 */
final class FusedMultiply {
  private static final int OF_AN_ORDER = 20;

  // Operations in the order of the mnemonics, for which packed and scalar forms are two.
  private static final int ADD_SUBTRACT = 0;
  private static final int SUBTRACT_ADD = 1;
  private static final int FIRST_SUBTRACT = 4;
  private static final int FIRST_NEGATED_ADD = 6;
  private static final int FIRST_NEGATED_SUBTRACT = 8;

  private FusedMultiply() {}

  static void execute(Cpu cpu, Instruction in) {
    Operands.requireAvx(cpu);
    FpuState fpu = cpu.fpu;
    fpu.simd.clear();
    int operation = (in.mnemonic - VFMADDSUB132PS) % OF_AN_ORDER >> 1;
    Operands.loadVector(cpu, in);
    int r = 2 * in.reg;
    int v = 2 * in.vexRegister;
    long[] s = fpu.source;
    if (operation > SUBTRACT_ADD && (operation & 1) != 0) {
      long low =
          in.vexW
              ? twice(cpu, in, operation, fpu.xmm[r], fpu.xmm[v], s[0], 0)
              : Packed.pair(
                  single(cpu, in, operation, (int) fpu.xmm[r], (int) fpu.xmm[v], (int) s[0], 0),
                  fpu.xmm[r] >>> 32);
      Operands.settle(cpu);
      Avx.set(fpu, in.reg, low, fpu.xmm[r + 1], 0, 0);
      return;
    }
    long a = quadword(cpu, in, operation, fpu.xmm[r], fpu.xmm[v], s[0], 0);
    long b = quadword(cpu, in, operation, fpu.xmm[r + 1], fpu.xmm[v + 1], s[1], 1);
    long c = 0;
    long d = 0;
    if (in.vexL) {
      c = quadword(cpu, in, operation, fpu.ymmHigh[r], fpu.ymmHigh[v], s[2], 0);
      d = quadword(cpu, in, operation, fpu.ymmHigh[r + 1], fpu.ymmHigh[v + 1], s[3], 1);
    }
    Operands.settle(cpu);
    Avx.set(fpu, in.reg, a, b, c, d);
  }

  /**
   * Two singles or one double.
   *
   * @param odd 1 where a double is the second of its 128 bits
   */
  private static long quadword(
      Cpu cpu, Instruction in, int operation, long a, long b, long c, int odd) {
    if (in.vexW) {
      return twice(cpu, in, operation, a, b, c, odd);
    }
    int low = single(cpu, in, operation, (int) a, (int) b, (int) c, 0);
    int high = single(cpu, in, operation, (int) (a >>> 32), (int) (b >>> 32), (int) (c >>> 32), 1);
    return Packed.pair(low, high);
  }

  private static boolean negatesProduct(int operation) {
    return operation >= FIRST_NEGATED_ADD;
  }

  private static boolean negatesAddend(int operation, int odd) {
    return switch (operation) {
      case ADD_SUBTRACT -> odd == 0;
      case SUBTRACT_ADD -> odd == 1;
      default ->
          operation >= FIRST_NEGATED_SUBTRACT
              || operation >= FIRST_SUBTRACT && operation < FIRST_NEGATED_ADD;
    };
  }

  /** One double of three operands, the destination first. */
  private static long twice(
      Cpu cpu, Instruction in, int operation, long first, long second, long third, int odd) {
    SimdFloat simd = cpu.fpu.simd;
    boolean product = negatesProduct(operation);
    boolean addend = negatesAddend(operation, odd);
    return switch ((in.mnemonic - VFMADDSUB132PS) / OF_AN_ORDER) {
      case 0 -> simd.multiplyAddDouble(first, third, second, product, addend);
      case 1 -> simd.multiplyAddDouble(second, first, third, product, addend);
      default -> simd.multiplyAddDouble(second, third, first, product, addend);
    };
  }

  private static int single(
      Cpu cpu, Instruction in, int operation, int first, int second, int third, int odd) {
    SimdFloat simd = cpu.fpu.simd;
    boolean product = negatesProduct(operation);
    boolean addend = negatesAddend(operation, odd);
    return switch ((in.mnemonic - VFMADDSUB132PS) / OF_AN_ORDER) {
      case 0 -> simd.multiplyAddSingle(first, third, second, product, addend);
      case 1 -> simd.multiplyAddSingle(second, first, third, product, addend);
      default -> simd.multiplyAddSingle(second, third, first, product, addend);
    };
  }
}

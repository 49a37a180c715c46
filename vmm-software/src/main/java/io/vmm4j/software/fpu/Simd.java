package io.vmm4j.software.fpu;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Instruction;

/**
 * The entry to MMX, SSE to SSE4.2, AVX, AVX2, FMA and F16C (Intel SDM volume 2).
 *
 * <p>Memory is read, and every fault raised, before a register changes. Executors allocate nothing.
 */
public final class Simd {
  private Simd() {}

  /** Executes an instruction. */
  public static void execute(Cpu cpu, Instruction in) {
    switch (in.form.executor) {
      case SIMD_MOVE -> SimdMove.execute(cpu, in);
      case SIMD_INTEGER -> SimdInteger.execute(cpu, in);
      case SIMD_FLOAT -> SimdArithmetic.execute(cpu, in);
      case SIMD_CONVERT -> SimdConvert.execute(cpu, in);
      case SIMD_38 -> Simd38.execute(cpu, in);
      case SIMD_3A -> Simd3a.execute(cpu, in);
      case AVX -> Avx.execute(cpu, in);
      case AVX_PERMUTE -> AvxPermute.execute(cpu, in);
      case AVX_MASKED -> AvxMasked.execute(cpu, in);
      case F16C -> HalfPrecision.execute(cpu, in);
      case FMA -> FusedMultiply.execute(cpu, in);
      case STATE -> StateInstructions.execute(cpu, in);
      default -> throw cpu.undefined(in);
    }
  }
}

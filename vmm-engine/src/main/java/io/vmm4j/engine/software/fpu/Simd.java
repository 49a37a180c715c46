package io.vmm4j.engine.software.fpu;

import io.vmm4j.engine.software.cpu.Cpu;
import io.vmm4j.engine.software.cpu.Instruction;

/**
 * The entry to MMX and SSE to SSE4.2: executes one instruction of the opcode maps 0F, 0F38 and 0F3A
 * (Intel SDM volume 2, appendix A). What is not implemented is #UD.
 *
 * <p>Memory is read, and every fault raised, before a register changes. Executors allocate nothing.
 */
public final class Simd {
  private Simd() {}

  /** Executes an instruction. */
  public static void execute(Cpu cpu, Instruction in) {
    switch (in.opcode >> 8) {
      case 1 -> twoByte(cpu, in);
      case 2 -> Simd38.execute(cpu, in);
      case 3 -> Simd3a.execute(cpu, in);
      default -> throw cpu.undefined(in);
    }
  }

  private static void twoByte(Cpu cpu, Instruction in) {
    int op = in.opcode & 0xff;
    if (op >= 0x60) {
      upper(cpu, in, op);
      return;
    }
    switch (op) {
      case 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x28, 0x29, 0x2b, 0x50 ->
          SimdMove.floats(cpu, in);
      case 0x2a, 0x2c, 0x2d, 0x5a, 0x5b -> SimdConvert.execute(cpu, in);
      case 0x2e, 0x2f, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57 -> SimdArithmetic.execute(cpu, in);
      case 0x58, 0x59, 0x5c, 0x5d, 0x5e, 0x5f -> SimdArithmetic.execute(cpu, in);
      default -> throw cpu.undefined(in);
    }
  }

  private static void upper(Cpu cpu, Instruction in, int op) {
    switch (op) {
      case 0x6e, 0x6f, 0x7e, 0x7f, 0xd6, 0xd7, 0xe7, 0xf0, 0xf7 -> SimdMove.integers(cpu, in);
      case 0x77 -> emptyMmx(cpu, in);
      case 0x7c, 0x7d, 0xc2, 0xd0 -> SimdArithmetic.execute(cpu, in);
      case 0xae -> StateInstructions.execute(cpu, in);
      case 0xc3 -> SimdMove.storeInteger(cpu, in);
      case 0xc6 -> SimdMove.shuffleFloats(cpu, in);
      case 0xe6 -> SimdConvert.execute(cpu, in);
      default -> packed(cpu, in, op);
    }
  }

  private static void packed(Cpu cpu, Instruction in, int op) {
    boolean integer = op < 0x78 || op == 0xc4 || op == 0xc5 || op > 0xd0 && op != 0xff;
    if (!integer || in.mandatoryPrefix > Instruction.PREFIX_66 && op != 0x70) {
      throw cpu.undefined(in);
    }
    if (in.mandatoryPrefix == Instruction.PREFIX_NONE) {
      boolean xmmOnly = op == 0x6c || op == 0x6d || op == 0x73 && (in.extension() & 1) != 0;
      if (xmmOnly) {
        throw cpu.undefined(in);
      }
      SimdInteger.mmx(cpu, in);
    } else {
      SimdInteger.xmm(cpu, in);
    }
  }

  private static void emptyMmx(Cpu cpu, Instruction in) {
    if (in.mandatoryPrefix != Instruction.PREFIX_NONE) {
      throw cpu.undefined(in);
    }
    Operands.requireMmx(cpu);
    cpu.fpu.top = 0;
    cpu.fpu.used = 0;
  }
}

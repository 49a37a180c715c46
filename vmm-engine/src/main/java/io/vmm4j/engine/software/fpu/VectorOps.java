package io.vmm4j.engine.software.fpu;

import io.vmm4j.engine.software.cpu.Cpu;
import io.vmm4j.engine.software.cpu.Instruction;

/** Executes MMX and SSE instructions: finds the class that knows an opcode. */
public final class VectorOps {
  private VectorOps() {}

  /**
   * Executes one instruction.
   *
   * @param in of the map 0F, 0F38 or 0F3A
   */
  public static void execute(Cpu cpu, Instruction in) {
    if (in.opcode >= 0x200) {
      executeThreeByte(cpu, in);
      return;
    }
    int op = in.opcode & 0xff;
    switch (op) {
      case 0xae -> FpuMemory.execute(cpu, in);
      case 0x77 -> {
        Operands.requireMmx(cpu);
        cpu.fpu.used = 0;
      }
      case 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x28, 0x29, 0x2b -> moves(cpu, in, op);
      case 0x50, 0x6e, 0x7e, 0x6f, 0x7f, 0xc3, 0xc6, 0xd6, 0xd7, 0xe7, 0xf0, 0xf7 ->
          moves(cpu, in, op);
      case 0x2a, 0x2c, 0x2d, 0x2e, 0x2f, 0x5a, 0x5b, 0xe6 -> SimdConversion.execute(cpu, in, op);
      case 0x51, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5c, 0x5d, 0x5e, 0x5f, 0xc2 ->
          SimdArithmetic.execute(cpu, in, op);
      default -> integer(cpu, in, op);
    }
  }

  private static void moves(Cpu cpu, Instruction in, int op) {
    SimdMoves.execute(cpu, in, op);
  }

  private static void integer(Cpu cpu, Instruction in, int op) {
    boolean known =
        op >= 0x60 && op <= 0x76 || op == 0xc4 || op == 0xc5 || op >= 0xd1 && op <= 0xfe;
    if (!known || op == 0xff) {
      throw cpu.undefined(in);
    }
    boolean shuffle = op == 0x70;
    switch (in.mandatoryPrefix) {
      case Instruction.PREFIX_NONE -> SimdInteger.mmx(cpu, in);
      case Instruction.PREFIX_66 -> SimdInteger.xmm(cpu, in);
      default -> {
        if (!shuffle) {
          throw cpu.undefined(in);
        }
        SimdInteger.xmm(cpu, in);
      }
    }
  }

  private static void executeThreeByte(Cpu cpu, Instruction in) {
    if ((in.opcode & ~1) == 0x2f0 && in.mandatoryPrefix == Instruction.PREFIX_F2) {
      crc32(cpu, in);
    } else if (in.opcode == 0x30f && in.mandatoryPrefix == Instruction.PREFIX_66) {
      alignRight(cpu, in);
    } else if (in.opcode == 0x200 && in.mandatoryPrefix == Instruction.PREFIX_66) {
      shuffleBytes(cpu, in);
    } else if ((in.opcode & ~3) == 0x360 && in.mandatoryPrefix == Instruction.PREFIX_66) {
      SimdStrings.execute(cpu, in);
    } else {
      throw cpu.undefined(in);
    }
  }

  private static void alignRight(Cpu cpu, Instruction in) {
    Operands.requireSse(cpu);
    long low = Operands.load128(cpu, in);
    long high = cpu.fpu.operandHigh;
    int d = 2 * in.reg;
    long[] xmm = cpu.fpu.xmm;
    int offset = (int) in.imm & 0xff;
    long first = SimdAlign.extract(low, high, xmm[d], xmm[d + 1], offset);
    long second = SimdAlign.extract(low, high, xmm[d], xmm[d + 1], offset + 8);
    xmm[d] = first;
    xmm[d + 1] = second;
  }

  private static void shuffleBytes(Cpu cpu, Instruction in) {
    Operands.requireSse(cpu);
    long low = Operands.load128(cpu, in);
    long high = cpu.fpu.operandHigh;
    int d = 2 * in.reg;
    long[] xmm = cpu.fpu.xmm;
    long first = selectBytes(xmm[d], xmm[d + 1], low);
    long second = selectBytes(xmm[d], xmm[d + 1], high);
    xmm[d] = first;
    xmm[d + 1] = second;
  }

  private static long selectBytes(long low, long high, long selectors) {
    long result = 0;
    for (int i = 0; i < 64; i += 8) {
      int selector = (int) (selectors >>> i) & 0xff;
      if (selector < 0x80) {
        long half = (selector & 8) == 0 ? low : high;
        result |= (half >>> 8 * (selector & 7) & 0xff) << i;
      }
    }
    return result;
  }

  /** CRC32 with the polynomial 0x11EDC6F41, bits reflected (Intel SDM volume 2, CRC32). */
  private static void crc32(Cpu cpu, Instruction in) {
    int size =
        in.opcode == 0x2f0 ? 1 : in.rexW ? 8 : in.operandPrefix == (in.codeSize == 2) ? 4 : 2;
    long value;
    if (in.isMemory) {
      value = cpu.mmu.read(cpu.linearAddress(in, size, false), size);
    } else {
      value = size == 1 ? cpu.reg8(in.rm, in.rex) : cpu.reg(in.rm, size);
    }
    int crc = (int) cpu.gpr[in.reg];
    for (int i = 0; i < size; i++) {
      crc ^= (int) (value >>> 8 * i) & 0xff;
      for (int bit = 0; bit < 8; bit++) {
        crc = crc >>> 1 ^ ((crc & 1) != 0 ? 0x82f63b78 : 0);
      }
    }
    cpu.gpr[in.reg] = crc & 0xffff_ffffL;
  }
}

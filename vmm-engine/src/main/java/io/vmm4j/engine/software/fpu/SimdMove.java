package io.vmm4j.engine.software.fpu;

import io.vmm4j.engine.software.cpu.Cpu;
import io.vmm4j.engine.software.cpu.Instruction;
import io.vmm4j.engine.software.cpu.Mmu;

/** Moves, unpacks and shuffles of MMX and SSE in the map 0F (Intel SDM volume 2). */
final class SimdMove {
  private static final int NONE = Instruction.PREFIX_NONE;
  private static final int OPERAND = Instruction.PREFIX_66;
  private static final int F3 = Instruction.PREFIX_F3;
  private static final int F2 = Instruction.PREFIX_F2;

  private SimdMove() {}

  private static void set(Cpu cpu, int register, long low, long high) {
    cpu.fpu.xmm[2 * register] = low;
    cpu.fpu.xmm[2 * register + 1] = high;
  }

  /** Opcodes 10 to 17, 28, 29, 2B and 50. */
  static void floats(Cpu cpu, Instruction in) {
    Operands.requireSse(cpu);
    FpuState fpu = cpu.fpu;
    int prefix = in.mandatoryPrefix;
    int d = 2 * in.reg;
    switch (in.opcode & 0xff) {
      case 0x10 -> loadAny(cpu, in, prefix, d);
      case 0x11 -> storeAny(cpu, in, prefix, d);
      case 0x12, 0x16 -> halves(cpu, in, prefix);
      case 0x13, 0x17 -> {
        if (!in.isMemory || prefix > OPERAND) {
          throw cpu.undefined(in);
        }
        int half = (in.opcode & 0xff) == 0x17 ? 1 : 0;
        cpu.mmu.write64(cpu.linearAddress(in, 8, true), fpu.xmm[d + half]);
      }
      case 0x14, 0x15 -> unpack(cpu, in, prefix);
      case 0x28 -> {
        rejectScalar(cpu, in, prefix);
        long low = Operands.load128(cpu, in);
        set(cpu, in.reg, low, fpu.operandHigh);
      }
      case 0x29 -> {
        rejectScalar(cpu, in, prefix);
        Operands.store128(cpu, in, true, fpu.xmm[d], fpu.xmm[d + 1]);
      }
      case 0x2b -> {
        rejectScalar(cpu, in, prefix);
        if (!in.isMemory) {
          throw cpu.undefined(in);
        }
        Operands.store128(cpu, in, true, fpu.xmm[d], fpu.xmm[d + 1]);
      }
      default -> {
        rejectScalar(cpu, in, prefix);
        if (in.isMemory) {
          throw cpu.undefined(in);
        }
        cpu.gpr[in.reg] = signs(fpu.xmm[2 * in.rm], fpu.xmm[2 * in.rm + 1], prefix == OPERAND);
      }
    }
  }

  private static void rejectScalar(Cpu cpu, Instruction in, int prefix) {
    if (prefix > OPERAND) {
      throw cpu.undefined(in);
    }
  }

  private static long signs(long low, long high, boolean doubles) {
    return doubles
        ? low >>> 63 | high >>> 63 << 1
        : low >>> 31 & 1 | low >>> 63 << 1 | (high >>> 31 & 1) << 2 | high >>> 63 << 3;
  }

  private static void loadAny(Cpu cpu, Instruction in, int prefix, int d) {
    long[] xmm = cpu.fpu.xmm;
    if (prefix <= OPERAND) {
      long low = Operands.loadUnaligned128(cpu, in);
      xmm[d] = low;
      xmm[d + 1] = cpu.fpu.operandHigh;
    } else if (prefix == F3) {
      int value = Operands.load32(cpu, in);
      if (in.isMemory) {
        xmm[d] = value & 0xffff_ffffL;
        xmm[d + 1] = 0;
      } else {
        xmm[d] = Packed.pair(value, xmm[d] >>> 32);
      }
    } else {
      xmm[d] = Operands.load64(cpu, in);
      if (in.isMemory) {
        xmm[d + 1] = 0;
      }
    }
  }

  private static void storeAny(Cpu cpu, Instruction in, int prefix, int d) {
    long[] xmm = cpu.fpu.xmm;
    if (prefix <= OPERAND) {
      Operands.store128(cpu, in, false, xmm[d], xmm[d + 1]);
    } else if (prefix == F3) {
      if (in.isMemory) {
        cpu.mmu.write32(cpu.linearAddress(in, 4, true), (int) xmm[d]);
      } else {
        xmm[2 * in.rm] = Packed.pair(xmm[d], xmm[2 * in.rm] >>> 32);
      }
    } else if (in.isMemory) {
      cpu.mmu.write64(cpu.linearAddress(in, 8, true), xmm[d]);
    } else {
      xmm[2 * in.rm] = xmm[d];
    }
  }

  private static void halves(Cpu cpu, Instruction in, int prefix) {
    long[] xmm = cpu.fpu.xmm;
    int d = 2 * in.reg;
    boolean high = (in.opcode & 0xff) == 0x16;
    if (prefix <= OPERAND) {
      if (!in.isMemory && prefix == OPERAND) {
        throw cpu.undefined(in);
      }
      // MOVLPS and MOVHPS from memory; MOVHLPS and MOVLHPS from the register's other half.
      long value =
          in.isMemory
              ? cpu.mmu.read64(cpu.linearAddress(in, 8, false))
              : xmm[2 * in.rm + (high ? 0 : 1)];
      xmm[d + (high ? 1 : 0)] = value;
    } else if (prefix == F3) {
      long low = Operands.load128(cpu, in);
      long top = cpu.fpu.operandHigh;
      int shift = high ? 32 : 0;
      set(
          cpu,
          in.reg,
          Packed.pair(low >>> shift, low >>> shift),
          Packed.pair(top >>> shift, top >>> shift));
    } else {
      if (high) {
        throw cpu.undefined(in);
      }
      long value = Operands.load64(cpu, in);
      set(cpu, in.reg, value, value);
    }
  }

  private static void unpack(Cpu cpu, Instruction in, int prefix) {
    rejectScalar(cpu, in, prefix);
    long bl = Operands.load128(cpu, in);
    boolean high = (in.opcode & 0xff) == 0x15;
    long b = high ? cpu.fpu.operandHigh : bl;
    long a = cpu.fpu.xmm[2 * in.reg + (high ? 1 : 0)];
    if (prefix == OPERAND) {
      set(cpu, in.reg, a, b);
    } else {
      set(cpu, in.reg, Packed.pair(a, b), Packed.pair(a >>> 32, b >>> 32));
    }
  }

  /** SHUFPS and SHUFPD. */
  static void shuffleFloats(Cpu cpu, Instruction in) {
    rejectScalar(cpu, in, in.mandatoryPrefix);
    Operands.requireSse(cpu);
    long bl = Operands.load128(cpu, in);
    long bh = cpu.fpu.operandHigh;
    long al = cpu.fpu.xmm[2 * in.reg];
    long ah = cpu.fpu.xmm[2 * in.reg + 1];
    int order = (int) in.imm & 0xff;
    if (in.mandatoryPrefix == OPERAND) {
      set(cpu, in.reg, (order & 1) != 0 ? ah : al, (order & 2) != 0 ? bh : bl);
    } else {
      set(
          cpu,
          in.reg,
          Packed.pair(
              Packed.doubleword(al, ah, order & 3), Packed.doubleword(al, ah, order >> 2 & 3)),
          Packed.pair(
              Packed.doubleword(bl, bh, order >> 4 & 3), Packed.doubleword(bl, bh, order >> 6)));
    }
  }

  /** MOVNTI. */
  static void storeInteger(Cpu cpu, Instruction in) {
    if (!in.isMemory || in.mandatoryPrefix != NONE) {
      throw cpu.undefined(in);
    }
    long linear = cpu.linearAddress(in, in.rexW ? 8 : 4, true);
    if (in.rexW) {
      cpu.mmu.write64(linear, cpu.gpr[in.reg]);
    } else {
      cpu.mmu.write32(linear, (int) cpu.gpr[in.reg]);
    }
  }

  /** Opcodes 6E, 6F, 7E, 7F, D6, D7, E7, F0 and F7. */
  static void integers(Cpu cpu, Instruction in) {
    int prefix = in.mandatoryPrefix;
    int op = in.opcode & 0xff;
    if (prefix == NONE && op != 0xd6 && op != 0xf0) {
      Operands.requireMmx(cpu);
      mmx(cpu, in, op);
      return;
    }
    Operands.requireSse(cpu);
    FpuState fpu = cpu.fpu;
    int d = 2 * in.reg;
    switch (op << 2 | prefix) {
      case 0x6e << 2 | OPERAND -> set(cpu, in.reg, Operands.loadInteger(cpu, in, in.rexW), 0);
      case 0x6f << 2 | OPERAND -> {
        long low = Operands.load128(cpu, in);
        set(cpu, in.reg, low, fpu.operandHigh);
      }
      case 0x6f << 2 | F3 -> {
        long low = Operands.loadUnaligned128(cpu, in);
        set(cpu, in.reg, low, fpu.operandHigh);
      }
      case 0x7e << 2 | OPERAND -> storeGeneral(cpu, in, fpu.xmm[d]);
      case 0x7e << 2 | F3 -> set(cpu, in.reg, Operands.load64(cpu, in), 0);
      case 0x7f << 2 | OPERAND -> Operands.store128(cpu, in, true, fpu.xmm[d], fpu.xmm[d + 1]);
      case 0x7f << 2 | F3 -> Operands.store128(cpu, in, false, fpu.xmm[d], fpu.xmm[d + 1]);
      case 0xd6 << 2 | OPERAND -> {
        if (in.isMemory) {
          cpu.mmu.write64(cpu.linearAddress(in, 8, true), fpu.xmm[d]);
        } else {
          set(cpu, in.rm, fpu.xmm[d], 0);
        }
      }
      case 0xd6 << 2 | F3, 0xd6 << 2 | F2 -> betweenFiles(cpu, in);
      case 0xd7 << 2 | OPERAND -> {
        requireRegister(cpu, in);
        cpu.gpr[in.reg] =
            Packed.byteMask(fpu.xmm[2 * in.rm]) | Packed.byteMask(fpu.xmm[2 * in.rm + 1]) << 8;
      }
      case 0xe7 << 2 | OPERAND -> {
        requireMemory(cpu, in);
        Operands.store128(cpu, in, true, fpu.xmm[d], fpu.xmm[d + 1]);
      }
      case 0xf0 << 2 | F2 -> {
        requireMemory(cpu, in);
        long low = Operands.loadUnaligned128(cpu, in);
        set(cpu, in.reg, low, fpu.operandHigh);
      }
      case 0xf7 << 2 | OPERAND -> {
        requireRegister(cpu, in);
        long[] xmm = fpu.xmm;
        int mask = Packed.byteMask(xmm[2 * in.rm]) | Packed.byteMask(xmm[2 * in.rm + 1]) << 8;
        storeMasked(cpu, in, xmm[d], xmm[d + 1], mask, 16);
      }
      default -> throw cpu.undefined(in);
    }
  }

  private static void requireMemory(Cpu cpu, Instruction in) {
    if (!in.isMemory) {
      throw cpu.undefined(in);
    }
  }

  private static void requireRegister(Cpu cpu, Instruction in) {
    if (in.isMemory) {
      throw cpu.undefined(in);
    }
  }

  private static void storeGeneral(Cpu cpu, Instruction in, long value) {
    if (in.isMemory) {
      long linear = cpu.linearAddress(in, in.rexW ? 8 : 4, true);
      if (in.rexW) {
        cpu.mmu.write64(linear, value);
      } else {
        cpu.mmu.write32(linear, (int) value);
      }
    } else {
      cpu.gpr[in.rm] = in.rexW ? value : value & 0xffff_ffffL;
    }
  }

  /** MOVQ2DQ (F3) and MOVDQ2Q (F2). */
  private static void betweenFiles(Cpu cpu, Instruction in) {
    requireRegister(cpu, in);
    Operands.requireNoPending(cpu);
    cpu.fpu.enterMmx();
    if (in.mandatoryPrefix == F3) {
      set(cpu, in.reg, cpu.fpu.significand[in.rm & 7], 0);
    } else {
      cpu.fpu.mmx(in.reg & 7, cpu.fpu.xmm[2 * in.rm]);
    }
  }

  private static void mmx(Cpu cpu, Instruction in, int op) {
    FpuState fpu = cpu.fpu;
    int reg = in.reg & 7;
    switch (op) {
      case 0x6e -> {
        long value = Operands.loadInteger(cpu, in, in.rexW);
        fpu.enterMmx();
        fpu.mmx(reg, value);
      }
      case 0x6f -> {
        long value = Operands.loadMmx(cpu, in);
        fpu.enterMmx();
        fpu.mmx(reg, value);
      }
      case 0x7e -> {
        storeGeneral(cpu, in, fpu.significand[reg]);
        fpu.enterMmx();
      }
      case 0x7f, 0xe7 -> {
        if (in.isMemory) {
          cpu.mmu.write64(cpu.linearAddress(in, 8, true), fpu.significand[reg]);
          fpu.enterMmx();
        } else {
          if (op == 0xe7) {
            throw cpu.undefined(in);
          }
          fpu.enterMmx();
          fpu.mmx(in.rm & 7, fpu.significand[reg]);
        }
      }
      case 0xd7 -> {
        requireRegister(cpu, in);
        fpu.enterMmx();
        cpu.gpr[in.reg] = Packed.byteMask(fpu.significand[in.rm & 7]);
      }
      case 0xf7 -> {
        requireRegister(cpu, in);
        long value = fpu.significand[reg];
        storeMasked(cpu, in, value, 0, Packed.byteMask(fpu.significand[in.rm & 7]), 8);
        fpu.enterMmx();
      }
      default -> throw cpu.undefined(in);
    }
  }

  /** MASKMOVQ and MASKMOVDQU: bytes whose mask bit is set go to DS:rDI. */
  private static void storeMasked(
      Cpu cpu, Instruction in, long low, long high, int mask, int size) {
    if (mask == 0) {
      return;
    }
    long addressMask = in.addressSize == 8 ? -1L : in.addressSize == 4 ? 0xffff_ffffL : 0xffffL;
    int segment = in.segmentOverride >= 0 ? in.segmentOverride : Cpu.DS;
    long linear = cpu.linear(segment, cpu.gpr[Cpu.RDI] & addressMask, size, true);
    cpu.mmu.checkAlignment(linear, 8);
    for (int i = 0; i < size; i++) {
      if ((mask >> i & 1) != 0) {
        cpu.mmu.probe(linear + i, 1, Mmu.WRITE);
      }
    }
    for (int i = 0; i < size; i++) {
      if ((mask >> i & 1) != 0) {
        cpu.mmu.write8(linear + i, (int) ((i < 8 ? low : high) >>> 8 * (i & 7)));
      }
    }
  }
}

package io.vmm4j.engine.software.fpu;

import io.vmm4j.engine.software.cpu.Cpu;
import io.vmm4j.engine.software.cpu.Instruction;

/** Moves of SSE, SSE2 and MMX between registers and memory, and SHUFPS, SHUFPD, UNPCK. */
final class SimdMoves {
  private static final int NONE = Instruction.PREFIX_NONE;
  private static final int P66 = Instruction.PREFIX_66;
  private static final int F3 = Instruction.PREFIX_F3;
  private static final int F2 = Instruction.PREFIX_F2;

  private SimdMoves() {}

  static void execute(Cpu cpu, Instruction in, int op) {
    boolean mmx =
        in.mandatoryPrefix == NONE
            && (op == 0x6e
                || op == 0x7e
                || op == 0x6f
                || op == 0x7f
                || op == 0xd7
                || op == 0xe7
                || op == 0xf7);
    if (mmx) {
      mmx(cpu, in, op);
      return;
    }
    if (op == 0xc3) {
      storeInteger(cpu, in);
      return;
    }
    Operands.requireSse(cpu);
    switch (op) {
      case 0x10 -> load(cpu, in);
      case 0x11 -> store(cpu, in);
      case 0x12, 0x16 -> loadHalf(cpu, in, op == 0x16);
      case 0x13, 0x17 -> storeHalf(cpu, in, op == 0x17);
      case 0x14, 0x15 -> unpack(cpu, in, op == 0x15);
      case 0x28 -> set(cpu, in, Operands.load128(cpu, in), cpu.fpu.operandHigh);
      case 0x29, 0x2b -> storeAligned(cpu, in);
      case 0x50 -> signMask(cpu, in);
      case 0x6e -> set(cpu, in, Operands.loadInteger(cpu, in, in.rexW), 0);
      case 0x7e -> storeLow(cpu, in);
      case 0x6f -> {
        long low =
            in.mandatoryPrefix == P66
                ? Operands.load128(cpu, in)
                : Operands.loadUnaligned128(cpu, in);
        require(cpu, in, in.mandatoryPrefix != F2);
        set(cpu, in, low, cpu.fpu.operandHigh);
      }
      case 0x7f -> {
        require(cpu, in, in.mandatoryPrefix != F2);
        store128(cpu, in, in.mandatoryPrefix == P66);
      }
      case 0xe7 -> {
        require(cpu, in, in.mandatoryPrefix == P66 && in.isMemory);
        store128(cpu, in, true);
      }
      case 0xf0 -> {
        require(cpu, in, in.mandatoryPrefix == F2 && in.isMemory);
        set(cpu, in, Operands.loadUnaligned128(cpu, in), cpu.fpu.operandHigh);
      }
      case 0xc6 -> shuffle(cpu, in);
      case 0xd6 -> storeQuadword(cpu, in);
      case 0xd7 -> {
        require(cpu, in, in.mandatoryPrefix == P66 && !in.isMemory);
        long[] xmm = cpu.fpu.xmm;
        cpu.gpr[in.reg] =
            Packed.byteMask(xmm[2 * in.rm]) | (long) Packed.byteMask(xmm[2 * in.rm + 1]) << 8;
      }
      default -> throw cpu.undefined(in);
    }
  }

  private static void require(Cpu cpu, Instruction in, boolean condition) {
    if (!condition) {
      throw cpu.undefined(in);
    }
  }

  private static void set(Cpu cpu, Instruction in, long low, long high) {
    cpu.fpu.xmm[2 * in.reg] = low;
    cpu.fpu.xmm[2 * in.reg + 1] = high;
  }

  private static void mmx(Cpu cpu, Instruction in, int op) {
    Operands.requireMmx(cpu);
    FpuState fpu = cpu.fpu;
    long value = fpu.significand[in.reg & 7];
    switch (op) {
      case 0x6e, 0x6f -> {
        long loaded =
            op == 0x6e ? Operands.loadInteger(cpu, in, in.rexW) : Operands.loadMmx(cpu, in);
        fpu.enterMmx();
        fpu.mmx(in.reg & 7, loaded);
      }
      case 0x7e -> {
        storeGeneral(cpu, in, value);
        fpu.enterMmx();
      }
      case 0x7f, 0xe7 -> {
        require(cpu, in, op == 0x7f || in.isMemory);
        if (in.isMemory) {
          cpu.mmu.write64(cpu.linearAddress(in, 8, true), value);
          fpu.enterMmx();
        } else {
          fpu.enterMmx();
          fpu.mmx(in.rm & 7, value);
        }
      }
      case 0xd7 -> {
        require(cpu, in, !in.isMemory);
        cpu.gpr[in.reg] = Packed.byteMask(fpu.significand[in.rm & 7]);
        fpu.enterMmx();
      }
      default -> throw cpu.undefined(in);
    }
  }

  /** MOVNTI. */
  private static void storeInteger(Cpu cpu, Instruction in) {
    require(cpu, in, in.mandatoryPrefix == NONE && in.isMemory);
    int size = in.rexW ? 8 : 4;
    cpu.mmu.write(cpu.linearAddress(in, size, true), size, cpu.gpr[in.reg]);
  }

  private static void storeGeneral(Cpu cpu, Instruction in, long value) {
    int size = in.rexW ? 8 : 4;
    if (in.isMemory) {
      cpu.mmu.write(cpu.linearAddress(in, size, true), size, value);
    } else {
      cpu.setReg(in.rm, size, value);
    }
  }

  private static void store128(Cpu cpu, Instruction in, boolean aligned) {
    long[] xmm = cpu.fpu.xmm;
    Operands.store128(cpu, in, aligned, xmm[2 * in.reg], xmm[2 * in.reg + 1]);
  }

  private static void storeAligned(Cpu cpu, Instruction in) {
    require(cpu, in, in.opcode == 0x129 || in.isMemory);
    store128(cpu, in, true);
  }

  /** MOVUPS, MOVUPD, MOVSS, MOVSD to a register. */
  private static void load(Cpu cpu, Instruction in) {
    long[] xmm = cpu.fpu.xmm;
    switch (in.mandatoryPrefix) {
      case F3 -> {
        long value = Operands.load32(cpu, in) & 0xffff_ffffL;
        if (in.isMemory) {
          set(cpu, in, value, 0);
        } else {
          xmm[2 * in.reg] = xmm[2 * in.reg] & ~0xffff_ffffL | value;
        }
      }
      case F2 -> {
        long value = Operands.load64(cpu, in);
        set(cpu, in, value, in.isMemory ? 0 : xmm[2 * in.reg + 1]);
      }
      default -> set(cpu, in, Operands.loadUnaligned128(cpu, in), cpu.fpu.operandHigh);
    }
  }

  private static void store(Cpu cpu, Instruction in) {
    long[] xmm = cpu.fpu.xmm;
    long value = xmm[2 * in.reg];
    switch (in.mandatoryPrefix) {
      case F3 -> {
        if (in.isMemory) {
          cpu.mmu.write32(cpu.linearAddress(in, 4, true), (int) value);
        } else {
          xmm[2 * in.rm] = xmm[2 * in.rm] & ~0xffff_ffffL | value & 0xffff_ffffL;
        }
      }
      case F2 -> {
        if (in.isMemory) {
          cpu.mmu.write64(cpu.linearAddress(in, 8, true), value);
        } else {
          xmm[2 * in.rm] = value;
        }
      }
      default -> store128(cpu, in, false);
    }
  }

  /** MOVLPS, MOVHPS and their kin, MOVHLPS, MOVLHPS, MOVDDUP, MOVSLDUP, MOVSHDUP. */
  private static void loadHalf(Cpu cpu, Instruction in, boolean high) {
    long[] xmm = cpu.fpu.xmm;
    int d = 2 * in.reg;
    if (in.mandatoryPrefix == F3) {
      long low = Operands.load128(cpu, in);
      long top = cpu.fpu.operandHigh;
      set(cpu, in, duplicate(low, high), duplicate(top, high));
      return;
    }
    if (in.mandatoryPrefix == F2) {
      require(cpu, in, !high);
      long value = Operands.load64(cpu, in);
      set(cpu, in, value, value);
      return;
    }
    if (in.isMemory) {
      xmm[high ? d + 1 : d] = Operands.load64(cpu, in);
      return;
    }
    require(cpu, in, in.mandatoryPrefix == NONE);
    if (high) {
      xmm[d + 1] = xmm[2 * in.rm];
    } else {
      xmm[d] = xmm[2 * in.rm + 1];
    }
  }

  private static long duplicate(long value, boolean odd) {
    long single = odd ? value >>> 32 : value & 0xffff_ffffL;
    return single | single << 32;
  }

  private static void storeHalf(Cpu cpu, Instruction in, boolean high) {
    require(cpu, in, in.isMemory && in.mandatoryPrefix <= P66);
    cpu.mmu.write64(
        cpu.linearAddress(in, 8, true), cpu.fpu.xmm[high ? 2 * in.reg + 1 : 2 * in.reg]);
  }

  private static void unpack(Cpu cpu, Instruction in, boolean high) {
    require(cpu, in, in.mandatoryPrefix <= P66);
    long low = Operands.load128(cpu, in);
    long b = high ? cpu.fpu.operandHigh : low;
    long a = cpu.fpu.xmm[2 * in.reg + (high ? 1 : 0)];
    if (in.mandatoryPrefix == P66) {
      set(cpu, in, a, b);
    } else {
      set(cpu, in, Packed.pair(a, b), Packed.pair(a >>> 32, b >>> 32));
    }
  }

  private static void shuffle(Cpu cpu, Instruction in) {
    require(cpu, in, in.mandatoryPrefix <= P66);
    long bl = Operands.load128(cpu, in);
    long bh = cpu.fpu.operandHigh;
    long al = cpu.fpu.xmm[2 * in.reg];
    long ah = cpu.fpu.xmm[2 * in.reg + 1];
    int order = (int) in.imm & 0xff;
    if (in.mandatoryPrefix == P66) {
      set(cpu, in, (order & 1) == 0 ? al : ah, (order & 2) == 0 ? bl : bh);
    } else {
      set(
          cpu,
          in,
          Packed.pair(
              Packed.doubleword(al, ah, order & 3), Packed.doubleword(al, ah, order >> 2 & 3)),
          Packed.pair(
              Packed.doubleword(bl, bh, order >> 4 & 3), Packed.doubleword(bl, bh, order >> 6)));
    }
  }

  /** MOVMSKPS and MOVMSKPD. */
  private static void signMask(Cpu cpu, Instruction in) {
    require(cpu, in, !in.isMemory && in.mandatoryPrefix <= P66);
    long low = cpu.fpu.xmm[2 * in.rm];
    long high = cpu.fpu.xmm[2 * in.rm + 1];
    if (in.mandatoryPrefix == P66) {
      cpu.gpr[in.reg] = low >>> 63 | high >>> 63 << 1;
    } else {
      cpu.gpr[in.reg] = low >>> 31 & 1 | low >>> 62 & 2 | (high >>> 31 & 1) << 2 | high >>> 63 << 3;
    }
  }

  /** MOVD and MOVQ from an XMM register, and F3: MOVQ to one. */
  private static void storeLow(Cpu cpu, Instruction in) {
    if (in.mandatoryPrefix == F3) {
      set(cpu, in, Operands.load64(cpu, in), 0);
      return;
    }
    require(cpu, in, in.mandatoryPrefix == P66);
    storeGeneral(cpu, in, cpu.fpu.xmm[2 * in.reg]);
  }

  /** MOVQ to memory or a register, MOVQ2DQ, MOVDQ2Q. */
  private static void storeQuadword(Cpu cpu, Instruction in) {
    FpuState fpu = cpu.fpu;
    switch (in.mandatoryPrefix) {
      case P66 -> {
        if (in.isMemory) {
          cpu.mmu.write64(cpu.linearAddress(in, 8, true), fpu.xmm[2 * in.reg]);
        } else {
          fpu.xmm[2 * in.rm] = fpu.xmm[2 * in.reg];
          fpu.xmm[2 * in.rm + 1] = 0;
        }
      }
      case F3 -> {
        require(cpu, in, !in.isMemory);
        Operands.requireMmx(cpu);
        set(cpu, in, fpu.significand[in.rm & 7], 0);
        fpu.enterMmx();
      }
      case F2 -> {
        require(cpu, in, !in.isMemory);
        Operands.requireMmx(cpu);
        long value = fpu.xmm[2 * in.rm];
        fpu.enterMmx();
        fpu.mmx(in.reg & 7, value);
      }
      default -> throw cpu.undefined(in);
    }
  }
}

package io.vmm4j.software.fpu;

import static io.vmm4j.software.cpu.Mnemonic.LDDQU;
import static io.vmm4j.software.cpu.Mnemonic.MASKMOVDQU;
import static io.vmm4j.software.cpu.Mnemonic.MASKMOVQ;
import static io.vmm4j.software.cpu.Mnemonic.MOVAPD;
import static io.vmm4j.software.cpu.Mnemonic.MOVAPS;
import static io.vmm4j.software.cpu.Mnemonic.MOVD;
import static io.vmm4j.software.cpu.Mnemonic.MOVDDUP;
import static io.vmm4j.software.cpu.Mnemonic.MOVDQ2Q;
import static io.vmm4j.software.cpu.Mnemonic.MOVDQA;
import static io.vmm4j.software.cpu.Mnemonic.MOVDQU;
import static io.vmm4j.software.cpu.Mnemonic.MOVHLPS;
import static io.vmm4j.software.cpu.Mnemonic.MOVHPD;
import static io.vmm4j.software.cpu.Mnemonic.MOVHPS;
import static io.vmm4j.software.cpu.Mnemonic.MOVLHPS;
import static io.vmm4j.software.cpu.Mnemonic.MOVLPD;
import static io.vmm4j.software.cpu.Mnemonic.MOVLPS;
import static io.vmm4j.software.cpu.Mnemonic.MOVMSKPD;
import static io.vmm4j.software.cpu.Mnemonic.MOVMSKPS;
import static io.vmm4j.software.cpu.Mnemonic.MOVNTDQ;
import static io.vmm4j.software.cpu.Mnemonic.MOVNTI;
import static io.vmm4j.software.cpu.Mnemonic.MOVNTPD;
import static io.vmm4j.software.cpu.Mnemonic.MOVNTPS;
import static io.vmm4j.software.cpu.Mnemonic.MOVNTQ;
import static io.vmm4j.software.cpu.Mnemonic.MOVQ;
import static io.vmm4j.software.cpu.Mnemonic.MOVQ2DQ;
import static io.vmm4j.software.cpu.Mnemonic.MOVSD;
import static io.vmm4j.software.cpu.Mnemonic.MOVSHDUP;
import static io.vmm4j.software.cpu.Mnemonic.MOVSLDUP;
import static io.vmm4j.software.cpu.Mnemonic.MOVSS;
import static io.vmm4j.software.cpu.Mnemonic.MOVUPD;
import static io.vmm4j.software.cpu.Mnemonic.MOVUPS;
import static io.vmm4j.software.cpu.Mnemonic.PMOVMSKB;
import static io.vmm4j.software.cpu.Mnemonic.SHUFPD;
import static io.vmm4j.software.cpu.Mnemonic.SHUFPS;
import static io.vmm4j.software.cpu.Mnemonic.UNPCKHPD;
import static io.vmm4j.software.cpu.Mnemonic.UNPCKHPS;
import static io.vmm4j.software.cpu.Mnemonic.UNPCKLPD;
import static io.vmm4j.software.cpu.Mnemonic.UNPCKLPS;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Instruction;
import io.vmm4j.software.cpu.Mmu;
import io.vmm4j.software.cpu.OperandPlace;

/** Moves, unpacks and shuffles of MMX and SSE (Intel SDM volume 2). */
final class SimdMove {
  private SimdMove() {}

  private static void set(Cpu cpu, int register, long low, long high) {
    cpu.fpu.xmm[2 * register] = low;
    cpu.fpu.xmm[2 * register + 1] = high;
  }

  static void execute(Cpu cpu, Instruction in) {
    switch (in.mnemonic) {
      case MOVAPS, MOVAPD, MOVDQA, MOVNTPS, MOVNTPD, MOVNTDQ -> moveAligned(cpu, in);
      case MOVUPS, MOVUPD, MOVDQU, LDDQU -> moveUnaligned(cpu, in);
      case MOVSS -> moveSingle(cpu, in);
      case MOVSD -> moveDouble(cpu, in);
      case MOVLPS, MOVLPD -> moveHalf(cpu, in, 0);
      case MOVHPS, MOVHPD -> moveHalf(cpu, in, 1);
      case MOVNTI -> storeGeneral(cpu, in, cpu.gpr[in.reg]);
      case MOVQ2DQ, MOVDQ2Q -> betweenFiles(cpu, in);
      default -> {
        if (in.form.hasMmxOperand) {
          mmx(cpu, in);
        } else {
          xmm(cpu, in);
        }
      }
    }
  }

  private static void moveAligned(Cpu cpu, Instruction in) {
    Operands.requireSse(cpu);
    FpuState fpu = cpu.fpu;
    if (in.form.first == OperandPlace.XMM_REG) {
      long low = Operands.load128(cpu, in);
      set(cpu, in.reg, low, fpu.operandHigh);
    } else {
      Operands.store128(cpu, in, true, fpu.xmm[2 * in.reg], fpu.xmm[2 * in.reg + 1]);
    }
  }

  private static void moveUnaligned(Cpu cpu, Instruction in) {
    Operands.requireSse(cpu);
    FpuState fpu = cpu.fpu;
    if (in.form.first == OperandPlace.XMM_REG) {
      long low = Operands.loadUnaligned128(cpu, in);
      set(cpu, in.reg, low, fpu.operandHigh);
    } else {
      Operands.store128(cpu, in, false, fpu.xmm[2 * in.reg], fpu.xmm[2 * in.reg + 1]);
    }
  }

  private static void xmm(Cpu cpu, Instruction in) {
    Operands.requireSse(cpu);
    long[] xmm = cpu.fpu.xmm;
    int d = 2 * in.reg;
    switch (in.mnemonic) {
      case MOVQ -> moveQuadword(cpu, in);
      case MOVD -> {
        if (in.form.first == OperandPlace.XMM_REG) {
          set(cpu, in.reg, Operands.loadInteger(cpu, in, in.rexW), 0);
        } else {
          storeGeneral(cpu, in, xmm[d]);
        }
      }
      case MOVHLPS -> xmm[d] = xmm[2 * in.rm + 1];
      case MOVLHPS -> xmm[d + 1] = xmm[2 * in.rm];
      case MASKMOVDQU -> storeMasked(cpu, in, xmm[d], xmm[d + 1], byteMask(cpu, in.rm), 16);
      case PMOVMSKB -> cpu.gpr[in.reg] = byteMask(cpu, in.rm);
      case MOVMSKPS -> cpu.gpr[in.reg] = signs(xmm[2 * in.rm], xmm[2 * in.rm + 1], false);
      case MOVMSKPD -> cpu.gpr[in.reg] = signs(xmm[2 * in.rm], xmm[2 * in.rm + 1], true);
      default -> rearrange(cpu, in);
    }
  }

  static int byteMask(Cpu cpu, int register) {
    long[] xmm = cpu.fpu.xmm;
    return Packed.byteMask(xmm[2 * register]) | Packed.byteMask(xmm[2 * register + 1]) << 8;
  }

  private static void rearrange(Cpu cpu, Instruction in) {
    long bl = in.mnemonic == MOVDDUP ? Operands.load64(cpu, in) : Operands.load128(cpu, in);
    long bh = cpu.fpu.operandHigh;
    long al = cpu.fpu.xmm[2 * in.reg];
    long ah = cpu.fpu.xmm[2 * in.reg + 1];
    long low = lane(cpu, in, al, ah, bl, bh, (int) in.imm);
    set(cpu, in.reg, low, cpu.fpu.resultHigh);
  }

  /** The result in 128 bits of two operands: duplications, unpacking, SHUFPS and SHUFPD. */
  static long lane(Cpu cpu, Instruction in, long al, long ah, long bl, long bh, int order) {
    FpuState fpu = cpu.fpu;
    switch (in.mnemonic) {
      case MOVSLDUP -> {
        fpu.resultHigh = Packed.pair(bh, bh);
        return Packed.pair(bl, bl);
      }
      case MOVSHDUP -> {
        fpu.resultHigh = Packed.pair(bh >>> 32, bh >>> 32);
        return Packed.pair(bl >>> 32, bl >>> 32);
      }
      case MOVDDUP -> {
        fpu.resultHigh = bl;
        return bl;
      }
      case UNPCKLPD -> {
        fpu.resultHigh = bl;
        return al;
      }
      case UNPCKHPD -> {
        fpu.resultHigh = bh;
        return ah;
      }
      case UNPCKLPS -> {
        fpu.resultHigh = Packed.pair(al >>> 32, bl >>> 32);
        return Packed.pair(al, bl);
      }
      case UNPCKHPS -> {
        fpu.resultHigh = Packed.pair(ah >>> 32, bh >>> 32);
        return Packed.pair(ah, bh);
      }
      case SHUFPD -> {
        fpu.resultHigh = (order & 2) != 0 ? bh : bl;
        return (order & 1) != 0 ? ah : al;
      }
      case SHUFPS -> {
        fpu.resultHigh =
            Packed.pair(
                Packed.doubleword(bl, bh, order >> 4 & 3),
                Packed.doubleword(bl, bh, order >> 6 & 3));
        return Packed.pair(
            Packed.doubleword(al, ah, order & 3), Packed.doubleword(al, ah, order >> 2 & 3));
      }
      default -> throw cpu.undefined(in);
    }
  }

  static long signs(long low, long high, boolean doubles) {
    return doubles
        ? low >>> 63 | high >>> 63 << 1
        : low >>> 31 & 1 | low >>> 63 << 1 | (high >>> 31 & 1) << 2 | high >>> 63 << 3;
  }

  private static void moveSingle(Cpu cpu, Instruction in) {
    Operands.requireSse(cpu);
    long[] xmm = cpu.fpu.xmm;
    boolean loads = in.form.first == OperandPlace.XMM_REG;
    if (!in.isMemory) {
      int to = 2 * (loads ? in.reg : in.rm);
      xmm[to] = Packed.pair(xmm[2 * (loads ? in.rm : in.reg)], xmm[to] >>> 32);
    } else if (loads) {
      set(cpu, in.reg, Operands.load32(cpu, in) & 0xffff_ffffL, 0);
    } else {
      cpu.mmu.write32(cpu.linearAddress(in, 4, true), (int) xmm[2 * in.reg]);
    }
  }

  private static void moveDouble(Cpu cpu, Instruction in) {
    Operands.requireSse(cpu);
    long[] xmm = cpu.fpu.xmm;
    boolean loads = in.form.first == OperandPlace.XMM_REG;
    if (!in.isMemory) {
      xmm[2 * (loads ? in.reg : in.rm)] = xmm[2 * (loads ? in.rm : in.reg)];
    } else if (loads) {
      set(cpu, in.reg, Operands.load64(cpu, in), 0);
    } else {
      cpu.mmu.write64(cpu.linearAddress(in, 8, true), xmm[2 * in.reg]);
    }
  }

  /** The low half (0) or the high half (1) of a register from or to memory. */
  private static void moveHalf(Cpu cpu, Instruction in, int half) {
    Operands.requireSse(cpu);
    boolean loads = in.form.first == OperandPlace.XMM_REG;
    long linear = cpu.linearAddress(in, 8, !loads);
    int at = 2 * in.reg + half;
    if (loads) {
      cpu.fpu.xmm[at] = cpu.mmu.read64(linear);
    } else {
      cpu.mmu.write64(linear, cpu.fpu.xmm[at]);
    }
  }

  private static void moveQuadword(Cpu cpu, Instruction in) {
    long low = cpu.fpu.xmm[2 * in.reg];
    if (in.form.first == OperandPlace.XMM_REG) {
      set(cpu, in.reg, Operands.load64(cpu, in), 0);
    } else if (in.isMemory) {
      cpu.mmu.write64(cpu.linearAddress(in, 8, true), low);
    } else {
      set(cpu, in.rm, low, 0);
    }
  }

  static void storeGeneral(Cpu cpu, Instruction in, long value) {
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

  /** MOVQ2DQ and MOVDQ2Q. */
  private static void betweenFiles(Cpu cpu, Instruction in) {
    Operands.requireSse(cpu);
    Operands.requireNoPending(cpu);
    cpu.fpu.enterMmx();
    if (in.mnemonic == MOVQ2DQ) {
      set(cpu, in.reg, cpu.fpu.significand[in.rm & 7], 0);
    } else {
      cpu.fpu.mmx(in.reg & 7, cpu.fpu.xmm[2 * in.rm]);
    }
  }

  private static void mmx(Cpu cpu, Instruction in) {
    Operands.requireMmx(cpu);
    FpuState fpu = cpu.fpu;
    int reg = in.reg & 7;
    boolean loads = in.form.first == OperandPlace.MMX_REG;
    switch (in.mnemonic) {
      case MOVD -> {
        if (loads) {
          long value = Operands.loadInteger(cpu, in, in.rexW);
          fpu.enterMmx();
          fpu.mmx(reg, value);
        } else {
          storeGeneral(cpu, in, fpu.significand[reg]);
          fpu.enterMmx();
        }
      }
      case MOVQ, MOVNTQ -> {
        if (loads) {
          long value = Operands.loadMmx(cpu, in);
          fpu.enterMmx();
          fpu.mmx(reg, value);
        } else if (in.isMemory) {
          cpu.mmu.write64(cpu.linearAddress(in, 8, true), fpu.significand[reg]);
          fpu.enterMmx();
        } else {
          fpu.enterMmx();
          fpu.mmx(in.rm & 7, fpu.significand[reg]);
        }
      }
      case PMOVMSKB -> {
        fpu.enterMmx();
        cpu.gpr[in.reg] = Packed.byteMask(fpu.significand[in.rm & 7]);
      }
      case MASKMOVQ -> {
        long value = fpu.significand[reg];
        storeMasked(cpu, in, value, 0, Packed.byteMask(fpu.significand[in.rm & 7]), 8);
        fpu.enterMmx();
      }
      default -> throw cpu.undefined(in);
    }
  }

  /** MASKMOVQ and MASKMOVDQU: bytes whose mask bit is set go to DS:rDI. */
  static void storeMasked(Cpu cpu, Instruction in, long low, long high, int mask, int size) {
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

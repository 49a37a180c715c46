package io.vmm4j.software.fpu;

import static io.vmm4j.software.cpu.Mnemonic.LDDQU;
import static io.vmm4j.software.cpu.Mnemonic.MASKMOVDQU;
import static io.vmm4j.software.cpu.Mnemonic.MOVAPD;
import static io.vmm4j.software.cpu.Mnemonic.MOVAPS;
import static io.vmm4j.software.cpu.Mnemonic.MOVD;
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
import static io.vmm4j.software.cpu.Mnemonic.MOVNTPD;
import static io.vmm4j.software.cpu.Mnemonic.MOVNTPS;
import static io.vmm4j.software.cpu.Mnemonic.MOVQ;
import static io.vmm4j.software.cpu.Mnemonic.MOVSD;
import static io.vmm4j.software.cpu.Mnemonic.MOVSS;
import static io.vmm4j.software.cpu.Mnemonic.MOVUPD;
import static io.vmm4j.software.cpu.Mnemonic.MOVUPS;
import static io.vmm4j.software.cpu.Mnemonic.PMOVMSKB;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Instruction;
import io.vmm4j.software.cpu.Mmu;
import io.vmm4j.software.cpu.OperandPlace;

/** VEX forms of moves (Intel SDM volume 2). */
final class AvxMove {
  private AvxMove() {}

  static void execute(Cpu cpu, Instruction in) {
    FpuState fpu = cpu.fpu;
    boolean loads = in.form.first == OperandPlace.XMM_REG;
    switch (in.mnemonic) {
      case MOVAPS, MOVAPD, MOVDQA, MOVNTPS, MOVNTPD, MOVNTDQ -> {
        if (loads) {
          loadAligned(cpu, in);
        } else {
          store(cpu, in, true);
        }
      }
      case MOVUPS, MOVUPD, MOVDQU, LDDQU -> {
        if (loads) {
          Operands.loadVector(cpu, in);
          take(cpu, in);
        } else {
          store(cpu, in, false);
        }
      }
      case MOVSS, MOVSD -> scalar(cpu, in, loads);
      case MOVLPS, MOVLPD, MOVHPS, MOVHPD -> half(cpu, in, loads);
      case MOVHLPS ->
          Avx.set(fpu, in.reg, fpu.xmm[2 * in.rm + 1], fpu.xmm[2 * in.vexRegister + 1], 0, 0);
      case MOVLHPS -> Avx.set(fpu, in.reg, fpu.xmm[2 * in.vexRegister], fpu.xmm[2 * in.rm], 0, 0);
      case MOVD -> {
        if (loads) {
          Avx.set(fpu, in.reg, Operands.loadInteger(cpu, in, in.rexW), 0, 0, 0);
        } else {
          SimdMove.storeGeneral(cpu, in, fpu.xmm[2 * in.reg]);
        }
      }
      case MOVQ -> {
        if (loads) {
          Avx.set(fpu, in.reg, Operands.load64(cpu, in), 0, 0, 0);
        } else if (in.isMemory) {
          cpu.mmu.write64(cpu.linearAddress(in, 8, true), fpu.xmm[2 * in.reg]);
        } else {
          Avx.set(fpu, in.rm, fpu.xmm[2 * in.reg], 0, 0, 0);
        }
      }
      case PMOVMSKB, MOVMSKPS, MOVMSKPD -> signs(cpu, in);
      case MASKMOVDQU ->
          SimdMove.storeMasked(
              cpu,
              in,
              fpu.xmm[2 * in.reg],
              fpu.xmm[2 * in.reg + 1],
              SimdMove.byteMask(cpu, in.rm),
              16);
      default -> Avx.lanes(cpu, in);
    }
  }

  /** Sets the destination to what was loaded. */
  private static void take(Cpu cpu, Instruction in) {
    long[] s = cpu.fpu.source;
    Avx.set(cpu.fpu, in.reg, s[0], s[1], in.vexL ? s[2] : 0, in.vexL ? s[3] : 0);
  }

  static void loadAligned(Cpu cpu, Instruction in) {
    if (in.isMemory) {
      int bytes = in.form.operandBytes(in);
      Operands.readVector(cpu, Operands.aligned(cpu, in, bytes, false), bytes);
    } else {
      Operands.loadVector(cpu, in);
    }
    take(cpu, in);
  }

  private static void store(Cpu cpu, Instruction in, boolean aligned) {
    FpuState fpu = cpu.fpu;
    int r = 2 * in.reg;
    if (!in.isMemory) {
      long c = in.vexL ? fpu.ymmHigh[r] : 0;
      Avx.set(fpu, in.rm, fpu.xmm[r], fpu.xmm[r + 1], c, in.vexL ? fpu.ymmHigh[r + 1] : 0);
      return;
    }
    int bytes = in.form.operandBytes(in);
    long linear =
        aligned ? Operands.aligned(cpu, in, bytes, true) : cpu.linearAddress(in, bytes, true);
    cpu.mmu.checkAlignment(linear, 16);
    if ((linear & 0xfff) > 0x1000 - bytes) {
      cpu.mmu.probe(linear, bytes, Mmu.WRITE);
    }
    cpu.mmu.write64(linear, fpu.xmm[r]);
    cpu.mmu.write64(linear + 8, fpu.xmm[r + 1]);
    if (bytes == 32) {
      cpu.mmu.write64(linear + 16, fpu.ymmHigh[r]);
      cpu.mmu.write64(linear + 24, fpu.ymmHigh[r + 1]);
    }
  }

  /** VMOVSS and VMOVSD. */
  private static void scalar(Cpu cpu, Instruction in, boolean loads) {
    FpuState fpu = cpu.fpu;
    long[] xmm = fpu.xmm;
    boolean single = in.mnemonic == MOVSS;
    if (!in.isMemory) {
      int a = 2 * in.vexRegister;
      long low = xmm[2 * (loads ? in.rm : in.reg)];
      low = single ? Packed.pair(low, xmm[a] >>> 32) : low;
      Avx.set(fpu, loads ? in.reg : in.rm, low, xmm[a + 1], 0, 0);
    } else if (loads) {
      long value = single ? Operands.load32(cpu, in) & 0xffff_ffffL : Operands.load64(cpu, in);
      Avx.set(fpu, in.reg, value, 0, 0, 0);
    } else if (single) {
      cpu.mmu.write32(cpu.linearAddress(in, 4, true), (int) xmm[2 * in.reg]);
    } else {
      cpu.mmu.write64(cpu.linearAddress(in, 8, true), xmm[2 * in.reg]);
    }
  }

  /** VMOVLPS, VMOVLPD, VMOVHPS and VMOVHPD. */
  private static void half(Cpu cpu, Instruction in, boolean loads) {
    FpuState fpu = cpu.fpu;
    boolean high = in.mnemonic == MOVHPS || in.mnemonic == MOVHPD;
    if (!loads) {
      cpu.mmu.write64(cpu.linearAddress(in, 8, true), fpu.xmm[2 * in.reg + (high ? 1 : 0)]);
      return;
    }
    long value = cpu.mmu.read64(cpu.linearAddress(in, 8, false));
    int a = 2 * in.vexRegister;
    Avx.set(fpu, in.reg, high ? fpu.xmm[a] : value, high ? value : fpu.xmm[a + 1], 0, 0);
  }

  /** VPMOVMSKB, VMOVMSKPS and VMOVMSKPD. */
  private static void signs(Cpu cpu, Instruction in) {
    FpuState fpu = cpu.fpu;
    int s = 2 * in.rm;
    if (in.mnemonic == PMOVMSKB) {
      long mask = SimdMove.byteMask(cpu, in.rm);
      if (in.vexL) {
        int upper = Packed.byteMask(fpu.ymmHigh[s]) | Packed.byteMask(fpu.ymmHigh[s + 1]) << 8;
        mask |= (long) upper << 16;
      }
      cpu.gpr[in.reg] = mask;
      return;
    }
    boolean twice = in.mnemonic == MOVMSKPD;
    long mask = SimdMove.signs(fpu.xmm[s], fpu.xmm[s + 1], twice);
    if (in.vexL) {
      mask |= SimdMove.signs(fpu.ymmHigh[s], fpu.ymmHigh[s + 1], twice) << (twice ? 2 : 4);
    }
    cpu.gpr[in.reg] = mask;
  }
}

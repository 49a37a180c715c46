package io.vmm4j.software.fpu;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Instruction;
import io.vmm4j.software.cpu.Mmu;
import io.vmm4j.x86.ControlBits;
import io.vmm4j.x86.XsaveLayout;

/**
 * Operands of SIMD instructions, and the conditions under which these execute at all (Intel SDM
 * volume 2, 2.4, and volume 3, 13.1 and 12.1). Of a 128-bit operand the low half is returned, the
 * high half is left in {@link FpuState#operandHigh}.
 */
final class Operands {
  private static final long AVX_ENABLED = XsaveLayout.SSE | XsaveLayout.AVX;

  private Operands() {}

  /**
   * ModRM.rm of an instruction with VEX, into {@link FpuState#source}: all 256 bits of a register,
   * or as many bytes of memory as the instruction reads, zero-extended.
   */
  static void loadVector(Cpu cpu, Instruction in) {
    FpuState fpu = cpu.fpu;
    long[] to = fpu.source;
    if (!in.isMemory) {
      to[0] = fpu.xmm[2 * in.rm];
      to[1] = fpu.xmm[2 * in.rm + 1];
      to[2] = fpu.ymmHigh[2 * in.rm];
      to[3] = fpu.ymmHigh[2 * in.rm + 1];
      return;
    }
    int bytes = in.form.operandBytes(in);
    long linear = cpu.linearAddress(in, bytes, false);
    if (bytes > 8) {
      cpu.mmu.checkAlignment(linear, 16);
    }
    readVector(cpu, linear, bytes);
  }

  /** Reads 1 to 32 bytes into {@link FpuState#source}. */
  static void readVector(Cpu cpu, long linear, int bytes) {
    long[] to = cpu.fpu.source;
    if (bytes <= 8) {
      to[0] = cpu.mmu.read(linear, bytes);
      return;
    }
    for (int i = 0; i < bytes >> 3; i++) {
      to[i] = cpu.mmu.read64(linear + 8 * i);
    }
  }

  /** Faults unless SSE instructions may execute. */
  static void requireSse(Cpu cpu) {
    if ((cpu.cr0 & (ControlBits.CR0_EM | ControlBits.CR0_TS)) != 0
        || (cpu.cr4 & ControlBits.CR4_OSFXSR) == 0) {
      throw cpu.raise(
          (cpu.cr0 & ControlBits.CR0_EM) != 0 || (cpu.cr4 & ControlBits.CR4_OSFXSR) == 0
              ? Cpu.UD
              : Cpu.NM);
    }
  }

  /** Faults unless instructions with VEX and vectors may execute. */
  static void requireAvx(Cpu cpu) {
    if (!cpu.protectedMode
        || (cpu.cr4 & ControlBits.CR4_OSXSAVE) == 0
        || (cpu.xcr0 & AVX_ENABLED) != AVX_ENABLED) {
      throw cpu.raise(Cpu.UD);
    }
    if ((cpu.cr0 & ControlBits.CR0_TS) != 0) {
      throw cpu.raise(Cpu.NM);
    }
  }

  /** Faults unless MMX instructions may execute. */
  static void requireMmx(Cpu cpu) {
    if ((cpu.cr0 & (ControlBits.CR0_EM | ControlBits.CR0_TS)) != 0) {
      throw cpu.raise((cpu.cr0 & ControlBits.CR0_EM) != 0 ? Cpu.UD : Cpu.NM);
    }
    requireNoPending(cpu);
  }

  /** Faults unless x87 instructions may execute. */
  static void requireX87(Cpu cpu) {
    if ((cpu.cr0 & (ControlBits.CR0_EM | ControlBits.CR0_TS)) != 0) {
      throw cpu.raise(Cpu.NM);
    }
  }

  /**
   * Reports an unmasked x87 exception that is pending: #MF. Where CR0.NE is clear the instruction
   * goes on, as with IGNNE# asserted: FERR#, IRQ 13 of a PC, is not there.
   */
  static void requireNoPending(Cpu cpu) {
    if (cpu.fpu.exceptionPending() && (cpu.cr0 & ControlBits.CR0_NE) != 0) {
      throw cpu.raise(Cpu.MF);
    }
  }

  /** Moves SIMD exceptions into MXCSR; faults if one is unmasked. */
  static void settle(Cpu cpu) {
    if (cpu.fpu.simd.exceptions() != 0 && cpu.fpu.simd.settle()) {
      throw cpu.raise((cpu.cr4 & ControlBits.CR4_OSXMMEXCPT) != 0 ? Cpu.XM : Cpu.UD);
    }
  }

  /** The address of a 16-byte operand that has to be aligned. */
  static long aligned(Cpu cpu, Instruction in, boolean write) {
    return aligned(cpu, in, 16, write);
  }

  /** The address of an operand of 16 or 32 bytes that has to be aligned. */
  static long aligned(Cpu cpu, Instruction in, int bytes, boolean write) {
    long linear = cpu.linearAddress(in, bytes, write);
    if ((linear & bytes - 1) != 0) {
      throw cpu.raise(Cpu.GP, 0);
    }
    return linear;
  }

  /** ModRM.rm as 128 bits; memory has to be aligned. */
  static long load128(Cpu cpu, Instruction in) {
    if (in.isMemory) {
      return read128(cpu, aligned(cpu, in, false));
    }
    cpu.fpu.operandHigh = cpu.fpu.xmm[2 * in.rm + 1];
    return cpu.fpu.xmm[2 * in.rm];
  }

  /** ModRM.rm as 128 bits, aligned or not. */
  static long loadUnaligned128(Cpu cpu, Instruction in) {
    if (in.isMemory) {
      long linear = cpu.linearAddress(in, 16, false);
      cpu.mmu.checkAlignment(linear, 16);
      return read128(cpu, linear);
    }
    return load128(cpu, in);
  }

  static long read128(Cpu cpu, long linear) {
    long low = cpu.mmu.read64(linear);
    cpu.fpu.operandHigh = cpu.mmu.read64(linear + 8);
    return low;
  }

  /** Stores 128 bits to memory or to the register in ModRM.rm. */
  static void store128(Cpu cpu, Instruction in, boolean aligned, long low, long high) {
    if (!in.isMemory) {
      cpu.fpu.xmm[2 * in.rm] = low;
      cpu.fpu.xmm[2 * in.rm + 1] = high;
      return;
    }
    long linear = aligned ? aligned(cpu, in, true) : cpu.linearAddress(in, 16, true);
    cpu.mmu.checkAlignment(linear, 16);
    if ((linear & 0xfff) > 0xff0) {
      cpu.mmu.probe(linear, 16, Mmu.WRITE);
    }
    cpu.mmu.write64(linear, low);
    cpu.mmu.write64(linear + 8, high);
  }

  /** The low 64 bits of an XMM register, or memory. */
  static long load64(Cpu cpu, Instruction in) {
    return in.isMemory ? cpu.mmu.read64(cpu.linearAddress(in, 8, false)) : cpu.fpu.xmm[2 * in.rm];
  }

  /** The low 32 bits of an XMM register, or memory. */
  static int load32(Cpu cpu, Instruction in) {
    return in.isMemory
        ? cpu.mmu.read32(cpu.linearAddress(in, 4, false))
        : (int) cpu.fpu.xmm[2 * in.rm];
  }

  /** The low 16 bits of an XMM register, or memory; zero-extended. */
  static int load16(Cpu cpu, Instruction in) {
    return in.isMemory
        ? cpu.mmu.read16(cpu.linearAddress(in, 2, false))
        : (int) cpu.fpu.xmm[2 * in.rm] & 0xffff;
  }

  /** An MMX register, or memory. */
  static long loadMmx(Cpu cpu, Instruction in) {
    return in.isMemory
        ? cpu.mmu.read64(cpu.linearAddress(in, 8, false))
        : cpu.fpu.significand[in.rm & 7];
  }

  /** A general register or memory, of 4 or 8 bytes, zero-extended. */
  static long loadInteger(Cpu cpu, Instruction in, boolean wide) {
    if (in.isMemory) {
      long linear = cpu.linearAddress(in, wide ? 8 : 4, false);
      return wide ? cpu.mmu.read64(linear) : cpu.mmu.read32(linear) & 0xffff_ffffL;
    }
    return wide ? cpu.gpr[in.rm] : cpu.gpr[in.rm] & 0xffff_ffffL;
  }
}

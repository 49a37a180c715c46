package io.vmm4j.software.fpu;

import static io.vmm4j.software.cpu.Mnemonic.CLFLUSH;
import static io.vmm4j.software.cpu.Mnemonic.CLFLUSHOPT;
import static io.vmm4j.software.cpu.Mnemonic.CLWB;
import static io.vmm4j.software.cpu.Mnemonic.EMMS;
import static io.vmm4j.software.cpu.Mnemonic.FXRSTOR;
import static io.vmm4j.software.cpu.Mnemonic.FXSAVE;
import static io.vmm4j.software.cpu.Mnemonic.LDMXCSR;
import static io.vmm4j.software.cpu.Mnemonic.LFENCE;
import static io.vmm4j.software.cpu.Mnemonic.MFENCE;
import static io.vmm4j.software.cpu.Mnemonic.SFENCE;
import static io.vmm4j.software.cpu.Mnemonic.STMXCSR;
import static io.vmm4j.software.cpu.Mnemonic.XRSTOR;
import static io.vmm4j.software.cpu.Mnemonic.XSAVE;
import static io.vmm4j.software.cpu.Mnemonic.XSAVEOPT;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Instruction;
import io.vmm4j.software.cpu.Mmu;
import io.vmm4j.x86.ControlBits;
import io.vmm4j.x86.XsaveLayout;
import java.lang.invoke.VarHandle;

/**
 * FXSAVE, FXRSTOR, LDMXCSR, STMXCSR, XSAVE, XRSTOR, XSAVEOPT, the fences, CLFLUSH, CLFLUSHOPT, CLWB
 * and EMMS (Intel SDM volume 2).
 */
final class StateInstructions {
  private StateInstructions() {}

  static void execute(Cpu cpu, Instruction in) {
    switch (in.mnemonic) {
      case FXSAVE -> saveLegacy(cpu, in);
      case FXRSTOR -> restoreLegacy(cpu, in);
      case LDMXCSR, STMXCSR -> {
        Operands.requireSse(cpu);
        accessMxcsr(cpu, in);
      }
      case XSAVE, XSAVEOPT -> save(cpu, in);
      case XRSTOR -> restore(cpu, in);
      // There is no cache, but the address has the faults of a load.
      case CLFLUSH, CLFLUSHOPT, CLWB -> cpu.mmu.read8(cpu.linearAddress(in, 1, false));
      case LFENCE, MFENCE, SFENCE -> fence(cpu);
      case EMMS -> {
        Operands.requireMmx(cpu);
        cpu.fpu.top = 0;
        cpu.fpu.used = 0;
      }
      default -> throw cpu.undefined(in);
    }
  }

  private static void fence(Cpu cpu) {
    if (cpu.parallel) {
      VarHandle.fullFence();
    }
  }

  /** LDMXCSR and STMXCSR, with VEX or without. */
  static void accessMxcsr(Cpu cpu, Instruction in) {
    if (in.mnemonic == STMXCSR) {
      cpu.mmu.write32(cpu.linearAddress(in, 4, true), cpu.fpu.simd.mxcsr());
      return;
    }
    int value = cpu.mmu.read32(cpu.linearAddress(in, 4, false));
    checkMxcsr(cpu, value);
    cpu.fpu.simd.mxcsr(value);
  }

  private static void checkMxcsr(Cpu cpu, int value) {
    if ((value & ~FpuImage.MXCSR_MASK) != 0) {
      throw cpu.raise(Cpu.GP, 0);
    }
  }

  private static long legacyArea(Cpu cpu, Instruction in, boolean write) {
    if ((cpu.cr0 & (ControlBits.CR0_EM | ControlBits.CR0_TS)) != 0) {
      throw cpu.raise(Cpu.NM);
    }
    long linear = cpu.linearAddress(in, FpuImage.FXSAVE_SIZE, write);
    if (linear << 16 >> 16 != linear) {
      throw cpu.raiseNonCanonical(); // before its alignment, unlike other aligned operands
    }
    if ((linear & 15) != 0) {
      throw cpu.raise(Cpu.GP, 0);
    }
    return linear;
  }

  private static void saveLegacy(Cpu cpu, Instruction in) {
    long linear = legacyArea(cpu, in, true);
    FpuImage image = cpu.fpu.image;
    image.fill(in.rexW);
    // The last 96 bytes belong to software; without OSFXSR the XMM registers are left out too.
    int end = (cpu.cr4 & ControlBits.CR4_OSFXSR) == 0 ? 160 : in.codeSize == 8 ? 416 : 288;
    cpu.mmu.probe(linear, FpuImage.FXSAVE_SIZE, Mmu.WRITE);
    write(cpu, linear, 0, end);
  }

  private static void write(Cpu cpu, long linear, int from, int to) {
    for (int i = from; i < to; i += 8) {
      cpu.mmu.write64(linear + i, cpu.fpu.image.getLong(i));
    }
  }

  private static void read(Cpu cpu, long linear, int from, int to) {
    for (int i = from; i < to; i += 8) {
      cpu.fpu.image.setLong(i, cpu.mmu.read64(linear + i));
    }
  }

  private static void restoreLegacy(Cpu cpu, Instruction in) {
    long linear = legacyArea(cpu, in, false);
    read(cpu, linear, 0, FpuImage.FXSAVE_SIZE);
    FpuImage image = cpu.fpu.image;
    boolean sse = (cpu.cr4 & ControlBits.CR4_OSFXSR) != 0;
    if (sse) {
      checkMxcsr(cpu, image.mxcsr());
    }
    image.restoreX87(in.rexW);
    if (sse) {
      image.restoreMxcsr();
      image.restoreXmm(in.codeSize == 8 ? 32 : 16);
    }
  }

  private static long extendedArea(Cpu cpu, Instruction in, boolean write) {
    if ((cpu.cr4 & ControlBits.CR4_OSXSAVE) == 0) {
      throw cpu.raise(Cpu.UD);
    }
    if ((cpu.cr0 & ControlBits.CR0_TS) != 0) {
      throw cpu.raise(Cpu.NM);
    }
    long linear = cpu.linearAddress(in, cpu.system.cpuid.xsave().enabledBytes(cpu.xcr0), write);
    if ((linear & 63) != 0) {
      throw cpu.raise(Cpu.GP, 0);
    }
    return linear;
  }

  /** XCR0 and EDX:EAX: the requested-feature bitmap. */
  private static long requested(Cpu cpu) {
    return cpu.xcr0 & (cpu.gpr[Cpu.RAX] & 0xffff_ffffL | cpu.gpr[Cpu.RDX] << 32);
  }

  private static void save(Cpu cpu, Instruction in) {
    long linear = extendedArea(cpu, in, true);
    long features = requested(cpu);
    FpuImage image = cpu.fpu.image;
    boolean keys = hasKeys(features);
    boolean avx = (features & XsaveLayout.AVX) != 0;
    cpu.mmu.probe(linear, avx ? FpuImage.SIZE_WITH_AVX : FpuImage.XSAVE_SIZE, Mmu.WRITE);
    if (keys) {
      cpu.mmu.probe(linear + cpu.system.cpuid.xsave().pkruOffset(), 8, Mmu.WRITE);
    }
    long before = cpu.mmu.read64(linear + FpuImage.FXSAVE_SIZE);
    image.fill(in.rexW);
    if ((features & 1) != 0) {
      write(cpu, linear, 0, 24);
      write(cpu, linear, 32, 160);
    }
    if ((features & 2) != 0) {
      write(cpu, linear, 24, 32);
      write(cpu, linear, 160, in.codeSize == 8 ? 416 : 288);
    } else if (avx) {
      write(cpu, linear, 24, 32); // MXCSR goes with either
    }
    // XSAVEOPT may leave out what is in its initial state; XSAVE may not.
    long inUse = cpu.fpu.usesYmm() ? features : features & ~XsaveLayout.AVX;
    long written = in.mnemonic == XSAVEOPT ? inUse : features;
    if ((written & XsaveLayout.AVX) != 0) {
      write(cpu, linear, XsaveLayout.AVX_OFFSET, avxEnd(in));
    }
    if (keys) {
      cpu.mmu.write64(linear + cpu.system.cpuid.xsave().pkruOffset(), cpu.pkru & 0xffff_ffffL);
    }
    // All components but AVX count as in use, always; other bits of XSTATE_BV stay.
    cpu.mmu.write64(linear + FpuImage.FXSAVE_SIZE, before & ~features | inUse);
  }

  private static int avxEnd(Instruction in) {
    return XsaveLayout.AVX_OFFSET + (in.codeSize == 8 ? 256 : 128);
  }

  /** Whether PKRU is among the requested components. */
  private static boolean hasKeys(long features) {
    return (features & XsaveLayout.PKRU) != 0;
  }

  private static void restore(Cpu cpu, Instruction in) {
    long linear = extendedArea(cpu, in, false);
    read(cpu, linear, 0, FpuImage.XSAVE_SIZE);
    FpuImage image = cpu.fpu.image;
    long present = image.stateComponents();
    if ((present & ~cpu.xcr0) != 0 || !image.headerIsStandard()) {
      throw cpu.raise(Cpu.GP, 0);
    }
    long features = requested(cpu);
    boolean loadsMxcsr = (features & (XsaveLayout.SSE | XsaveLayout.AVX)) != 0;
    if (loadsMxcsr) {
      checkMxcsr(cpu, image.mxcsr());
    }
    if ((features & present & XsaveLayout.AVX) != 0) {
      read(cpu, linear, XsaveLayout.AVX_OFFSET, avxEnd(in));
    }
    int pkru = 0;
    if (hasKeys(features & present)) {
      pkru = cpu.mmu.read32(linear + cpu.system.cpuid.xsave().pkruOffset());
    }
    image.restore(features, present, in.rexW, in.codeSize == 8 ? 32 : 16);
    if (loadsMxcsr) {
      image.restoreMxcsr();
    }
    if (hasKeys(features)) {
      cpu.setProtectionKeys(pkru, cpu.pkrs);
    }
  }
}

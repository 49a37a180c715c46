package io.vmm4j.engine.software.fpu;

import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.engine.software.cpu.Cpu;
import io.vmm4j.engine.software.cpu.Instruction;
import io.vmm4j.engine.software.cpu.Mmu;
import io.vmm4j.engine.x86.ControlBits;
import io.vmm4j.engine.x86.XsaveLayout;

/**
 * The opcode 0F AE: FXSAVE, FXRSTOR, LDMXCSR, STMXCSR, XSAVE, XRSTOR, XSAVEOPT, the fences,
 * CLFLUSH, CLFLUSHOPT, CLWB and the FS and GS base instructions (Intel SDM volume 2).
 */
final class StateInstructions {
  private StateInstructions() {}

  static void execute(Cpu cpu, Instruction in) {
    int extension = in.extension();
    if (!in.isMemory) {
      if (in.mandatoryPrefix == Instruction.PREFIX_F3 && extension < 4) {
        segmentBase(cpu, in, extension);
        return;
      }
      // LFENCE, MFENCE, SFENCE: memory is in order already.
      if (in.mandatoryPrefix != Instruction.PREFIX_NONE || extension < 5) {
        throw cpu.undefined(in);
      }
      return;
    }
    if (in.mandatoryPrefix == Instruction.PREFIX_66 && extension >= 6) {
      writeBack(cpu, in, extension == 7 ? CpuFeature.CLFLUSHOPT : CpuFeature.CLWB);
      return;
    }
    if (in.mandatoryPrefix != Instruction.PREFIX_NONE) {
      throw cpu.undefined(in);
    }
    switch (extension) {
      case 0 -> saveLegacy(cpu, in);
      case 1 -> restoreLegacy(cpu, in);
      case 2 -> {
        Operands.requireSse(cpu);
        int value = cpu.mmu.read32(cpu.linearAddress(in, 4, false));
        checkMxcsr(cpu, value);
        cpu.fpu.simd.mxcsr(value);
      }
      case 3 -> {
        Operands.requireSse(cpu);
        cpu.mmu.write32(cpu.linearAddress(in, 4, true), cpu.fpu.simd.mxcsr());
      }
      case 4, 6 -> save(cpu, in);
      case 5 -> restore(cpu, in);
      default -> cpu.mmu.read8(cpu.linearAddress(in, 1, false)); // CLFLUSH
    }
  }

  /** CLFLUSHOPT and CLWB: there is no cache, but the address has the faults of a load. */
  private static void writeBack(Cpu cpu, Instruction in, CpuFeature feature) {
    if (!cpu.system.cpuid.has(feature)) {
      throw cpu.raise(Cpu.UD);
    }
    cpu.mmu.read8(cpu.linearAddress(in, 1, false));
  }

  private static void checkMxcsr(Cpu cpu, int value) {
    if ((value & ~FpuImage.MXCSR_MASK) != 0) {
      throw cpu.raise(Cpu.GP, 0);
    }
  }

  private static void segmentBase(Cpu cpu, Instruction in, int extension) {
    if (in.codeSize != 8 || (cpu.cr4 & ControlBits.CR4_FSGSBASE) == 0) {
      throw cpu.raise(Cpu.UD);
    }
    int segment = (extension & 1) == 0 ? Cpu.FS : Cpu.GS;
    if (extension < 2) {
      long base = cpu.seg[segment].base;
      cpu.gpr[in.rm] = in.rexW ? base : base & 0xffff_ffffL;
      return;
    }
    long base = in.rexW ? cpu.gpr[in.rm] : cpu.gpr[in.rm] & 0xffff_ffffL;
    if (base << 16 >> 16 != base) {
      throw cpu.raise(Cpu.GP, 0);
    }
    cpu.seg[segment].base = base;
    cpu.segmentChanged(segment);
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

  private static void read(Cpu cpu, long linear, int size) {
    for (int i = 0; i < size; i += 8) {
      cpu.fpu.image.setLong(i, cpu.mmu.read64(linear + i));
    }
  }

  private static void restoreLegacy(Cpu cpu, Instruction in) {
    long linear = legacyArea(cpu, in, false);
    read(cpu, linear, FpuImage.FXSAVE_SIZE);
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
    cpu.mmu.probe(linear, FpuImage.XSAVE_SIZE, Mmu.WRITE);
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
    }
    if (keys) {
      cpu.mmu.write64(linear + cpu.system.cpuid.xsave().pkruOffset(), cpu.pkru & 0xffff_ffffL);
    }
    // Every component counts as in use, always; other bits of XSTATE_BV stay.
    cpu.mmu.write64(linear + FpuImage.FXSAVE_SIZE, before & ~features | features);
  }

  /** Whether PKRU is among the requested components. */
  private static boolean hasKeys(long features) {
    return (features & XsaveLayout.PKRU) != 0;
  }

  private static void restore(Cpu cpu, Instruction in) {
    long linear = extendedArea(cpu, in, false);
    read(cpu, linear, FpuImage.XSAVE_SIZE);
    FpuImage image = cpu.fpu.image;
    long present = image.stateComponents();
    if ((present & ~cpu.xcr0) != 0 || !image.headerIsStandard()) {
      throw cpu.raise(Cpu.GP, 0);
    }
    long features = requested(cpu);
    boolean loadsMxcsr = (features & 2) != 0;
    if (loadsMxcsr) {
      checkMxcsr(cpu, image.mxcsr());
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

package io.vmm4j.engine.software.fpu;

import io.vmm4j.engine.software.cpu.Cpu;
import io.vmm4j.engine.software.cpu.Instruction;
import io.vmm4j.engine.software.cpu.Mmu;

/** FXSAVE, FXRSTOR, XSAVE, XSAVEOPT, XRSTOR, LDMXCSR, STMXCSR, CLFLUSH and the fences: 0F AE. */
final class FpuMemory {
  private static final int CR0_TS = 8;
  private static final int CR4_OSXSAVE = 1 << 18;
  private static final int HEADER = 512;

  private FpuMemory() {}

  static void execute(Cpu cpu, Instruction in) {
    if (!in.isMemory) {
      if (in.extension() < 5) { // 5 to 7 are the fences
        throw cpu.undefined(in);
      }
      return;
    }
    switch (in.extension()) {
      case 0 -> saveLegacy(cpu, in);
      case 1 -> restoreLegacy(cpu, in);
      case 2 -> loadMxcsr(cpu, in);
      case 3 -> {
        Operands.requireSse(cpu);
        cpu.mmu.write32(cpu.linearAddress(in, 4, true), cpu.fpu.simd.mxcsr());
      }
      case 4, 6 -> save(cpu, in);
      case 5 -> restore(cpu, in);
      default -> cpu.mmu.read8(cpu.linearAddress(in, 1, false)); // CLFLUSH
    }
  }

  private static void loadMxcsr(Cpu cpu, Instruction in) {
    Operands.requireSse(cpu);
    int value = cpu.mmu.read32(cpu.linearAddress(in, 4, false));
    if ((value & ~FpuImage.MXCSR_MASK) != 0) {
      throw cpu.raise(Cpu.GP, 0);
    }
    cpu.fpu.simd.mxcsr(value);
  }

  private static long area(Cpu cpu, Instruction in, int size, int alignment, boolean write) {
    if ((cpu.cr0 & CR0_TS) != 0) {
      throw cpu.raise(Cpu.NM);
    }
    long linear = cpu.linearAddress(in, size, write);
    if ((linear & alignment - 1) != 0) {
      throw cpu.raise(Cpu.GP, 0);
    }
    cpu.mmu.probe(linear, size, write ? Mmu.WRITE : Mmu.READ);
    return linear;
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

  private static void saveLegacy(Cpu cpu, Instruction in) {
    long linear = area(cpu, in, 512, 16, true);
    cpu.fpu.image.fill(in.rexW);
    write(cpu, linear, 0, in.codeSize == 8 ? 416 : 288);
  }

  private static void restoreLegacy(Cpu cpu, Instruction in) {
    long linear = area(cpu, in, 512, 16, false);
    read(cpu, linear, 0, 416);
    FpuImage image = cpu.fpu.image;
    if ((image.mxcsr() & ~FpuImage.MXCSR_MASK) != 0) {
      throw cpu.raise(Cpu.GP, 0);
    }
    image.restoreX87(in.rexW);
    image.restoreXmm(in.codeSize == 8 ? 32 : 16);
    image.restoreMxcsr();
  }

  private static long requested(Cpu cpu) {
    return (cpu.gpr[Cpu.RAX] & 0xffff_ffffL | cpu.gpr[Cpu.RDX] << 32) & cpu.xcr0;
  }

  private static void requireXsave(Cpu cpu) {
    if ((cpu.cr4 & CR4_OSXSAVE) == 0) {
      throw cpu.raise(Cpu.UD);
    }
  }

  /** XSAVE, and XSAVEOPT, which may write as much. */
  private static void save(Cpu cpu, Instruction in) {
    requireXsave(cpu);
    long linear = area(cpu, in, FpuImage.XSAVE_SIZE, 64, true);
    long requested = requested(cpu);
    cpu.fpu.image.fill(in.rexW);
    if ((requested & 1) != 0) {
      write(cpu, linear, 0, 24);
      write(cpu, linear, 32, 160);
    }
    if ((requested & 2) != 0) {
      write(cpu, linear, 24, 32);
      write(cpu, linear, 160, in.codeSize == 8 ? 416 : 288);
    }
    long present = cpu.mmu.read64(linear + HEADER);
    cpu.mmu.write64(linear + HEADER, present | requested & 3);
  }

  private static void restore(Cpu cpu, Instruction in) {
    requireXsave(cpu);
    long linear = area(cpu, in, FpuImage.XSAVE_SIZE, 64, false);
    read(cpu, linear, 0, FpuImage.XSAVE_SIZE);
    FpuImage image = cpu.fpu.image;
    long requested = requested(cpu);
    long present = image.stateComponents();
    boolean badMxcsr = (requested & 2) != 0 && (image.mxcsr() & ~FpuImage.MXCSR_MASK) != 0;
    if ((present & ~cpu.xcr0) != 0 || !image.headerIsStandard() || badMxcsr) {
      throw cpu.raise(Cpu.GP, 0);
    }
    image.restore(requested, present, in.rexW);
    if ((requested & 2) != 0) {
      image.restoreMxcsr();
    }
  }
}

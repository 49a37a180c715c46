package io.vmm4j.engine.software.fpu;

import io.vmm4j.engine.software.cpu.Cpu;
import io.vmm4j.engine.software.cpu.Instruction;
import io.vmm4j.engine.software.cpu.Mmu;

/** x87 control instructions: words, environments and whole-state saves. */
final class X87Control {
  private X87Control() {}

  /** FNCLEX, FNINIT, the no-operations of older coprocessors, FNSTSW AX. */
  static void register(Cpu cpu, Instruction in) {
    FpuState fpu = cpu.fpu;
    if ((in.opcode & 0xff) == 0xdf) {
      cpu.setReg(Cpu.RAX, 2, fpu.statusWord());
      return;
    }
    switch (in.modrm & 7) {
      case 0, 1, 4 -> {} // FNENI, FNDISI, FNSETPM
      case 2 -> fpu.status &= ~0x7f;
      case 3 -> fpu.initialise();
      default -> throw cpu.undefined(in);
    }
  }

  /** Memory forms; key: low bits of the opcode, then the extension. */
  static void memory(Cpu cpu, Instruction in, int key) {
    FpuState fpu = cpu.fpu;
    switch (key) {
      case 0x0c -> {
        read(cpu, in, FpuImage.environmentSize(in.operandSize));
        fpu.image.restoreEnvironment(in.operandSize, cpu.protectedMode);
      }
      case 0x0d -> fpu.controlWord(cpu.mmu.read16(cpu.linearAddress(in, 2, false)));
      case 0x0e -> {
        fpu.image.fillEnvironment(in.operandSize, cpu.protectedMode);
        write(cpu, in, FpuImage.environmentSize(in.operandSize));
        fpu.controlWord(fpu.controlWord() | FpuExceptions.ALL);
      }
      case 0x0f -> cpu.mmu.write16(cpu.linearAddress(in, 2, true), fpu.controlWord());
      case 0x2c -> {
        int size = FpuImage.environmentSize(in.operandSize);
        read(cpu, in, size + 80);
        fpu.image.restoreEnvironment(in.operandSize, cpu.protectedMode);
        fpu.image.restoreRegisters(size);
      }
      case 0x2e -> {
        int size = FpuImage.environmentSize(in.operandSize);
        fpu.image.fillEnvironment(in.operandSize, cpu.protectedMode);
        fpu.image.fillRegisters(size);
        write(cpu, in, size + 80);
        fpu.initialise();
      }
      default -> cpu.mmu.write16(cpu.linearAddress(in, 2, true), fpu.statusWord());
    }
  }

  private static void read(Cpu cpu, Instruction in, int size) {
    long linear = cpu.linearAddress(in, size, false);
    if (in.operandSize == 2) {
      for (int i = 0; i < size; i += 2) {
        cpu.fpu.image.setShort(i, cpu.mmu.read16(linear + i));
      }
    } else {
      for (int i = 0; i < size; i += 4) {
        cpu.fpu.image.setInt(i, cpu.mmu.read32(linear + i));
      }
    }
  }

  private static void write(Cpu cpu, Instruction in, int size) {
    long linear = cpu.linearAddress(in, size, true);
    cpu.mmu.checkAlignment(linear, in.operandSize == 2 ? 2 : 4);
    cpu.mmu.probe(linear, size, Mmu.WRITE);
    if (in.operandSize == 2) {
      for (int i = 0; i < size; i += 2) {
        cpu.mmu.write16(linear + i, cpu.fpu.image.getShort(i));
      }
    } else {
      for (int i = 0; i < size; i += 4) {
        cpu.mmu.write32(linear + i, cpu.fpu.image.getInt(i));
      }
    }
  }
}

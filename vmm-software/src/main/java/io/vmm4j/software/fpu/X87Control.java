package io.vmm4j.software.fpu;

import static io.vmm4j.software.cpu.Mnemonic.FLDCW;
import static io.vmm4j.software.cpu.Mnemonic.FLDENV;
import static io.vmm4j.software.cpu.Mnemonic.FNCLEX;
import static io.vmm4j.software.cpu.Mnemonic.FNDISI;
import static io.vmm4j.software.cpu.Mnemonic.FNENI;
import static io.vmm4j.software.cpu.Mnemonic.FNINIT;
import static io.vmm4j.software.cpu.Mnemonic.FNSAVE;
import static io.vmm4j.software.cpu.Mnemonic.FNSETPM;
import static io.vmm4j.software.cpu.Mnemonic.FNSTCW;
import static io.vmm4j.software.cpu.Mnemonic.FNSTENV;
import static io.vmm4j.software.cpu.Mnemonic.FNSTSW;
import static io.vmm4j.software.cpu.Mnemonic.FRSTOR;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Instruction;
import io.vmm4j.software.cpu.Mmu;

/** x87 control instructions: words, environments and whole-state saves. */
final class X87Control {
  private X87Control() {}

  static void execute(Cpu cpu, Instruction in) {
    if (in.mnemonic <= FRSTOR) {
      Operands.requireNoPending(cpu); // the others, whose names begin with FN, do not wait
    }
    FpuState fpu = cpu.fpu;
    switch (in.mnemonic) {
      case FLDENV -> {
        read(cpu, in, FpuImage.environmentSize(in.operandSize));
        fpu.image.restoreEnvironment(in.operandSize, cpu.protectedMode);
      }
      case FLDCW -> fpu.controlWord(cpu.mmu.read16(cpu.linearAddress(in, 2, false)));
      case FRSTOR -> {
        int size = FpuImage.environmentSize(in.operandSize);
        read(cpu, in, size + 80);
        fpu.image.restoreEnvironment(in.operandSize, cpu.protectedMode);
        fpu.image.restoreRegisters(size);
      }
      case FNSTENV -> {
        fpu.image.fillEnvironment(in.operandSize, cpu.protectedMode);
        write(cpu, in, FpuImage.environmentSize(in.operandSize));
        fpu.controlWord(fpu.controlWord() | FpuExceptions.ALL);
      }
      case FNSTCW -> cpu.mmu.write16(cpu.linearAddress(in, 2, true), fpu.controlWord());
      case FNSAVE -> {
        int size = FpuImage.environmentSize(in.operandSize);
        fpu.image.fillEnvironment(in.operandSize, cpu.protectedMode);
        fpu.image.fillRegisters(size);
        write(cpu, in, size + 80);
        fpu.initialise();
      }
      case FNSTSW -> {
        if (in.isMemory) {
          cpu.mmu.write16(cpu.linearAddress(in, 2, true), fpu.statusWord());
        } else {
          cpu.setReg(Cpu.RAX, 2, fpu.statusWord());
        }
      }
      case FNCLEX -> fpu.status &= ~0x7f;
      case FNINIT -> fpu.initialise();
      case FNENI, FNDISI, FNSETPM -> {} // of older coprocessors
      default -> throw cpu.undefined(in);
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

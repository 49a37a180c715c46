package io.vmm4j.engine.software.fpu;

import io.vmm4j.engine.software.cpu.Cpu;
import io.vmm4j.engine.software.cpu.Instruction;

/** Executes x87 instructions: the control instructions; others are #UD so far. */
public final class X87Ops {
  private X87Ops() {}

  /** Executes one instruction of D8 to DF, or WAIT. */
  public static void execute(Cpu cpu, Instruction in) {
    if (in.opcode == 0x9b) {
      if ((cpu.cr0 & 0xA) == 0xA) { // MP and TS
        throw cpu.raise(Cpu.NM);
      }
      Operands.requireNoPending(cpu);
      return;
    }
    Operands.requireX87(cpu);
    FpuState fpu = cpu.fpu;
    int key = in.isMemory ? in.opcode << 4 | in.extension() : in.opcode << 8 | in.modrm;
    switch (key) {
      case 0xDBE3 -> fpu.initialise();
      case 0xDBE2 -> fpu.statusWord(fpu.statusWord() & 0x7f00);
      case 0xDFE0 -> cpu.setReg(Cpu.RAX, 2, fpu.statusWord());
      case 0xD9D0 -> Operands.requireNoPending(cpu);
      case 0xD97 -> cpu.mmu.write16(cpu.linearAddress(in, 2, true), fpu.controlWord());
      case 0xDD7 -> cpu.mmu.write16(cpu.linearAddress(in, 2, true), fpu.statusWord());
      case 0xD95 -> {
        Operands.requireNoPending(cpu);
        fpu.controlWord(cpu.mmu.read16(cpu.linearAddress(in, 2, false)));
      }
      default -> throw cpu.undefined(in);
    }
  }
}

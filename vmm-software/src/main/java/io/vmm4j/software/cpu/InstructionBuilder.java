package io.vmm4j.software.cpu;

/** An {@link Instruction} that is being decoded; its fields are those of that. */
public final class InstructionBuilder {
  public boolean illegal;
  public int opcode;
  public int mandatoryPrefix;
  public boolean operandPrefix;
  public int repeat;
  public boolean lock;
  public boolean vex;
  public boolean vexL;
  public boolean vexW;
  public int vexRegister;
  public boolean rex;
  public boolean rexW;
  public int modrm;
  public int reg;
  public int rm;
  public boolean isMemory;
  public int operandSize;
  public int addressSize;
  public int codeSize;
  public int base = Instruction.NO_REGISTER;
  public int index = Instruction.NO_REGISTER;
  public int scale;
  public int vectorIndex = -1;
  public long displacement;
  public long addressMask = -1;
  public int segment = Cpu.DS;
  public int segmentOverride = -1;
  public long imm;
  public int imm2;
  public int length;
  public int offset;

  /** The instruction as it is now, with the row that it has on a processor. */
  public Instruction build(Cpu cpu) {
    InstructionForm form = InstructionTable.find(this, cpu.system.cpuid);
    if (form.isByte) {
      operandSize = 1;
    }
    illegal = form == InstructionTable.RESERVED;
    return new Instruction(this, form);
  }
}

package io.vmm4j.software.cpu;

/**
 * MOVBE, ADX, and BMI1 and BMI2 but for TZCNT, which {@link BitOps} has (Intel SDM volume 2). Those
 * of BMI are encoded with VEX, in protected mode only.
 */
final class BitManipulation {
  private BitManipulation() {}

  static void execute(Cpu cpu, Instruction in) {
    if (in.vex && !cpu.protectedMode) {
      throw cpu.raise(Cpu.UD);
    }
    int size = in.rexW ? 8 : 4;
    switch (in.mnemonic) {
      case Mnemonic.MOVBE -> moveBigEndian(cpu, in);
      case Mnemonic.ADCX -> addCarry(cpu, in, size, Flags.CF);
      case Mnemonic.ADOX -> addCarry(cpu, in, size, Flags.OF);
      case Mnemonic.ANDN -> {
        long value = ~cpu.reg(in.vexRegister, size) & IntegerOps.load(cpu, in, size);
        result(cpu, in.reg, size, value, false);
      }
      case Mnemonic.BLSI, Mnemonic.BLSMSK, Mnemonic.BLSR -> lowestBit(cpu, in, size);
      case Mnemonic.BZHI, Mnemonic.PDEP, Mnemonic.PEXT -> deposit(cpu, in, size);
      case Mnemonic.MULX -> multiply(cpu, in, size);
      case Mnemonic.BEXTR, Mnemonic.SHLX, Mnemonic.SARX, Mnemonic.SHRX ->
          extractOrShift(cpu, in, size);
      default -> rotate(cpu, in, size);
    }
  }

  /** RORX. */
  private static void rotate(Cpu cpu, Instruction in, int size) {
    long value = IntegerOps.load(cpu, in, size);
    int count = (int) in.imm;
    long rotated =
        size == 8 ? Long.rotateRight(value, count) : Integer.rotateRight((int) value, count);
    cpu.setReg(in.reg, size, rotated);
  }

  /** Sets a register, and the flags: SF and ZF by the result, OF clear. */
  private static void result(Cpu cpu, int register, int size, long value, boolean carry) {
    cpu.setReg(register, size, value);
    cpu.flagResult = Flags.signExtend(value, size);
    cpu.flagAux = Flags.aux(carry, false);
  }

  /** MOVBE, whose operands may have 16 bits. */
  private static void moveBigEndian(Cpu cpu, Instruction in) {
    int size = in.operandSize;
    int unused = 64 - 8 * size;
    if (in.form.first == OperandPlace.REG) {
      long value = IntegerOps.load(cpu, in, size);
      cpu.setReg(in.reg, size, Long.reverseBytes(value) >>> unused);
    } else {
      IntegerOps.store(cpu, in, size, Long.reverseBytes(cpu.gpr[in.reg]) >>> unused);
    }
  }

  /** BLSR, BLSMSK and BLSI. */
  private static void lowestBit(Cpu cpu, Instruction in, int size) {
    long value = IntegerOps.load(cpu, in, size);
    switch (in.mnemonic) {
      case Mnemonic.BLSR -> result(cpu, in.vexRegister, size, value & value - 1, value == 0);
      case Mnemonic.BLSMSK -> result(cpu, in.vexRegister, size, value ^ value - 1, value == 0);
      default -> result(cpu, in.vexRegister, size, value & -value, value != 0);
    }
  }

  /** BZHI, PDEP and PEXT. */
  private static void deposit(Cpu cpu, Instruction in, int size) {
    long operand = IntegerOps.load(cpu, in, size);
    long other = cpu.reg(in.vexRegister, size);
    switch (in.mnemonic) {
      case Mnemonic.PDEP -> cpu.setReg(in.reg, size, Long.expand(other, operand));
      case Mnemonic.PEXT -> cpu.setReg(in.reg, size, Long.compress(other, operand));
      default -> {
        int index = (int) other & 0xFF;
        boolean beyond = index >= 8 * size;
        result(cpu, in.reg, size, beyond ? operand : operand & (1L << index) - 1, beyond);
      }
    }
  }

  /** MULX: the high half wins where both go to one register. */
  private static void multiply(Cpu cpu, Instruction in, int size) {
    long a = cpu.reg(Cpu.RDX, size);
    long b = IntegerOps.load(cpu, in, size);
    long high = size == 8 ? Math.unsignedMultiplyHigh(a, b) : a * b >>> 32;
    cpu.setReg(in.vexRegister, size, a * b);
    cpu.setReg(in.reg, size, high);
  }

  /** ADCX and ADOX, each of which has one flag for its carry and leaves the others. */
  private static void addCarry(Cpu cpu, Instruction in, int size, int flag) {
    long a = cpu.reg(in.reg, size);
    long b = IntegerOps.load(cpu, in, size);
    int flags = cpu.eflags();
    long sum = a + b + ((flags & flag) != 0 ? 1 : 0);
    boolean carry = Flags.addAux(a, b, sum, size) < 0;
    cpu.setReg(in.reg, size, sum);
    cpu.setArithmeticFlags(carry ? flags | flag : flags & ~flag);
  }

  /** BEXTR, SHLX, SARX and SHRX. */
  private static void extractOrShift(Cpu cpu, Instruction in, int size) {
    long value = IntegerOps.load(cpu, in, size);
    long control = cpu.gpr[in.vexRegister];
    int count = (int) control & 8 * size - 1;
    switch (in.mnemonic) {
      case Mnemonic.SHLX -> cpu.setReg(in.reg, size, value << count);
      case Mnemonic.SARX -> cpu.setReg(in.reg, size, Flags.signExtend(value, size) >> count);
      case Mnemonic.SHRX -> cpu.setReg(in.reg, size, value >>> count);
      default -> {
        int start = (int) control & 0xFF;
        int length = (int) control >>> 8 & 0xFF;
        long shifted = start < 8 * size ? value >>> start : 0;
        result(cpu, in.reg, size, length < 64 ? shifted & (1L << length) - 1 : shifted, false);
      }
    }
  }
}

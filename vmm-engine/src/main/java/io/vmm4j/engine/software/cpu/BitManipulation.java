package io.vmm4j.engine.software.cpu;

import io.vmm4j.api.backend.CpuFeature;
import org.jspecify.annotations.Nullable;

/**
 * MOVBE, ADX, and BMI1 and BMI2 but for TZCNT, which {@link BitOps} has (Intel SDM volume 2). Each
 * exists where CPUID claims it. Those of BMI are encoded with VEX, in protected mode only.
 */
final class BitManipulation {
  private BitManipulation() {}

  /** What {@link Op} executes such an instruction, or what is told of it if none does. */
  static int op(Cpu cpu, Instruction in) {
    CpuFeature feature = in.vex ? vexFeature(in) : legacyFeature(in);
    if (feature != null && cpu.system.cpuid.has(feature)) {
      return Op.INTEGER;
    }
    in.illegal = feature != null;
    return Op.UNDEFINED;
  }

  /** Whether an encoding without VEX is one of these, or of none: not one of CRC32. */
  static boolean owns(Instruction in) {
    return switch (in.opcode) {
      case 0x2F0, 0x2F1 -> in.mandatoryPrefix <= Instruction.PREFIX_66;
      case 0x2F6 -> true;
      default -> false;
    };
  }

  private static @Nullable CpuFeature legacyFeature(Instruction in) {
    if (in.opcode != 0x2F6) {
      return in.isMemory ? CpuFeature.MOVBE : null;
    }
    boolean add =
        in.mandatoryPrefix == Instruction.PREFIX_66 || in.mandatoryPrefix == Instruction.PREFIX_F3;
    return add ? CpuFeature.ADX : null;
  }

  private static @Nullable CpuFeature vexFeature(Instruction in) {
    boolean none = in.mandatoryPrefix == Instruction.PREFIX_NONE;
    return switch (in.opcode) {
      case 0x2F2 -> none ? CpuFeature.BMI1 : null;
      case 0x2F3 -> none && in.extension() >= 1 && in.extension() <= 3 ? CpuFeature.BMI1 : null;
      case 0x2F5 -> in.mandatoryPrefix != Instruction.PREFIX_66 ? CpuFeature.BMI2 : null;
      case 0x2F6 -> in.mandatoryPrefix == Instruction.PREFIX_F2 ? CpuFeature.BMI2 : null;
      case 0x2F7 -> none ? CpuFeature.BMI1 : CpuFeature.BMI2;
      case 0x3F0 ->
          in.mandatoryPrefix == Instruction.PREFIX_F2 && in.vexRegister == 0
              ? CpuFeature.BMI2
              : null;
      default -> null;
    };
  }

  static void execute(Cpu cpu, Instruction in) {
    if (in.vex && !cpu.protectedMode) {
      throw cpu.raise(Cpu.UD);
    }
    int size = in.rexW ? 8 : 4;
    switch (in.opcode) {
      case 0x2F0, 0x2F1 -> moveBigEndian(cpu, in);
      case 0x2F2 -> {
        long value = ~cpu.reg(in.vexRegister, size) & IntegerOps.load(cpu, in, size);
        result(cpu, in.reg, size, value, false);
      }
      case 0x2F3 -> lowestBit(cpu, in, size);
      case 0x2F5 -> deposit(cpu, in, size);
      case 0x2F6 -> {
        if (in.vex) {
          multiply(cpu, in, size);
        } else {
          addCarry(cpu, in, size);
        }
      }
      case 0x2F7 -> extractOrShift(cpu, in, size);
      default -> { // 3F0: RORX
        long value = IntegerOps.load(cpu, in, size);
        int count = (int) in.imm;
        long rotated =
            size == 8 ? Long.rotateRight(value, count) : Integer.rotateRight((int) value, count);
        cpu.setReg(in.reg, size, rotated);
      }
    }
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
    if (in.opcode == 0x2F0) {
      long value = IntegerOps.load(cpu, in, size);
      cpu.setReg(in.reg, size, Long.reverseBytes(value) >>> unused);
    } else {
      IntegerOps.store(cpu, in, size, Long.reverseBytes(cpu.gpr[in.reg]) >>> unused);
    }
  }

  /** BLSR, BLSMSK and BLSI. */
  private static void lowestBit(Cpu cpu, Instruction in, int size) {
    long value = IntegerOps.load(cpu, in, size);
    switch (in.extension()) {
      case 1 -> result(cpu, in.vexRegister, size, value & value - 1, value == 0);
      case 2 -> result(cpu, in.vexRegister, size, value ^ value - 1, value == 0);
      default -> result(cpu, in.vexRegister, size, value & -value, value != 0);
    }
  }

  /** BZHI, PDEP and PEXT. */
  private static void deposit(Cpu cpu, Instruction in, int size) {
    long operand = IntegerOps.load(cpu, in, size);
    long other = cpu.reg(in.vexRegister, size);
    switch (in.mandatoryPrefix) {
      case Instruction.PREFIX_F2 -> cpu.setReg(in.reg, size, Long.expand(other, operand));
      case Instruction.PREFIX_F3 -> cpu.setReg(in.reg, size, Long.compress(other, operand));
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
  private static void addCarry(Cpu cpu, Instruction in, int size) {
    int flag = in.mandatoryPrefix == Instruction.PREFIX_66 ? Flags.CF : Flags.OF;
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
    switch (in.mandatoryPrefix) {
      case Instruction.PREFIX_66 -> cpu.setReg(in.reg, size, value << count);
      case Instruction.PREFIX_F3 ->
          cpu.setReg(in.reg, size, Flags.signExtend(value, size) >> count);
      case Instruction.PREFIX_F2 -> cpu.setReg(in.reg, size, value >>> count);
      default -> {
        int start = (int) control & 0xFF;
        int length = (int) control >>> 8 & 0xFF;
        long shifted = start < 8 * size ? value >>> start : 0;
        result(cpu, in.reg, size, length < 64 ? shifted & (1L << length) - 1 : shifted, false);
      }
    }
  }
}

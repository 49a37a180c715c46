package io.vmm4j.software.cpu;

/** Near jumps, calls and returns. On entry {@link Cpu#rip} is the next instruction. */
final class Branches {
  private Branches() {}

  static void execute(Cpu cpu, Instruction in) {
    int size = in.operandSize;
    switch (in.mnemonic) {
      case Mnemonic.JCC -> {
        if (cpu.condition(in.condition())) {
          relative(cpu, in);
        }
      }
      case Mnemonic.JMP -> jump(cpu, target(cpu, in), size);
      case Mnemonic.CALL -> call(cpu, target(cpu, in), size);
      case Mnemonic.RET -> nearReturn(cpu, in);
      case Mnemonic.JCXZ -> {
        if ((cpu.gpr[Cpu.RCX] & in.addressMask) == 0) {
          relative(cpu, in);
        }
      }
      default -> loop(cpu, in);
    }
  }

  private static long target(Cpu cpu, Instruction in) {
    return in.form.first == OperandPlace.RELATIVE
        ? cpu.rip + in.imm
        : IntegerOps.load(cpu, in, in.operandSize);
  }

  /** The target as it enters RIP, or #GP(0) if it is not canonical or beyond the limit of CS. */
  private static long checked(Cpu cpu, long target, int size) {
    if (size == 8) {
      if (target << 16 >> 16 != target) {
        throw cpu.raise(Cpu.GP, 0);
      }
      return target;
    }
    long masked = target & Alu.mask(size);
    if (masked > cpu.seg[Cpu.CS].limit && cpu.codeSize != 8) {
      throw cpu.raise(Cpu.GP, 0);
    }
    return masked;
  }

  private static void jump(Cpu cpu, long target, int size) {
    cpu.rip = checked(cpu, target, size);
  }

  private static void relative(Cpu cpu, Instruction in) {
    jump(cpu, cpu.rip + in.imm, in.operandSize);
  }

  private static void call(Cpu cpu, long target, int size) {
    long to = checked(cpu, target, size);
    cpu.push(cpu.rip, size);
    cpu.rip = to;
  }

  private static void nearReturn(Cpu cpu, Instruction in) {
    int size = in.operandSize;
    long target = checked(cpu, cpu.peek(0, size), size);
    cpu.setStackPointer(cpu.gpr[Cpu.RSP] + size + in.imm);
    cpu.rip = target;
  }

  /**
   * LOOPNE, LOOPE and LOOP, counting in the address size. On AMD's processors a repeat prefix,
   * which has no meaning here, decides between LOOPNE and LOOPE.
   */
  private static void loop(Cpu cpu, Instruction in) {
    long left = cpu.gpr[Cpu.RCX] - 1 & in.addressMask;
    boolean byPrefix = in.repeat != 0 && cpu.system.cpuid.isAmd();
    boolean whileZero = byPrefix ? in.repeat == 0xF3 : in.mnemonic == Mnemonic.LOOPE;
    boolean counts = in.mnemonic == Mnemonic.LOOP;
    boolean taken = left != 0 && (counts || whileZero == (cpu.flagResult == 0));
    if (taken) {
      relative(cpu, in);
    }
    cpu.setReg(Cpu.RCX, in.addressSize, left);
  }
}

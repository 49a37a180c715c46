package io.vmm4j.engine.software.cpu;

/** Near jumps, calls and returns. On entry {@link Cpu#rip} is the next instruction. */
final class Branches {
  private Branches() {}

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

  static void jump(Cpu cpu, long target, int size) {
    cpu.rip = checked(cpu, target, size);
  }

  static void relative(Cpu cpu, Instruction in) {
    jump(cpu, cpu.rip + in.imm, in.operandSize);
  }

  static void call(Cpu cpu, long target, int size) {
    long to = checked(cpu, target, size);
    cpu.push(cpu.rip, size);
    cpu.rip = to;
  }

  static void callRelative(Cpu cpu, Instruction in) {
    call(cpu, cpu.rip + in.imm, in.operandSize);
  }

  static void nearReturn(Cpu cpu, Instruction in) {
    int size = in.operandSize;
    long target = checked(cpu, cpu.peek(0, size), size);
    cpu.setStackPointer(cpu.gpr[Cpu.RSP] + size + (in.opcode == 0xC2 ? in.imm : 0));
    cpu.rip = target;
  }

  /**
   * LOOPNE, LOOPE, LOOP and JRCXZ, counting in the address size. On AMD's processors a repeat
   * prefix, which has no meaning here, decides between LOOPNE and LOOPE.
   */
  static void loop(Cpu cpu, Instruction in) {
    long count = cpu.gpr[Cpu.RCX] & in.addressMask;
    if (in.opcode == 0xE3) {
      if (count == 0) {
        relative(cpu, in);
      }
      return;
    }
    long left = count - 1 & in.addressMask;
    boolean byPrefix = in.repeat != 0 && cpu.system.cpuid.isAmd();
    boolean whileZero = byPrefix ? in.repeat == 0xF3 : in.opcode == 0xE1;
    boolean taken = left != 0 && (in.opcode == 0xE2 || whileZero == (cpu.flagResult == 0));
    if (taken) {
      relative(cpu, in);
    }
    cpu.setReg(Cpu.RCX, in.addressSize, left);
  }
}

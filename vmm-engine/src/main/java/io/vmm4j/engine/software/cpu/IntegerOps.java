package io.vmm4j.engine.software.cpu;

/**
 * Executes the integer instructions for every operand size, address size and mode. {@link
 * Interpreter} has shorter ways for the commonest ones in 64-bit code.
 *
 * <p>On entry {@link Cpu#rip} is the next instruction.
 */
final class IntegerOps {
  private IntegerOps() {}

  static void execute(Cpu cpu, Instruction in) {
    int opcode = in.opcode;
    if (opcode >= 0x200) {
      BitManipulation.execute(cpu, in);
    } else if (opcode >= 0x100) {
      executeTwoByte(cpu, in);
    } else if (opcode < 0x40) {
      if ((opcode & 7) < 6) {
        arithmetic(cpu, in);
      } else {
        DecimalOps.execute(cpu, in);
      }
    } else if (opcode < 0x80) {
      executeLow(cpu, in);
    } else if (opcode < 0xC0) {
      executeMiddle(cpu, in);
    } else {
      executeHigh(cpu, in);
    }
  }

  // ---- operands ----

  /** The ModRM operand, zero-extended. */
  static long load(Cpu cpu, Instruction in, int size) {
    if (in.isMemory) {
      return cpu.mmu.read(cpu.linearAddress(in, size, false), size);
    }
    return size == 1 ? cpu.reg8(in.rm, in.rex) : cpu.reg(in.rm, size);
  }

  /** Stores to the ModRM operand. */
  static void store(Cpu cpu, Instruction in, int size, long value) {
    if (in.isMemory) {
      cpu.mmu.write(cpu.linearAddress(in, size, true), size, value);
    } else {
      setRegister(cpu, in.rm, in.rex, size, value);
    }
  }

  static long register(Cpu cpu, int number, boolean rex, int size) {
    return size == 1 ? cpu.reg8(number, rex) : cpu.reg(number, size);
  }

  static void setRegister(Cpu cpu, int number, boolean rex, int size, long value) {
    if (size == 1) {
      cpu.setReg8(number, rex, (int) value);
    } else {
      cpu.setReg(number, size, value);
    }
  }

  // ---- 00 to 3F ----

  private static void arithmetic(Cpu cpu, Instruction in) {
    int operation = in.opcode >> 3;
    int size = in.operandSize;
    switch (in.opcode & 7) {
      case 0, 1 -> arithmeticTo(cpu, in, operation, register(cpu, in.reg, in.rex, size), size);
      case 2, 3 -> {
        long b = load(cpu, in, size);
        long a = register(cpu, in.reg, in.rex, size);
        long result = Alu.operate(cpu, operation, a, b, size);
        if (operation != Alu.CMP) {
          setRegister(cpu, in.reg, in.rex, size, result);
        }
      }
      default -> {
        long a = register(cpu, Cpu.RAX, true, size);
        long result = Alu.operate(cpu, operation, a, in.imm, size);
        if (operation != Alu.CMP) {
          setRegister(cpu, Cpu.RAX, true, size, result);
        }
      }
    }
  }

  /** An operation whose destination is the ModRM operand. */
  static void arithmeticTo(Cpu cpu, Instruction in, int operation, long b, int size) {
    if (!in.isMemory) {
      long result = Alu.operate(cpu, operation, register(cpu, in.rm, in.rex, size), b, size);
      if (operation != Alu.CMP) {
        setRegister(cpu, in.rm, in.rex, size, result);
      }
      return;
    }
    if (operation == Alu.CMP) {
      long a = cpu.mmu.read(cpu.linearAddress(in, size, false), size);
      Alu.operate(cpu, operation, a, b, size);
      return;
    }
    long linear = cpu.linearAddress(in, size, true);
    long a = cpu.mmu.readForWrite(linear, size);
    cpu.mmu.write(linear, size, Alu.operate(cpu, operation, a, b, size));
  }

  // ---- 40 to 7F ----

  private static void executeLow(Cpu cpu, Instruction in) {
    int opcode = in.opcode;
    int size = in.operandSize;
    if (opcode < 0x48) {
      cpu.setReg(in.rm, size, Alu.increment(cpu, cpu.reg(in.rm, size), size));
    } else if (opcode < 0x50) {
      cpu.setReg(in.rm, size, Alu.decrement(cpu, cpu.reg(in.rm, size), size));
    } else if (opcode < 0x58) {
      cpu.push(cpu.reg(in.rm, size), size);
    } else if (opcode < 0x60) {
      cpu.setReg(in.rm, size, cpu.pop(size));
    } else if (opcode >= 0x70) {
      if (cpu.condition(opcode & 15)) {
        Branches.relative(cpu, in);
      }
    } else {
      switch (opcode) {
        case 0x60 -> pushAll(cpu, size);
        case 0x61 -> popAll(cpu, size);
        case 0x63 -> {
          long value = load(cpu, in, in.operandSize == 2 ? 2 : 4);
          cpu.setReg(in.reg, size, (int) value);
        }
        case 0x68, 0x6A -> cpu.push(in.imm, size);
        default -> // 69, 6B
            cpu.setReg(in.reg, size, Alu.multiplySigned(cpu, load(cpu, in, size), in.imm, size));
      }
    }
  }

  private static void pushAll(Cpu cpu, int size) {
    long sp = cpu.gpr[Cpu.RSP];
    long first = cpu.linear(Cpu.SS, sp - 8L * size & cpu.stackMask, size, true);
    cpu.mmu.probe(first, size, Mmu.WRITE);
    try {
      for (int i = 0; i < 8; i++) {
        cpu.push(i == Cpu.RSP ? sp : cpu.gpr[i], size);
      }
    } catch (CpuFault e) {
      cpu.gpr[Cpu.RSP] = sp;
      throw e;
    }
  }

  private static void popAll(Cpu cpu, int size) {
    long[] values = new long[8];
    for (int i = 0; i < 8; i++) {
      values[7 - i] = cpu.peek(i * size, size);
    }
    for (int i = 0; i < 8; i++) {
      if (i != Cpu.RSP) {
        cpu.setReg(i, size, values[i]);
      }
    }
    cpu.setStackPointer(cpu.gpr[Cpu.RSP] + 8L * size);
  }

  // ---- 80 to BF ----

  private static void executeMiddle(Cpu cpu, Instruction in) {
    int size = in.operandSize;
    switch (in.opcode) {
      case 0x80, 0x81, 0x82, 0x83 -> arithmeticTo(cpu, in, in.extension(), in.imm, size);
      case 0x84, 0x85 -> {
        long value = load(cpu, in, size) & register(cpu, in.reg, in.rex, size);
        Alu.logicFlags(cpu, value, size);
      }
      case 0x86, 0x87 -> exchange(cpu, in, size);
      case 0x88, 0x89 -> store(cpu, in, size, register(cpu, in.reg, in.rex, size));
      case 0x8A, 0x8B -> setRegister(cpu, in.reg, in.rex, size, load(cpu, in, size));
      case 0x8D -> cpu.setReg(in.reg, size, cpu.effectiveAddress(in));
      case 0x8F -> popToOperand(cpu, in, size);
      case 0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97 -> {
        if (in.rm != 0) { // 90 is NOP, or PAUSE
          long a = cpu.reg(Cpu.RAX, size);
          cpu.setReg(Cpu.RAX, size, cpu.reg(in.rm, size));
          cpu.setReg(in.rm, size, a);
        }
      }
      case 0x98 -> cpu.setReg(Cpu.RAX, size, Flags.signExtend(cpu.gpr[Cpu.RAX], size / 2));
      case 0x99 -> cpu.setReg(Cpu.RDX, size, Flags.signExtend(cpu.gpr[Cpu.RAX], size) >> 63);
      case 0x9E -> {
        int ah = cpu.reg8(4, false);
        cpu.setArithmeticFlags(ah & ~Flags.OF | cpu.eflags() & Flags.OF);
      }
      case 0x9F -> cpu.setReg8(4, false, cpu.eflags() & 0xD7 | 2);
      case 0xA0, 0xA1 ->
          setRegister(
              cpu,
              Cpu.RAX,
              true,
              size,
              cpu.mmu.read(cpu.linear(in.segment, in.imm, size, false), size));
      case 0xA2, 0xA3 ->
          cpu.mmu.write(
              cpu.linear(in.segment, in.imm, size, true), size, register(cpu, Cpu.RAX, true, size));
      case 0xA8, 0xA9 -> Alu.logicFlags(cpu, register(cpu, Cpu.RAX, true, size) & in.imm, size);
      case 0xA4, 0xA5, 0xA6, 0xA7, 0xAA, 0xAB, 0xAC, 0xAD, 0xAE, 0xAF -> StringOps.execute(cpu, in);
      case 0xB0, 0xB1, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7 ->
          cpu.setReg8(in.rm, in.rex, (int) in.imm);
      default -> cpu.setReg(in.rm, size, in.imm); // B8 to BF
    }
  }

  private static void exchange(Cpu cpu, Instruction in, int size) {
    long value = register(cpu, in.reg, in.rex, size);
    long old;
    if (in.isMemory) {
      long linear = cpu.linearAddress(in, size, true);
      old = cpu.mmu.readForWrite(linear, size);
      cpu.mmu.write(linear, size, value);
    } else {
      old = register(cpu, in.rm, in.rex, size);
      setRegister(cpu, in.rm, in.rex, size, value);
    }
    setRegister(cpu, in.reg, in.rex, size, old);
  }

  /** POP to memory: an address from the stack pointer uses its value after the pop. */
  private static void popToOperand(Cpu cpu, Instruction in, int size) {
    long sp = cpu.gpr[Cpu.RSP];
    long value = cpu.pop(size);
    try {
      store(cpu, in, size, value);
    } catch (CpuFault e) {
      cpu.gpr[Cpu.RSP] = sp;
      throw e;
    }
  }

  // ---- C0 to FF ----

  private static void executeHigh(Cpu cpu, Instruction in) {
    int size = in.operandSize;
    switch (in.opcode) {
      case 0xC0, 0xC1 -> shift(cpu, in, (int) in.imm & 0xFF, size);
      case 0xD0, 0xD1 -> shift(cpu, in, 1, size);
      case 0xD2, 0xD3 -> shift(cpu, in, (int) cpu.gpr[Cpu.RCX] & 0xFF, size);
      case 0xC6, 0xC7 -> store(cpu, in, size, in.imm);
      case 0xC2, 0xC3 -> Branches.nearReturn(cpu, in);
      case 0xC8 -> enter(cpu, in);
      case 0xC9 -> leave(cpu, size);
      case 0xD4, 0xD5 -> DecimalOps.execute(cpu, in);
      case 0xD6 -> cpu.setReg8(Cpu.RAX, true, cpu.carry() != 0 ? 0xFF : 0);
      case 0xD7 -> {
        long offset = cpu.gpr[Cpu.RBX] + (cpu.gpr[Cpu.RAX] & 0xFF) & in.addressMask;
        cpu.setReg8(Cpu.RAX, true, cpu.mmu.read8(cpu.linear(in.segment, offset, 1, false)));
      }
      case 0xE0, 0xE1, 0xE2, 0xE3 -> Branches.loop(cpu, in);
      case 0xE8 -> Branches.callRelative(cpu, in);
      case 0xE9, 0xEB -> Branches.relative(cpu, in);
      case 0xF5 -> Alu.setCarry(cpu, cpu.carry() == 0);
      case 0xF8 -> Alu.setCarry(cpu, false);
      case 0xF9 -> Alu.setCarry(cpu, true);
      case 0xFC -> cpu.systemFlags &= ~Flags.DF;
      case 0xFD -> cpu.systemFlags |= Flags.DF;
      case 0xF6, 0xF7 -> group3(cpu, in, size);
      case 0xFE -> incrementDecrement(cpu, in, size);
      default -> group5(cpu, in, size);
    }
  }

  private static void shift(Cpu cpu, Instruction in, int count, int size) {
    int operation = in.extension();
    if (in.isMemory) {
      long linear = cpu.linearAddress(in, size, true);
      long a = cpu.mmu.readForWrite(linear, size);
      cpu.mmu.write(linear, size, Alu.shift(cpu, operation, a, count, size));
    } else {
      long a = register(cpu, in.rm, in.rex, size);
      setRegister(cpu, in.rm, in.rex, size, Alu.shift(cpu, operation, a, count, size));
    }
  }

  private static void enter(Cpu cpu, Instruction in) {
    int size = in.operandSize;
    int level = in.imm2 & 31;
    long sp = cpu.gpr[Cpu.RSP];
    long bp = cpu.gpr[Cpu.RBP];
    try {
      cpu.push(bp, size);
      long frame = cpu.gpr[Cpu.RSP];
      if (level > 0) {
        long at = bp;
        for (int i = 1; i < level; i++) {
          at -= size;
          cpu.push(cpu.mmu.read(cpu.linear(Cpu.SS, at & cpu.stackMask, size, false), size), size);
        }
        cpu.push(frame, size);
      }
      long newSp = cpu.gpr[Cpu.RSP] - in.imm;
      // ENTER faults if a push at the new stack pointer would.
      cpu.mmu.probe(cpu.linear(Cpu.SS, newSp & cpu.stackMask, size, true), size, Mmu.WRITE);
      cpu.setReg(Cpu.RBP, size, frame);
      cpu.setStackPointer(newSp);
    } catch (CpuFault e) {
      cpu.gpr[Cpu.RSP] = sp;
      cpu.gpr[Cpu.RBP] = bp;
      throw e;
    }
  }

  private static void leave(Cpu cpu, int size) {
    long bp = cpu.gpr[Cpu.RBP];
    long value = cpu.mmu.read(cpu.linear(Cpu.SS, bp & cpu.stackMask, size, false), size);
    cpu.setStackPointer(bp + size);
    cpu.setReg(Cpu.RBP, size, value);
  }

  private static void group3(Cpu cpu, Instruction in, int size) {
    int extension = in.extension();
    switch (extension) {
      case 0, 1 -> Alu.logicFlags(cpu, load(cpu, in, size) & in.imm, size);
      case 2, 3 -> {
        if (in.isMemory) {
          long linear = cpu.linearAddress(in, size, true);
          long a = cpu.mmu.readForWrite(linear, size);
          cpu.mmu.write(linear, size, extension == 2 ? ~a : Alu.negate(cpu, a, size));
        } else {
          long a = register(cpu, in.rm, in.rex, size);
          long result = extension == 2 ? ~a : Alu.negate(cpu, a, size);
          setRegister(cpu, in.rm, in.rex, size, result);
        }
      }
      case 4 -> Alu.multiplyAccumulator(cpu, load(cpu, in, size), size, false);
      case 5 ->
          Alu.multiplyAccumulator(cpu, Flags.signExtend(load(cpu, in, size), size), size, true);
      case 6 -> Alu.divide(cpu, load(cpu, in, size), size);
      default -> Alu.divideSigned(cpu, load(cpu, in, size), size);
    }
  }

  private static void incrementDecrement(Cpu cpu, Instruction in, int size) {
    boolean down = in.extension() == 1;
    if (in.isMemory) {
      long linear = cpu.linearAddress(in, size, true);
      long a = cpu.mmu.readForWrite(linear, size);
      long result = down ? Alu.decrement(cpu, a, size) : Alu.increment(cpu, a, size);
      cpu.mmu.write(linear, size, result);
    } else {
      long a = register(cpu, in.rm, in.rex, size);
      long result = down ? Alu.decrement(cpu, a, size) : Alu.increment(cpu, a, size);
      setRegister(cpu, in.rm, in.rex, size, result);
    }
  }

  private static void group5(Cpu cpu, Instruction in, int size) {
    switch (in.extension()) {
      case 0, 1 -> incrementDecrement(cpu, in, size);
      case 2 -> Branches.call(cpu, load(cpu, in, size), size);
      case 4 -> Branches.jump(cpu, load(cpu, in, size), size);
      default -> cpu.push(load(cpu, in, size), size); // 6
    }
  }

  // ---- 0F ----

  private static void executeTwoByte(Cpu cpu, Instruction in) {
    int opcode = in.opcode;
    int size = in.operandSize;
    if (opcode >= 0x140 && opcode < 0x150) {
      long value = load(cpu, in, size);
      cpu.setReg(in.reg, size, cpu.condition(opcode & 15) ? value : cpu.reg(in.reg, size));
      return;
    }
    if (opcode >= 0x180 && opcode < 0x190) {
      if (cpu.condition(opcode & 15)) {
        Branches.relative(cpu, in);
      }
      return;
    }
    if (opcode >= 0x190 && opcode < 0x1A0) {
      store(cpu, in, 1, cpu.condition(opcode & 15) ? 1 : 0);
      return;
    }
    switch (opcode) {
      case 0x10D, 0x118, 0x119, 0x11A, 0x11B, 0x11C, 0x11D, 0x11E, 0x11F -> {} // hints
      case 0x1A4, 0x1A5, 0x1AC, 0x1AD -> doubleShift(cpu, in, size);
      case 0x1AF ->
          cpu.setReg(
              in.reg,
              size,
              Alu.multiplySigned(cpu, cpu.reg(in.reg, size), load(cpu, in, size), size));
      case 0x1B0, 0x1B1 -> compareExchange(cpu, in, size);
      case 0x1B6 -> cpu.setReg(in.reg, size, load(cpu, in, 1));
      case 0x1B7 -> cpu.setReg(in.reg, size, load(cpu, in, 2));
      case 0x1BE -> cpu.setReg(in.reg, size, (byte) load(cpu, in, 1));
      case 0x1BF -> cpu.setReg(in.reg, size, (short) load(cpu, in, 2));
      case 0x1C0, 0x1C1 -> exchangeAdd(cpu, in, size);
      case 0x1C7 -> compareExchangeWide(cpu, in);
      case 0x1C8, 0x1C9, 0x1CA, 0x1CB, 0x1CC, 0x1CD, 0x1CE, 0x1CF -> {
        long value = cpu.gpr[in.rm];
        long swapped =
            size == 8
                ? Long.reverseBytes(value)
                : size == 4 ? Integer.reverseBytes((int) value) : 0;
        cpu.setReg(in.rm, size, swapped);
      }
      default -> BitOps.execute(cpu, in, size);
    }
  }

  private static void doubleShift(Cpu cpu, Instruction in, int size) {
    boolean left = in.opcode < 0x1A8;
    int count = (in.opcode & 1) == 0 ? (int) in.imm & 0xFF : (int) cpu.gpr[Cpu.RCX] & 0xFF;
    long other = cpu.reg(in.reg, size);
    long linear = in.isMemory ? cpu.linearAddress(in, size, true) : 0;
    long a = in.isMemory ? cpu.mmu.readForWrite(linear, size) : cpu.reg(in.rm, size);
    long result =
        left
            ? Alu.shiftLeftDouble(cpu, a, other, count, size)
            : Alu.shiftRightDouble(cpu, a, other, count, size);
    if (in.isMemory) {
      cpu.mmu.write(linear, size, result);
    } else {
      cpu.setReg(in.rm, size, result);
    }
  }

  private static void compareExchange(Cpu cpu, Instruction in, int size) {
    long accumulator = register(cpu, Cpu.RAX, true, size);
    long source = register(cpu, in.reg, in.rex, size);
    long linear = in.isMemory ? cpu.linearAddress(in, size, true) : 0;
    long old =
        in.isMemory ? cpu.mmu.readForWrite(linear, size) : register(cpu, in.rm, in.rex, size);
    boolean equal = old == accumulator;
    if (in.isMemory) {
      cpu.mmu.write(linear, size, equal ? source : old);
    } else if (equal) {
      setRegister(cpu, in.rm, in.rex, size, source);
    }
    Alu.operate(cpu, Alu.CMP, accumulator, old, size);
    if (!equal) {
      setRegister(cpu, Cpu.RAX, true, size, old);
    }
  }

  private static void exchangeAdd(Cpu cpu, Instruction in, int size) {
    long source = register(cpu, in.reg, in.rex, size);
    if (in.isMemory) {
      long linear = cpu.linearAddress(in, size, true);
      long old = cpu.mmu.readForWrite(linear, size);
      cpu.mmu.write(linear, size, old + source);
      Alu.operate(cpu, Alu.ADD, old, source, size);
      setRegister(cpu, in.reg, in.rex, size, old);
    } else {
      long old = register(cpu, in.rm, in.rex, size);
      long sum = Alu.operate(cpu, Alu.ADD, old, source, size);
      setRegister(cpu, in.reg, in.rex, size, old);
      setRegister(cpu, in.rm, in.rex, size, sum);
    }
  }

  /** CMPXCHG8B and CMPXCHG16B. */
  private static void compareExchangeWide(Cpu cpu, Instruction in) {
    int half = in.rexW ? 8 : 4;
    long linear = cpu.linearAddress(in, 2 * half, true);
    if (half == 8 && (linear & 15) != 0) {
      throw cpu.raise(Cpu.GP, 0);
    }
    cpu.mmu.checkAlignment(linear, 2 * half);
    cpu.mmu.probe(linear, 2 * half, Mmu.WRITE);
    long low = cpu.mmu.readForWrite(linear, half);
    long high = cpu.mmu.readForWrite(linear + half, half);
    boolean equal = low == cpu.reg(Cpu.RAX, half) && high == cpu.reg(Cpu.RDX, half);
    cpu.mmu.write(linear, half, equal ? cpu.gpr[Cpu.RBX] : low);
    cpu.mmu.write(linear + half, half, equal ? cpu.gpr[Cpu.RCX] : high);
    if (!equal) {
      cpu.setReg(Cpu.RAX, half, low);
      cpu.setReg(Cpu.RDX, half, high);
    }
    int flags = cpu.eflags() & Flags.ARITHMETIC & ~Flags.ZF;
    cpu.setArithmeticFlags(equal ? flags | Flags.ZF : flags);
  }
}

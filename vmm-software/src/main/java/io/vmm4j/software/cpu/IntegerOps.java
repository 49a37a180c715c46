package io.vmm4j.software.cpu;

import static io.vmm4j.software.cpu.OperandPlace.ACCUMULATOR;
import static io.vmm4j.software.cpu.OperandPlace.IMMEDIATE;

/**
 * Executes the integer instructions for every operand size, address size and mode. {@link
 * Interpreter} has shorter ways for the commonest ones in 64-bit code.
 *
 * <p>On entry {@link Cpu#rip} is the next instruction.
 */
final class IntegerOps {
  private IntegerOps() {}

  static void execute(Cpu cpu, Instruction in) {
    int size = in.operandSize;
    switch (in.mnemonic) {
      case Mnemonic.ADD,
          Mnemonic.OR,
          Mnemonic.ADC,
          Mnemonic.SBB,
          Mnemonic.AND,
          Mnemonic.SUB,
          Mnemonic.XOR,
          Mnemonic.CMP ->
          arithmetic(cpu, in, size);
      case Mnemonic.TEST -> {
        long a =
            in.form.first == ACCUMULATOR ? register(cpu, Cpu.RAX, true, size) : load(cpu, in, size);
        Alu.logicFlags(cpu, a & source(cpu, in, size), size);
      }
      case Mnemonic.INC, Mnemonic.DEC, Mnemonic.NEG, Mnemonic.NOT -> unary(cpu, in, size);
      case Mnemonic.ROL,
          Mnemonic.ROR,
          Mnemonic.RCL,
          Mnemonic.RCR,
          Mnemonic.SHL,
          Mnemonic.SHR,
          Mnemonic.SAR ->
          shift(cpu, in, size);
      case Mnemonic.SHLD, Mnemonic.SHRD -> doubleShift(cpu, in, size);
      case Mnemonic.MUL -> Alu.multiplyAccumulator(cpu, load(cpu, in, size), size, false);
      case Mnemonic.IMUL -> multiplySigned(cpu, in, size);
      case Mnemonic.DIV -> Alu.divide(cpu, load(cpu, in, size), size);
      case Mnemonic.IDIV -> Alu.divideSigned(cpu, load(cpu, in, size), size);
      default -> executeMove(cpu, in, size);
    }
  }

  private static void executeMove(Cpu cpu, Instruction in, int size) {
    switch (in.mnemonic) {
      case Mnemonic.MOV -> move(cpu, in, size);
      case Mnemonic.MOVZX -> cpu.setReg(in.reg, size, loadFixed(cpu, in));
      case Mnemonic.MOVSX ->
          cpu.setReg(
              in.reg, size, Flags.signExtend(loadFixed(cpu, in), in.form.fixedOperandBytes()));
      case Mnemonic.MOVSXD -> cpu.setReg(in.reg, size, (int) load(cpu, in, size == 2 ? 2 : 4));
      case Mnemonic.CMOVCC -> {
        long value = load(cpu, in, size);
        cpu.setReg(in.reg, size, cpu.condition(in.condition()) ? value : cpu.reg(in.reg, size));
      }
      case Mnemonic.SETCC -> store(cpu, in, 1, cpu.condition(in.condition()) ? 1 : 0);
      case Mnemonic.XCHG -> exchange(cpu, in, size);
      case Mnemonic.XADD -> exchangeAdd(cpu, in, size);
      case Mnemonic.CMPXCHG -> compareExchange(cpu, in, size);
      case Mnemonic.CMPXCHG8B -> compareExchangeWide(cpu, in);
      case Mnemonic.BSWAP -> swapBytes(cpu, in, size);
      case Mnemonic.LEA -> cpu.setReg(in.reg, size, cpu.effectiveAddress(in));
      case Mnemonic.PUSH -> push(cpu, in, size);
      case Mnemonic.POP -> pop(cpu, in, size);
      case Mnemonic.PUSHA -> pushAll(cpu, size);
      case Mnemonic.POPA -> popAll(cpu, size);
      case Mnemonic.ENTER -> enter(cpu, in);
      case Mnemonic.LEAVE -> leave(cpu, size);
      default -> executeOther(cpu, in, size);
    }
  }

  /** Those on the accumulator and on flags, and hints. */
  private static void executeOther(Cpu cpu, Instruction in, int size) {
    switch (in.mnemonic) {
      case Mnemonic.CBW -> cpu.setReg(Cpu.RAX, size, Flags.signExtend(cpu.gpr[Cpu.RAX], size / 2));
      case Mnemonic.CWD ->
          cpu.setReg(Cpu.RDX, size, Flags.signExtend(cpu.gpr[Cpu.RAX], size) >> 63);
      case Mnemonic.SAHF -> {
        int ah = cpu.reg8(4, false);
        cpu.setArithmeticFlags(ah & ~Flags.OF | cpu.eflags() & Flags.OF);
      }
      case Mnemonic.LAHF -> cpu.setReg8(4, false, cpu.eflags() & 0xD7 | 2);
      case Mnemonic.SALC -> cpu.setReg8(Cpu.RAX, true, cpu.carry() != 0 ? 0xFF : 0);
      case Mnemonic.XLAT -> {
        long offset = cpu.gpr[Cpu.RBX] + (cpu.gpr[Cpu.RAX] & 0xFF) & in.addressMask;
        cpu.setReg8(Cpu.RAX, true, cpu.mmu.read8(cpu.linear(in.segment, offset, 1, false)));
      }
      case Mnemonic.CMC -> Alu.setCarry(cpu, cpu.carry() == 0);
      case Mnemonic.CLC -> Alu.setCarry(cpu, false);
      case Mnemonic.STC -> Alu.setCarry(cpu, true);
      case Mnemonic.CLD -> cpu.systemFlags &= ~Flags.DF;
      case Mnemonic.STD -> cpu.systemFlags |= Flags.DF;
      case Mnemonic.PAUSE -> cpu.pauses.pause();
      case Mnemonic.NOP, Mnemonic.PREFETCH, Mnemonic.PREFETCHW -> {}
      default -> throw cpu.undefined(in);
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

  /** The ModRM operand of an instruction whose operand has always the same size. */
  private static long loadFixed(Cpu cpu, Instruction in) {
    return load(cpu, in, in.form.fixedOperandBytes());
  }

  /** The second operand where that is an immediate or ModRM.reg. */
  private static long source(Cpu cpu, Instruction in, int size) {
    return in.form.second == IMMEDIATE ? in.imm : register(cpu, in.reg, in.rex, size);
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

  // ---- arithmetic ----

  /** ADD to CMP: {@link Alu} has their numbers in the order of the mnemonics. */
  private static void arithmetic(Cpu cpu, Instruction in, int size) {
    int operation = in.mnemonic - Mnemonic.ADD;
    switch (in.form.first) {
      case REG -> {
        long b = load(cpu, in, size);
        long a = register(cpu, in.reg, in.rex, size);
        long result = Alu.operate(cpu, operation, a, b, size);
        if (operation != Alu.CMP) {
          setRegister(cpu, in.reg, in.rex, size, result);
        }
      }
      case ACCUMULATOR -> {
        long a = register(cpu, Cpu.RAX, true, size);
        long result = Alu.operate(cpu, operation, a, in.imm, size);
        if (operation != Alu.CMP) {
          setRegister(cpu, Cpu.RAX, true, size, result);
        }
      }
      default -> arithmeticTo(cpu, in, operation, source(cpu, in, size), size);
    }
  }

  /** An operation whose destination is the ModRM operand. */
  private static void arithmeticTo(Cpu cpu, Instruction in, int operation, long b, int size) {
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

  private static void unary(Cpu cpu, Instruction in, int size) {
    if (in.isMemory) {
      long linear = cpu.linearAddress(in, size, true);
      long a = cpu.mmu.readForWrite(linear, size);
      cpu.mmu.write(linear, size, unary(cpu, in.mnemonic, a, size));
    } else {
      long a = register(cpu, in.rm, in.rex, size);
      setRegister(cpu, in.rm, in.rex, size, unary(cpu, in.mnemonic, a, size));
    }
  }

  private static long unary(Cpu cpu, int mnemonic, long a, int size) {
    return switch (mnemonic) {
      case Mnemonic.INC -> Alu.increment(cpu, a, size);
      case Mnemonic.DEC -> Alu.decrement(cpu, a, size);
      case Mnemonic.NEG -> Alu.negate(cpu, a, size);
      default -> ~a;
    };
  }

  /** IMUL with one, two and three operands. */
  private static void multiplySigned(Cpu cpu, Instruction in, int size) {
    if (in.form.second == OperandPlace.NONE) {
      Alu.multiplyAccumulator(cpu, Flags.signExtend(load(cpu, in, size), size), size, true);
      return;
    }
    boolean byImmediate = in.form.third == IMMEDIATE;
    long a = byImmediate ? load(cpu, in, size) : cpu.reg(in.reg, size);
    long b = byImmediate ? in.imm : load(cpu, in, size);
    cpu.setReg(in.reg, size, Alu.multiplySigned(cpu, a, b, size));
  }

  private static void shift(Cpu cpu, Instruction in, int size) {
    int operation = in.extension(); // as Alu numbers them
    int count = shiftCount(cpu, in, in.form.second);
    if (in.isMemory) {
      long linear = cpu.linearAddress(in, size, true);
      long a = cpu.mmu.readForWrite(linear, size);
      cpu.mmu.write(linear, size, Alu.shift(cpu, operation, a, count, size));
    } else {
      long a = register(cpu, in.rm, in.rex, size);
      setRegister(cpu, in.rm, in.rex, size, Alu.shift(cpu, operation, a, count, size));
    }
  }

  private static int shiftCount(Cpu cpu, Instruction in, OperandPlace place) {
    return switch (place) {
      case ONE -> 1;
      case CL -> (int) cpu.gpr[Cpu.RCX] & 0xFF;
      default -> (int) in.imm & 0xFF;
    };
  }

  private static void doubleShift(Cpu cpu, Instruction in, int size) {
    boolean left = in.mnemonic == Mnemonic.SHLD;
    int count = shiftCount(cpu, in, in.form.third);
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

  // ---- moves ----

  private static void move(Cpu cpu, Instruction in, int size) {
    switch (in.form.first) {
      case REG -> setRegister(cpu, in.reg, in.rex, size, load(cpu, in, size));
      case OPCODE_REGISTER -> setRegister(cpu, in.rm, in.rex, size, in.imm);
      case ACCUMULATOR ->
          setRegister(
              cpu,
              Cpu.RAX,
              true,
              size,
              cpu.mmu.read(cpu.linear(in.segment, in.imm, size, false), size));
      case OFFSET ->
          cpu.mmu.write(
              cpu.linear(in.segment, in.imm, size, true), size, register(cpu, Cpu.RAX, true, size));
      default -> store(cpu, in, size, source(cpu, in, size));
    }
  }

  private static void exchange(Cpu cpu, Instruction in, int size) {
    if (in.form.second == ACCUMULATOR) {
      long a = cpu.reg(Cpu.RAX, size);
      cpu.setReg(Cpu.RAX, size, cpu.reg(in.rm, size));
      cpu.setReg(in.rm, size, a);
      return;
    }
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
    boolean asOne = cpu.mmu.locksAccesses(half == 8);
    long both = asOne ? cpu.mmu.readForWrite(linear, 8) : 0;
    long low = asOne ? both & 0xFFFFFFFFL : cpu.mmu.readForWrite(linear, half);
    long high = asOne ? both >>> 32 : cpu.mmu.readForWrite(linear + half, half);
    boolean equal = low == cpu.reg(Cpu.RAX, half) && high == cpu.reg(Cpu.RDX, half);
    if (asOne) {
      long wanted = cpu.reg(Cpu.RCX, 4) << 32 | cpu.reg(Cpu.RBX, 4);
      cpu.mmu.write(linear, 8, equal ? wanted : both);
    } else {
      cpu.mmu.write(linear, half, equal ? cpu.gpr[Cpu.RBX] : low);
      cpu.mmu.write(linear + half, half, equal ? cpu.gpr[Cpu.RCX] : high);
    }
    if (!equal) {
      cpu.setReg(Cpu.RAX, half, low);
      cpu.setReg(Cpu.RDX, half, high);
    }
    int flags = cpu.eflags() & Flags.ARITHMETIC & ~Flags.ZF;
    cpu.setArithmeticFlags(equal ? flags | Flags.ZF : flags);
  }

  private static void swapBytes(Cpu cpu, Instruction in, int size) {
    long value = cpu.gpr[in.rm];
    long swapped =
        size == 8 ? Long.reverseBytes(value) : size == 4 ? Integer.reverseBytes((int) value) : 0;
    cpu.setReg(in.rm, size, swapped);
  }

  // ---- the stack ----

  private static void push(Cpu cpu, Instruction in, int size) {
    cpu.push(in.form.first == IMMEDIATE ? in.imm : load(cpu, in, size), size);
  }

  private static void pop(Cpu cpu, Instruction in, int size) {
    if (in.form.first == OperandPlace.OPCODE_REGISTER) {
      cpu.setReg(in.rm, size, cpu.pop(size));
    } else {
      popToOperand(cpu, in, size);
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
}

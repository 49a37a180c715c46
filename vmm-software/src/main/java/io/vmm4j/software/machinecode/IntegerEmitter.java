package io.vmm4j.software.machinecode;

import static io.vmm4j.software.machinecode.HostRegisters.ADDRESS;
import static io.vmm4j.software.machinecode.HostRegisters.BASE;
import static io.vmm4j.software.machinecode.HostRegisters.VALUE;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Instruction;
import io.vmm4j.software.machinecode.FlagRecipe.Operation;
import org.jspecify.annotations.Nullable;

/** Emits moves, arithmetic and logic. */
final class IntegerEmitter {
  private static final int ADD = 0;
  private static final int SBB = 3;
  private static final int ADC = 2;
  private static final int SUB = 5;
  private static final int CMP = 7;
  private static final int IMMEDIATE = -1;

  private final BlockCode code;
  private final Assembler asm;

  IntegerEmitter(BlockCode code) {
    this.code = code;
    this.asm = code.asm;
  }

  // ---- operands ----

  /** Whether a register operand is AH, CH, DH or BH. */
  private static boolean isHigh(Instruction in, int number, int size) {
    return size == 1 && !in.rex && number >= 4 && number < 8;
  }

  /** A register operand for reading: AH to BH by their own names. */
  private int read(Instruction in, int number, int size, int scratch) {
    return isHigh(in, number, size) ? Assembler.HIGH + number : code.value(number, scratch);
  }

  private void aboutToWrite(Instruction in, int number, int size) {
    code.aboutToWrite(isHigh(in, number, size) ? number - 4 : number);
  }

  private void changed(Instruction in, int number, int size, int scratch) {
    if (!isHigh(in, number, size)) {
      code.changed(number, scratch);
    }
  }

  private @Nullable FlagRecipe recipe(
      Instruction in, Operation operation, int size, int result, int source, long immediate) {
    boolean high = isHigh(in, result, size) || source >= 0 && isHigh(in, source, size);
    return high || operation == Operation.ADD && source == result
        ? null
        : new FlagRecipe(operation, size, result, source, immediate);
  }

  private static @Nullable Operation repeatable(int operation) {
    return switch (operation) {
      case ADD -> Operation.ADD;
      case SUB -> Operation.SUBTRACT;
      case CMP -> Operation.COMPARE;
      case ADC, SBB -> null;
      default -> Operation.LOGIC;
    };
  }

  // ---- ADD to CMP ----

  /** Opcodes 00 to 3F. */
  void arithmetic(Instruction in, int liveAfter) {
    int operation = in.opcode >> 3;
    int size = in.operandSize;
    switch (in.opcode & 7) {
      case 0, 1 -> {
        if (in.isMemory) {
          toMemory(in, operation, size, in.reg, 0, liveAfter);
        } else {
          registers(in, operation, size, in.rm, in.reg, liveAfter);
        }
      }
      case 2, 3 -> {
        if (in.isMemory) {
          fromMemory(in, operation, size, liveAfter);
        } else {
          registers(in, operation, size, in.reg, in.rm, liveAfter);
        }
      }
      default -> constant(in, operation, size, Cpu.RAX, true, in.imm, liveAfter);
    }
  }

  /** Opcodes 80, 81 and 83. */
  void arithmeticImmediate(Instruction in, int liveAfter) {
    int size = in.operandSize;
    if (in.isMemory) {
      toMemory(in, in.extension(), size, IMMEDIATE, in.imm, liveAfter);
    } else {
      constant(in, in.extension(), size, in.rm, in.rex, in.imm, liveAfter);
    }
  }

  private void registers(Instruction in, int operation, int size, int to, int from, int liveAfter) {
    if (operation == ADC || operation == SBB) {
      code.requireCarry();
    }
    int host = read(in, to, size, VALUE);
    int opcode = operation << 3 | (size == 1 ? 2 : 3);
    if (isHigh(in, from, size)) {
      asm.rr(0, size, opcode, host, Assembler.HIGH + from, 1);
    } else {
      int source = HostRegisters.of(from);
      if (source == HostRegisters.NONE) {
        asm.rm(size, opcode, host, BASE, StateBlock.gpr(from));
      } else {
        asm.rr(size, opcode, host, source);
      }
    }
    if (operation != CMP) {
      changed(in, to, size, VALUE);
    }
    Operation again = repeatable(operation);
    code.flagsWritten(liveAfter, again == null ? null : recipe(in, again, size, to, from, 0));
  }

  private void constant(
      Instruction in, int operation, int size, int to, boolean rex, long value, int liveAfter) {
    boolean high = size == 1 && !rex && to >= 4 && to < 8;
    if (operation == ADC || operation == SBB) {
      code.requireCarry();
    }
    int host = high ? Assembler.HIGH + to : code.value(to, VALUE);
    asm.operate(size, operation, host, value);
    if (operation != CMP && !high) {
      code.changed(to, VALUE);
    }
    Operation again = repeatable(operation);
    code.flagsWritten(
        liveAfter,
        again == null || high ? null : new FlagRecipe(again, size, to, IMMEDIATE, value));
  }

  private void toMemory(
      Instruction in, int operation, int size, int from, long value, int liveAfter) {
    boolean carries = operation == ADC || operation == SBB;
    if (carries) {
      code.requireSaved();
    }
    code.address(in);
    code.access(size, operation != CMP, in.lock ? size : 1);
    if (carries) {
      code.requireCarry();
    }
    if (from == IMMEDIATE) {
      lock(in);
      asm.operateMemory(size, operation, ADDRESS, 0, value);
    } else {
      int host = code.value(from, VALUE);
      lock(in);
      asm.rm(size, operation << 3 | (size == 1 ? 0 : 1), host, ADDRESS, 0);
    }
    code.flagsWritten(liveAfter, null);
  }

  private void lock(Instruction in) {
    if (in.lock) {
      asm.byte8(0xF0);
    }
  }

  private void fromMemory(Instruction in, int operation, int size, int liveAfter) {
    boolean carries = operation == ADC || operation == SBB;
    if (carries) {
      code.requireSaved();
    }
    code.address(in);
    code.access(size, false, 1);
    if (carries) {
      code.requireCarry();
    }
    int host = code.value(in.reg, VALUE);
    asm.rm(size, operation << 3 | (size == 1 ? 2 : 3), host, ADDRESS, 0);
    if (operation != CMP) {
      code.changed(in.reg, VALUE);
    }
    code.flagsWritten(liveAfter, null);
  }

  /** TEST: opcodes 84, 85, A8, A9 and groups F6 and F7. */
  void test(Instruction in, int liveAfter) {
    int size = in.operandSize;
    boolean accumulator = in.opcode == 0xA8 || in.opcode == 0xA9;
    boolean immediate = accumulator || in.opcode >= 0xF6;
    if (in.isMemory && !accumulator) {
      code.address(in);
      code.access(size, false, 1);
      if (immediate) {
        asm.rm(0, size, size == 1 ? 0xF6 : 0xF7, 0, ADDRESS, 0, false);
        asm.immediate(size, in.imm);
      } else {
        asm.rm(size, size == 1 ? 0x84 : 0x85, code.value(in.reg, VALUE), ADDRESS, 0);
      }
      code.flagsWritten(liveAfter, null);
      return;
    }
    if (immediate) {
      int number = accumulator ? Cpu.RAX : in.rm;
      boolean high = !accumulator && isHigh(in, number, size);
      int host = high ? Assembler.HIGH + number : code.value(number, VALUE);
      asm.rr(0, size, size == 1 ? 0xF6 : 0xF7, 0, host, size == 1 ? 2 : 0);
      asm.immediate(size, in.imm);
      code.flagsWritten(
          liveAfter, high ? null : new FlagRecipe(Operation.TEST, size, number, IMMEDIATE, in.imm));
      return;
    }
    int first = read(in, in.rm, size, VALUE);
    int second = read(in, in.reg, size, ADDRESS);
    asm.rr(size, size == 1 ? 0x84 : 0x85, second, first);
    code.flagsWritten(liveAfter, recipe(in, Operation.TEST, size, in.rm, in.reg, 0));
  }

  // ---- moves ----

  /** Opcodes 88 and 89. */
  void store(Instruction in) {
    int size = in.operandSize;
    if (!in.isMemory) {
      move(in, size, in.rm, in.reg);
      return;
    }
    code.address(in);
    code.access(size, true, 1);
    asm.store(size, code.value(in.reg, VALUE), ADDRESS, 0);
  }

  /** Opcodes 8A and 8B. */
  void load(Instruction in) {
    int size = in.operandSize;
    if (!in.isMemory) {
      move(in, size, in.reg, in.rm);
      return;
    }
    code.aboutToWrite(in.reg);
    code.address(in);
    code.access(size, false, 1);
    loadFrom(size, in.reg);
  }

  /** Loads a guest register from the host address. */
  private void loadFrom(int size, int to) {
    int host = size >= 4 ? code.destination(to, VALUE) : code.value(to, VALUE);
    asm.rm(size, size == 1 ? 0x8A : 0x8B, host, ADDRESS, 0);
    code.changed(to, VALUE);
  }

  private void move(Instruction in, int size, int to, int from) {
    aboutToWrite(in, to, size);
    if (size >= 4) {
      int source = HostRegisters.of(from);
      int host = code.destination(to, VALUE);
      if (source == HostRegisters.NONE) {
        asm.load(size, host, BASE, StateBlock.gpr(from));
      } else if (HostRegisters.of(to) == HostRegisters.NONE && size == 8) {
        asm.store(8, source, BASE, StateBlock.gpr(to));
        return;
      } else {
        asm.move(size, host, source);
      }
      code.changed(to, VALUE);
      return;
    }
    int host = read(in, to, size, VALUE);
    int source = read(in, from, size, ADDRESS);
    asm.rr(size, size == 1 ? 0x8A : 0x8B, host, source);
    changed(in, to, size, VALUE);
  }

  /** Opcodes C6 and C7. */
  void storeImmediate(Instruction in) {
    int size = in.operandSize;
    if (in.isMemory) {
      code.address(in);
      code.access(size, true, 1);
      asm.storeConstant(size, ADDRESS, 0, in.imm);
      return;
    }
    immediate(size, in.rm, in.imm);
  }

  /** MOV of an immediate to a register. */
  void immediate(int size, int to, long value) {
    code.aboutToWrite(to);
    if (size >= 4) {
      int host = code.destination(to, VALUE);
      asm.constant(host, size == 4 ? value & 0xFFFFFFFFL : value);
    } else {
      int host = code.value(to, VALUE);
      asm.rr(0, size, size == 1 ? 0xC6 : 0xC7, 0, host, size == 1 ? 2 : 0);
      asm.immediate(size, value);
    }
    code.changed(to, VALUE);
  }

  /** Opcodes A0 to A3: the accumulator and memory at an absolute offset. */
  void absolute(Instruction in) {
    int size = in.operandSize;
    boolean write = in.opcode >= 0xA2;
    if (!write) {
      code.aboutToWrite(Cpu.RAX);
    }
    code.clobberHost();
    asm.constant(ADDRESS, in.imm);
    code.segment(in.segment);
    code.access(size, write, 1);
    if (write) {
      asm.store(size, Assembler.RAX, ADDRESS, 0);
    } else {
      loadFrom(size, Cpu.RAX);
    }
  }

  /** MOVZX, MOVSX and MOVSXD. */
  void extend(Instruction in) {
    int size = in.operandSize;
    boolean fromByte = in.opcode == 0x1B6 || in.opcode == 0x1BE;
    int sourceSize = in.opcode == 0x63 ? 4 : fromByte ? 1 : 2;
    int opcode = in.opcode == 0x63 ? size == 8 ? 0x63 : 0x8B : 0x0F00 | in.opcode & 0xFF;
    code.aboutToWrite(in.reg);
    if (in.isMemory) {
      code.address(in);
      code.access(sourceSize, false, 1);
    }
    int host = size == 2 ? code.value(in.reg, VALUE) : code.destination(in.reg, VALUE);
    if (in.isMemory) {
      asm.rm(0, size, opcode, host, ADDRESS, 0, false);
    } else {
      int source =
          fromByte && isHigh(in, in.rm, 1) ? Assembler.HIGH + in.rm : code.value(in.rm, ADDRESS);
      asm.rr(0, size, opcode, host, source, fromByte ? 2 : 0);
    }
    code.changed(in.reg, VALUE);
  }

  /** LEA. */
  void loadAddress(Instruction in) {
    int size = in.operandSize;
    code.aboutToWrite(in.reg);
    if (size == 2) {
      code.effectiveAddress(in, in.addressSize, ADDRESS);
      int host = code.value(in.reg, VALUE);
      asm.rr(2, 0x8B, host, ADDRESS);
    } else {
      int host = code.destination(in.reg, ADDRESS);
      code.effectiveAddress(in, Math.min(size, in.addressSize), host);
    }
    code.changed(in.reg, size == 2 ? VALUE : ADDRESS);
  }

  /** CMOVcc. */
  void moveIf(Instruction in) {
    int size = in.operandSize;
    code.aboutToWrite(in.reg);
    if (in.isMemory) {
      code.requireSaved();
      code.address(in);
      code.access(size, false, 1);
      asm.rm(size, 0x8B, VALUE, ADDRESS, 0);
      asm.store(8, VALUE, BASE, StateBlock.TEMPORARY);
    }
    int condition = code.condition(in.opcode & 15);
    int host = code.value(in.reg, VALUE);
    int opcode = 0x0F40 | condition;
    int source = in.isMemory ? HostRegisters.NONE : HostRegisters.of(in.rm);
    if (source == HostRegisters.NONE) {
      int offset = in.isMemory ? StateBlock.TEMPORARY : StateBlock.gpr(in.rm);
      asm.rm(size, opcode, host, BASE, offset);
    } else {
      asm.rr(size, opcode, host, source);
    }
    code.changed(in.reg, VALUE);
  }

  /** SETcc. */
  void setIf(Instruction in) {
    if (in.isMemory) {
      code.requireSaved();
      code.address(in);
      code.access(1, true, 1);
      asm.store(8, ADDRESS, BASE, StateBlock.TEMPORARY);
      int condition = code.condition(in.opcode & 15);
      asm.rr(0, 1, 0x0F90 | condition, 0, VALUE, 2);
      asm.load(8, ADDRESS, BASE, StateBlock.TEMPORARY);
      asm.store(1, VALUE, ADDRESS, 0);
      return;
    }
    code.aboutToWrite(in.rm);
    int condition = code.condition(in.opcode & 15);
    int host = code.value(in.rm, VALUE);
    asm.rr(0, 1, 0x0F90 | condition, 0, host, 2);
    code.changed(in.rm, VALUE);
  }

  /** XCHG. */
  void exchange(Instruction in) {
    int size = in.operandSize;
    if (in.isMemory) {
      code.aboutToWrite(in.reg);
      code.address(in);
      code.access(size, true, size);
      int host = code.value(in.reg, VALUE);
      asm.rm(size, size == 1 ? 0x86 : 0x87, host, ADDRESS, 0);
      code.changed(in.reg, VALUE);
      return;
    }
    exchangeRegisters(size, in.reg, in.rm);
  }

  /** XCHG of registers; opcodes 90 to 97 too. */
  void exchangeRegisters(int size, int first, int second) {
    code.aboutToWrite(first);
    code.aboutToWrite(second);
    int a = code.value(first, VALUE);
    int b = code.value(second, ADDRESS);
    asm.rr(size, size == 1 ? 0x86 : 0x87, a, b);
    if (size == 4 && first == second) {
      asm.move(4, a, a);
    }
    code.changed(first, VALUE);
    if (first != second) {
      code.changed(second, ADDRESS);
    }
  }

  // ---- one operand ----

  /** Opcodes 40 to 4F of 32-bit code. */
  void incrementRegister(Instruction in, int liveAfter) {
    increment(in, in.opcode >> 3 & 1, liveAfter);
  }

  /** INC and DEC of groups FE and FF. */
  void increment(Instruction in, int liveAfter) {
    increment(in, in.extension(), liveAfter);
  }

  private void increment(Instruction in, int operation, int liveAfter) {
    int size = in.operandSize;
    boolean keepsCarry = (liveAfter & 1) != 0;
    int opcode = size == 1 ? 0xFE : 0xFF;
    if (in.isMemory) {
      if (keepsCarry) {
        code.requireSaved();
      }
      code.address(in);
      code.access(size, true, in.lock ? size : 1);
      if (keepsCarry) {
        code.requireCarry();
      }
      lock(in);
      asm.rm(0, size, opcode, operation, ADDRESS, 0, false);
    } else {
      if (keepsCarry) {
        code.requireCarry();
      }
      int host = code.value(in.rm, VALUE);
      asm.rr(0, size, opcode, operation, host, size == 1 ? 2 : 0);
      code.changed(in.rm, VALUE);
    }
    code.flagsWritten(liveAfter, null);
  }

  /** NOT and NEG. */
  void notOrNegate(Instruction in, int liveAfter) {
    int size = in.operandSize;
    int opcode = size == 1 ? 0xF6 : 0xF7;
    boolean negates = in.extension() == 3;
    if (in.isMemory) {
      code.address(in);
      code.access(size, true, in.lock ? size : 1);
      lock(in);
      asm.rm(0, size, opcode, in.extension(), ADDRESS, 0, false);
    } else {
      if (!negates) {
        code.aboutToWrite(in.rm);
      }
      int host = code.value(in.rm, VALUE);
      asm.rr(0, size, opcode, in.extension(), host, size == 1 ? 2 : 0);
      code.changed(in.rm, VALUE);
    }
    if (negates) {
      FlagRecipe again =
          in.isMemory ? null : new FlagRecipe(Operation.NEGATE, size, in.rm, IMMEDIATE, 0);
      code.flagsWritten(liveAfter, again);
    }
  }

  /** MUL and IMUL of the accumulator. */
  void multiply(Instruction in, int liveAfter) {
    int size = in.operandSize;
    if (in.isMemory) {
      code.address(in);
      code.access(size, false, 1);
    }
    if (in.isMemory) {
      asm.rm(size, 0xF7, in.extension(), ADDRESS, 0);
    } else {
      asm.rr(size, 0xF7, in.extension(), code.value(in.rm, VALUE));
    }
    product(Cpu.RAX, size, liveAfter);
  }

  /** CF and OF are the same after a multiplication, the rest is what this library gives. */
  private void product(int host, int size, int liveAfter) {
    if (liveAfter == 0) {
      code.flagsWritten(0, null);
    } else {
      code.saveFromResult(host, size, true);
    }
  }

  /** IMUL with two and three operands. */
  void multiplySigned(Instruction in, int liveAfter) {
    int size = in.operandSize;
    boolean three = in.opcode == 0x69 || in.opcode == 0x6B;
    if (in.isMemory) {
      code.address(in);
      code.access(size, false, 1);
    }
    boolean keepsUpper = size == 2;
    int host = !three || keepsUpper ? code.value(in.reg, VALUE) : code.destination(in.reg, VALUE);
    int opcode = three ? 0x69 : 0x0FAF;
    if (in.isMemory) {
      asm.rm(size, opcode, host, ADDRESS, 0);
    } else {
      asm.rr(size, opcode, host, code.value(in.rm, ADDRESS));
    }
    if (three) {
      asm.immediate(size, in.imm);
    }
    code.changed(in.reg, VALUE);
    product(host, size, liveAfter);
  }

  /**
   * DIV and IDIV of 4 and 8 bytes. What would fault, or come near it, is for the interpreter: the
   * host must never raise an exception. The flags stay.
   */
  void divide(Instruction in) {
    int size = in.operandSize;
    boolean signed = in.extension() == 7;
    code.aboutToWrite(Cpu.RAX);
    code.aboutToWrite(Cpu.RDX);
    code.clobberHost();
    if (in.isMemory) {
      code.address(in);
      code.access(size, false, 1);
      asm.load(size, VALUE, ADDRESS, 0);
    } else {
      int host = code.value(in.rm, VALUE);
      if (host != VALUE) {
        asm.move(size, VALUE, host);
      }
    }
    if (signed) {
      asm.move(size, ADDRESS, Assembler.RAX);
      asm.shift(size, 7, ADDRESS, 8 * size - 1);
      asm.rr(size, 0x3B, ADDRESS, Assembler.RDX);
      int wide = asm.jumpIf(Assembler.NOT_EQUAL);
      asm.lea(size, ADDRESS, VALUE, 1);
      asm.operate(size, CMP, ADDRESS, 1); // 0 or -1
      int special = asm.jumpIf(Assembler.BELOW + 4); // BE
      code.leaveAt(Exit.INTERPRET, wide, special);
    } else {
      asm.rr(size, 0x3B, Assembler.RDX, VALUE);
      code.leaveAt(Exit.INTERPRET, asm.jumpIf(Assembler.ABOVE_EQUAL));
    }
    asm.rr(size, 0xF7, in.extension(), VALUE);
  }

  // ---- the rest ----

  /** CBW to CDQE, CWD to CQO. */
  void extendAccumulator(Instruction in) {
    code.aboutToWrite(in.opcode == 0x98 ? Cpu.RAX : Cpu.RDX);
    if (in.operandSize == 2) {
      asm.byte8(0x66);
    } else if (in.operandSize == 8) {
      asm.byte8(0x48);
    }
    asm.byte8(in.opcode);
  }

  /** BSWAP of 4 or 8 bytes. */
  void swapBytes(Instruction in) {
    code.aboutToWrite(in.rm);
    int host = code.value(in.rm, VALUE);
    asm.swapBytes(in.operandSize, host);
    code.changed(in.rm, VALUE);
  }

  /** LAHF. */
  void loadFlags() {
    code.aboutToWrite(Cpu.RAX);
    code.requireExactHost();
    asm.byte8(0x9F);
  }

  /** SAHF: OF stays. */
  void storeFlags(int liveAfter) {
    code.requireHost();
    asm.byte8(0x9E);
    code.flagsWritten(liveAfter, null);
  }

  /** CLC, STC and CMC. */
  void setCarry(Instruction in, int liveAfter) {
    code.requireExactHost();
    asm.byte8(in.opcode);
    code.flagsWritten(liveAfter, null);
  }

  /** CMPXCHG with memory. */
  void compareExchange(Instruction in, int liveAfter) {
    int size = in.operandSize;
    code.address(in);
    code.access(size, true, in.lock ? size : 1);
    int host = code.value(in.reg, VALUE);
    lock(in);
    asm.rm(size, size == 1 ? 0x0FB0 : 0x0FB1, host, ADDRESS, 0);
    code.flagsWritten(liveAfter, null);
  }

  /** XADD with memory. */
  void exchangeAdd(Instruction in, int liveAfter) {
    int size = in.operandSize;
    code.address(in);
    code.access(size, true, in.lock ? size : 1);
    int host = code.value(in.reg, VALUE);
    lock(in);
    asm.rm(size, size == 1 ? 0x0FC0 : 0x0FC1, host, ADDRESS, 0);
    code.changed(in.reg, VALUE);
    code.flagsWritten(liveAfter, null);
  }

  /** CMPXCHG8B and CMPXCHG16B: ZF alone changes. */
  void compareExchangeWide(Instruction in) {
    int bytes = in.rexW ? 16 : 8;
    code.requireSaved();
    code.address(in);
    code.access(bytes, true, bytes);
    lock(in);
    asm.rm(in.rexW ? 8 : 4, 0x0FC7, 1, ADDRESS, 0);
    asm.rr(0, 1, 0x0F90 | Assembler.EQUAL, 0, VALUE, 2);
    asm.zeroExtendByte(VALUE);
    code.replaceSaved(6);
  }
}

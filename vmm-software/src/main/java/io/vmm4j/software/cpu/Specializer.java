package io.vmm4j.software.cpu;

import static io.vmm4j.software.cpu.OperandPlace.ACCUMULATOR;
import static io.vmm4j.software.cpu.OperandPlace.IMMEDIATE;
import static io.vmm4j.software.cpu.OperandPlace.NONE;
import static io.vmm4j.software.cpu.OperandPlace.ONE;
import static io.vmm4j.software.cpu.OperandPlace.OPCODE_REGISTER;
import static io.vmm4j.software.cpu.OperandPlace.REG;
import static io.vmm4j.software.cpu.OperandPlace.RELATIVE;
import static io.vmm4j.software.cpu.OperandPlace.RM;

/**
 * Chooses what the interpreter does for each instruction: a short way for the commonest integer
 * instructions of 64-bit code, else the executor of its family. The choice is a number with the
 * {@link Op} and the registers it works on, so that many instructions need nothing else.
 */
final class Specializer {
  private static final int TO_SHIFT = 8;
  private static final int FROM_SHIFT = 16;
  private static final int MORE_SHIFT = 24;

  private Specializer() {}

  /** The choices for the instructions of a block. */
  static int[] codes(Instruction[] instructions) {
    int[] codes = new int[instructions.length];
    for (int i = 0; i < codes.length; i++) {
      codes[i] = code(instructions[i]);
    }
    return codes;
  }

  // ---- the parts of a choice ----

  private static int code(int op, int to, int from, int more) {
    return op | to << TO_SHIFT | from << FROM_SHIFT | more << MORE_SHIFT;
  }

  static int op(int code) {
    return code & 0xFF;
  }

  /** The register that is changed, or the first operand where none is. */
  static int to(int code) {
    return code >> TO_SHIFT & 31;
  }

  /** The other register. */
  static int from(int code) {
    return code >> FROM_SHIFT & 31;
  }

  /** A condition or a count. */
  static int more(int code) {
    return code >>> MORE_SHIFT;
  }

  // ---- the choice ----

  private static int code(Instruction in) {
    int op = in.codeSize == 8 && !in.lock ? shortWay(in) : 0;
    if (op == 0) {
      return family(in.form.executor);
    }
    boolean toRm = in.form.first == RM || in.form.first == OPCODE_REGISTER;
    return switch (in.mnemonic) {
      case Mnemonic.JCC -> code(op, 0, 0, in.condition());
      case Mnemonic.SETCC -> code(op, in.rm, 0, in.condition());
      case Mnemonic.CMOVCC -> code(op, in.reg, in.rm, in.condition());
      case Mnemonic.SHL, Mnemonic.SHR, Mnemonic.SAR -> code(op, in.rm, 0, shiftCount(in));
      default -> {
        if (in.form.first == ACCUMULATOR) {
          yield code(op, Cpu.RAX, 0, 0);
        }
        // Where one is in memory, the register is first, whichever is changed.
        yield toRm && !in.isMemory ? code(op, in.rm, in.reg, 0) : code(op, in.reg, in.rm, 0);
      }
    };
  }

  private static int family(Executor executor) {
    return switch (executor) {
      case UNDEFINED -> Op.UNDEFINED;
      case INTEGER -> Op.INTEGER;
      case BRANCH -> Op.BRANCH;
      case BIT -> Op.BIT;
      case STRING -> Op.STRING;
      case DECIMAL -> Op.DECIMAL;
      case BIT_MANIPULATION -> Op.BIT_MANIPULATION;
      case PORT, SYSTEM -> Op.SYSTEM;
      case X87 -> Op.X87;
      default -> Op.VECTOR;
    };
  }

  /** The short way of an instruction of 64-bit code without LOCK, or 0. */
  private static int shortWay(Instruction in) {
    InstructionForm form = in.form;
    int size = in.operandSize;
    return switch (in.mnemonic) {
      case Mnemonic.PUSH -> form.first == OPCODE_REGISTER && size == 8 ? Op.PUSH_Q : 0;
      case Mnemonic.POP -> form.first == OPCODE_REGISTER && size == 8 ? Op.POP_Q : 0;
      case Mnemonic.JCC -> Op.JUMP_IF;
      case Mnemonic.JMP -> form.first == RELATIVE ? Op.JUMP : 0;
      case Mnemonic.CALL -> form.first == RELATIVE ? Op.CALL : 0;
      case Mnemonic.RET -> form.first == NONE ? Op.RETURN : 0;
      case Mnemonic.NOP, Mnemonic.PREFETCH, Mnemonic.PREFETCHW -> Op.NOP;
      case Mnemonic.SETCC -> isLowByteRegister(in, in.rm) ? Op.SET_IF : 0;
      case Mnemonic.MOVZX -> moveZeroExtended(in);
      default -> size == 8 ? wide(in) : size == 4 ? narrow(in) : size == 1 ? bytes(in) : 0;
    };
  }

  /** Whether a byte register is the low byte of the general register of its number. */
  private static boolean isLowByteRegister(Instruction in, int number) {
    return !in.isMemory && (number < 4 || in.rex);
  }

  private static int moveZeroExtended(Instruction in) {
    if (in.operandSize < 4) {
      return 0;
    }
    if (in.form.fixedOperandBytes() == 1) {
      return in.isMemory ? Op.LOAD_ZERO_B : isLowByteRegister(in, in.rm) ? Op.MOVE_ZERO_B : 0;
    }
    return in.isMemory ? Op.LOAD_ZERO_W : Op.MOVE_ZERO_W;
  }

  /** 8-bit operands. */
  private static int bytes(Instruction in) {
    OperandPlace first = in.form.first;
    OperandPlace second = in.form.second;
    return switch (in.mnemonic) {
      case Mnemonic.MOV -> {
        if (first != RM || !in.isMemory) {
          yield 0;
        }
        yield second == REG ? Op.STORE_B : Op.STORE_IMMEDIATE_B;
      }
      case Mnemonic.TEST -> {
        if (second == REG) {
          boolean low = isLowByteRegister(in, in.rm) && isLowByteRegister(in, in.reg);
          yield low ? Op.TEST_B : 0;
        }
        if (first == ACCUMULATOR) {
          yield Op.TEST_IMMEDIATE_B;
        }
        yield in.isMemory
            ? Op.TEST_IMMEDIATE_LOAD_B
            : isLowByteRegister(in, in.rm) ? Op.TEST_IMMEDIATE_B : 0;
      }
      case Mnemonic.CMP -> {
        if (first == ACCUMULATOR) {
          yield Op.CMP_IMMEDIATE_B;
        }
        if (second != IMMEDIATE) {
          yield 0;
        }
        yield in.isMemory
            ? Op.CMP_IMMEDIATE_LOAD_B
            : isLowByteRegister(in, in.rm) ? Op.CMP_IMMEDIATE_B : 0;
      }
      default -> 0;
    };
  }

  /** 64-bit operands. */
  private static int wide(Instruction in) {
    boolean memory = in.isMemory;
    return switch (in.mnemonic) {
      case Mnemonic.MOV ->
          move(in, Op.MOVE_Q, Op.LOAD_Q, Op.STORE_Q, Op.MOVE_IMMEDIATE_Q, Op.STORE_IMMEDIATE_Q);
      case Mnemonic.LEA -> Op.LEA_Q;
      case Mnemonic.MOVSXD -> memory ? Op.LOAD_SIGN_D : Op.SIGN_EXTEND_D;
      case Mnemonic.CMOVCC -> memory ? 0 : Op.MOVE_IF_Q;
      case Mnemonic.IMUL ->
          !memory && in.form.second == RM && in.form.third == NONE ? Op.MULTIPLY_Q : 0;
      case Mnemonic.TEST -> memory || in.form.second != REG ? 0 : Op.TEST_Q;
      case Mnemonic.ADD -> arithmetic(in, Op.ADD_Q, Op.ADD_IMMEDIATE_Q, Op.ADD_LOAD_Q);
      case Mnemonic.ADC -> arithmetic(in, Op.ADD_CARRY_Q, Op.ADD_CARRY_IMMEDIATE_Q, 0);
      case Mnemonic.SUB -> arithmetic(in, Op.SUB_Q, Op.SUB_IMMEDIATE_Q, Op.SUB_LOAD_Q);
      case Mnemonic.AND -> arithmetic(in, Op.AND_Q, Op.AND_IMMEDIATE_Q, 0);
      case Mnemonic.OR -> arithmetic(in, Op.OR_Q, Op.OR_IMMEDIATE_Q, 0);
      case Mnemonic.XOR -> arithmetic(in, Op.XOR_Q, 0, 0);
      case Mnemonic.CMP ->
          memory && in.form.first == RM
              ? in.form.second == REG ? Op.CMP_WITH_Q : Op.CMP_IMMEDIATE_LOAD_Q
              : arithmetic(in, Op.CMP_Q, Op.CMP_IMMEDIATE_Q, Op.CMP_LOAD_Q);
      case Mnemonic.SHL -> shift(in, Op.SHIFT_LEFT_Q);
      case Mnemonic.SHR -> shift(in, Op.SHIFT_RIGHT_Q);
      case Mnemonic.SAR -> shift(in, Op.SHIFT_ARITHMETIC_Q);
      default -> 0;
    };
  }

  /** 32-bit operands. */
  private static int narrow(Instruction in) {
    boolean memory = in.isMemory;
    return switch (in.mnemonic) {
      case Mnemonic.MOV ->
          move(in, Op.MOVE_D, Op.LOAD_D, Op.STORE_D, Op.MOVE_IMMEDIATE_D, Op.STORE_IMMEDIATE_D);
      case Mnemonic.LEA -> Op.LEA_D;
      case Mnemonic.CMOVCC -> memory ? 0 : Op.MOVE_IF_D;
      case Mnemonic.TEST -> {
        if (memory || in.form.first == ACCUMULATOR) {
          yield 0;
        }
        yield in.form.second == REG ? Op.TEST_D : Op.TEST_IMMEDIATE_D;
      }
      case Mnemonic.ADD -> arithmetic(in, Op.ADD_D, Op.ADD_IMMEDIATE_D, Op.ADD_LOAD_D);
      case Mnemonic.SUB -> arithmetic(in, Op.SUB_D, Op.SUB_IMMEDIATE_D, 0);
      case Mnemonic.AND -> arithmetic(in, Op.AND_D, Op.AND_IMMEDIATE_D, 0);
      case Mnemonic.OR -> arithmetic(in, Op.OR_D, Op.OR_IMMEDIATE_D, 0);
      case Mnemonic.XOR -> arithmetic(in, Op.XOR_D, 0, Op.XOR_LOAD_D);
      case Mnemonic.CMP ->
          memory && in.form.first == RM
              ? in.form.second == REG ? Op.CMP_WITH_D : Op.CMP_IMMEDIATE_LOAD_D
              : arithmetic(in, Op.CMP_D, Op.CMP_IMMEDIATE_D, Op.CMP_LOAD_D);
      case Mnemonic.SHL -> shift(in, Op.SHIFT_LEFT_D);
      case Mnemonic.SHR -> shift(in, Op.SHIFT_RIGHT_D);
      case Mnemonic.SAR -> shift(in, Op.SHIFT_ARITHMETIC_D);
      default -> 0;
    };
  }

  private static int move(
      Instruction in, int move, int load, int store, int moveImmediate, int storeImmediate) {
    return switch (in.form.first) {
      case REG -> in.isMemory ? load : move;
      case OPCODE_REGISTER -> moveImmediate;
      case RM -> {
        if (in.form.second == REG) {
          yield in.isMemory ? store : move;
        }
        yield in.isMemory ? storeImmediate : moveImmediate;
      }
      default -> 0;
    };
  }

  /** An operation on two registers, on one and an immediate, or with memory as its source. */
  private static int arithmetic(Instruction in, int registers, int immediate, int load) {
    if (in.form.first == ACCUMULATOR) {
      return 0;
    }
    if (in.isMemory) {
      return in.form.first == REG ? load : 0;
    }
    return in.form.second == IMMEDIATE ? immediate : registers;
  }

  /** A shift of a register by a count that is known, and not zero. */
  private static int shift(Instruction in, int op) {
    return in.isMemory || shiftCount(in) == 0 ? 0 : op;
  }

  private static int shiftCount(Instruction in) {
    return switch (in.form.second) {
      case ONE -> 1;
      case IMMEDIATE -> (int) in.imm & 8 * in.operandSize - 1;
      default -> 0;
    };
  }
}

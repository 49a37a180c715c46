package io.vmm4j.engine.software.cpu;

/** Gives the commonest integer instructions of 64-bit code the interpreter's short ways. */
final class Specializer {
  private Specializer() {}

  static int op(Instruction in) {
    if (in.codeSize != 8 || in.lock) {
      return Op.INTEGER;
    }
    int size = in.operandSize;
    int opcode = in.opcode;
    if (opcode >= 0x50 && opcode < 0x60) {
      return size != 8 ? Op.INTEGER : opcode < 0x58 ? Op.PUSH_Q : Op.POP_Q;
    }
    if (opcode >= 0x70 && opcode < 0x80 || opcode >= 0x180 && opcode < 0x190) {
      return Op.JUMP_IF;
    }
    switch (opcode) {
      case 0xE8:
        return Op.CALL;
      case 0xC3:
        return Op.RETURN;
      case 0xE9, 0xEB:
        return Op.JUMP;
      case 0x11F, 0x11E:
        return Op.NOP;
      case 0x90:
        return in.rm == 0 ? Op.NOP : Op.INTEGER;
      case 0x88:
        return in.isMemory ? Op.STORE_B : Op.INTEGER;
      case 0xC6:
        return in.isMemory ? Op.STORE_IMMEDIATE_B : Op.INTEGER;
      case 0x84:
        return isLowByte(in, in.rm) && isLowByte(in, in.reg) && !in.isMemory
            ? Op.TEST_B
            : Op.INTEGER;
      case 0x80:
        return in.extension() != 7
            ? Op.INTEGER
            : in.isMemory
                ? Op.CMP_IMMEDIATE_LOAD_B
                : isLowByte(in, in.rm) ? Op.CMP_IMMEDIATE_B : Op.INTEGER;
      case 0x3C:
        in.rm = Cpu.RAX;
        return Op.CMP_IMMEDIATE_B;
      case 0xA8:
        in.rm = Cpu.RAX;
        return Op.TEST_IMMEDIATE_B;
      case 0xF6:
        return in.extension() > 1
            ? Op.INTEGER
            : in.isMemory
                ? Op.TEST_IMMEDIATE_LOAD_B
                : isLowByte(in, in.rm) ? Op.TEST_IMMEDIATE_B : Op.INTEGER;
      case 0x1B6:
        return size < 4
            ? Op.INTEGER
            : in.isMemory ? Op.LOAD_ZERO_B : isLowByte(in, in.rm) ? Op.MOVE_ZERO_B : Op.INTEGER;
      case 0x1B7:
        return size < 4 ? Op.INTEGER : in.isMemory ? Op.LOAD_ZERO_W : Op.MOVE_ZERO_W;
      default:
        if (opcode >= 0x190 && opcode < 0x1A0) {
          return !in.isMemory && isLowByte(in, in.rm) ? Op.SET_IF : Op.INTEGER;
        }
        return size == 8 ? wide(in) : size == 4 ? narrow(in) : Op.INTEGER;
    }
  }

  /** Whether a byte register is the low byte of the general register of its number. */
  private static boolean isLowByte(Instruction in, int number) {
    return number < 4 || in.rex;
  }

  /** 64-bit operands. */
  private static int wide(Instruction in) {
    boolean memory = in.isMemory;
    switch (in.opcode) {
      case 0x89:
        return memory ? Op.STORE_Q : swap(in, Op.MOVE_Q);
      case 0x8B:
        return memory ? Op.LOAD_Q : Op.MOVE_Q;
      case 0x8D:
        return Op.LEA_Q;
      case 0xC7:
        return memory ? Op.STORE_IMMEDIATE_Q : Op.MOVE_IMMEDIATE_Q;
      case 0xB8, 0xB9, 0xBA, 0xBB, 0xBC, 0xBD, 0xBE, 0xBF:
        return Op.MOVE_IMMEDIATE_Q;
      case 0x63:
        return memory ? Op.LOAD_SIGN_D : Op.SIGN_EXTEND_D;
      case 0x3B:
        return memory ? Op.CMP_LOAD_Q : Op.CMP_Q;
      default:
        return memory ? memoryWide(in) : registersWide(in);
    }
  }

  /** 32-bit operands. */
  private static int narrow(Instruction in) {
    boolean memory = in.isMemory;
    switch (in.opcode) {
      case 0x89:
        return memory ? Op.STORE_D : swap(in, Op.MOVE_D);
      case 0x8B:
        return memory ? Op.LOAD_D : Op.MOVE_D;
      case 0x8D:
        return Op.LEA_D;
      case 0xC7:
        return memory ? Op.STORE_IMMEDIATE_D : Op.MOVE_IMMEDIATE_D;
      case 0xB8, 0xB9, 0xBA, 0xBB, 0xBC, 0xBD, 0xBE, 0xBF:
        return Op.MOVE_IMMEDIATE_D;
      case 0x3B:
        return memory ? Op.CMP_LOAD_D : Op.CMP_D;
      default:
        return memory ? memoryNarrow(in) : registersNarrow(in);
    }
  }

  /** An instruction whose destination is ModRM.rm, as one whose destination is ModRM.reg. */
  private static int swap(Instruction in, int op) {
    int reg = in.reg;
    in.reg = in.rm;
    in.rm = reg;
    return op;
  }

  private static int registersWide(Instruction in) {
    if (in.opcode >= 0x140 && in.opcode < 0x150) {
      return Op.MOVE_IF_Q;
    }
    return switch (in.opcode) {
      case 0x11 -> swap(in, Op.ADD_CARRY_Q);
      case 0x13 -> Op.ADD_CARRY_Q;
      case 0x1AF -> Op.MULTIPLY_Q;
      case 0x81, 0x83 -> in.extension() == 2 ? Op.ADD_CARRY_IMMEDIATE_Q : registers(in, 0);
      default -> registers(in, 0);
    };
  }

  private static int registersNarrow(Instruction in) {
    return in.opcode >= 0x140 && in.opcode < 0x150 ? Op.MOVE_IF_D : registers(in, 1);
  }

  private static int memoryWide(Instruction in) {
    return switch (in.opcode) {
      case 0x03 -> Op.ADD_LOAD_Q;
      case 0x2B -> Op.SUB_LOAD_Q;
      case 0x39 -> Op.CMP_WITH_Q;
      case 0x81, 0x83 -> in.extension() == 7 ? Op.CMP_IMMEDIATE_LOAD_Q : Op.INTEGER;
      default -> Op.INTEGER;
    };
  }

  private static int memoryNarrow(Instruction in) {
    return switch (in.opcode) {
      case 0x03 -> Op.ADD_LOAD_D;
      case 0x33 -> Op.XOR_LOAD_D;
      case 0x39 -> Op.CMP_WITH_D;
      case 0x81, 0x83 -> in.extension() == 7 ? Op.CMP_IMMEDIATE_LOAD_D : Op.INTEGER;
      default -> Op.INTEGER;
    };
  }

  private static int registers(Instruction in, int narrow) {
    return switch (in.opcode) {
      case 0x01 -> swap(in, narrow == 0 ? Op.ADD_Q : Op.ADD_D);
      case 0x03 -> narrow == 0 ? Op.ADD_Q : Op.ADD_D;
      case 0x09 -> swap(in, narrow == 0 ? Op.OR_Q : Op.OR_D);
      case 0x0B -> narrow == 0 ? Op.OR_Q : Op.OR_D;
      case 0x21 -> swap(in, narrow == 0 ? Op.AND_Q : Op.AND_D);
      case 0x23 -> narrow == 0 ? Op.AND_Q : Op.AND_D;
      case 0x29 -> swap(in, narrow == 0 ? Op.SUB_Q : Op.SUB_D);
      case 0x2B -> narrow == 0 ? Op.SUB_Q : Op.SUB_D;
      case 0x31 -> swap(in, narrow == 0 ? Op.XOR_Q : Op.XOR_D);
      case 0x33 -> narrow == 0 ? Op.XOR_Q : Op.XOR_D;
      case 0x39 -> swap(in, narrow == 0 ? Op.CMP_Q : Op.CMP_D);
      case 0x85 -> narrow == 0 ? Op.TEST_Q : Op.TEST_D;
      case 0x81, 0x83 ->
          switch (in.extension()) {
            case 0 -> narrow == 0 ? Op.ADD_IMMEDIATE_Q : Op.ADD_IMMEDIATE_D;
            case 1 -> narrow == 0 ? Op.OR_IMMEDIATE_Q : Op.OR_IMMEDIATE_D;
            case 4 -> narrow == 0 ? Op.AND_IMMEDIATE_Q : Op.AND_IMMEDIATE_D;
            case 5 -> narrow == 0 ? Op.SUB_IMMEDIATE_Q : Op.SUB_IMMEDIATE_D;
            case 7 -> narrow == 0 ? Op.CMP_IMMEDIATE_Q : Op.CMP_IMMEDIATE_D;
            default -> Op.INTEGER;
          };
      case 0xF7 -> narrow == 1 && in.extension() < 2 ? Op.TEST_IMMEDIATE_D : Op.INTEGER;
      case 0xD1 -> {
        in.imm = 1;
        yield shift(in, narrow);
      }
      case 0xC1 -> (in.imm & (narrow == 0 ? 63 : 31)) == 0 ? Op.INTEGER : shift(in, narrow);
      default -> Op.INTEGER;
    };
  }

  /** A shift by a count in {@link Instruction#imm} that is not zero. */
  private static int shift(Instruction in, int narrow) {
    return switch (in.extension()) {
      case 4 -> narrow == 0 ? Op.SHIFT_LEFT_Q : Op.SHIFT_LEFT_D;
      case 5 -> narrow == 0 ? Op.SHIFT_RIGHT_Q : Op.SHIFT_RIGHT_D;
      case 7 -> narrow == 0 ? Op.SHIFT_ARITHMETIC_Q : Op.SHIFT_ARITHMETIC_D;
      default -> Op.INTEGER;
    };
  }
}

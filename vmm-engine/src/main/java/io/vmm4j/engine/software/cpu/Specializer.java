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
      case 0x1B6:
        return size < 4
            ? Op.INTEGER
            : in.isMemory ? Op.LOAD_ZERO_B : in.rm < 4 || in.rex ? Op.MOVE_ZERO_B : Op.INTEGER;
      case 0x1B7:
        return size < 4 ? Op.INTEGER : in.isMemory ? Op.LOAD_ZERO_W : Op.MOVE_ZERO_W;
      default:
        return size == 8 ? wide(in) : size == 4 ? narrow(in) : Op.INTEGER;
    }
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
        return memory ? Op.INTEGER : Op.MOVE_IMMEDIATE_Q;
      case 0xB8, 0xB9, 0xBA, 0xBB, 0xBC, 0xBD, 0xBE, 0xBF:
        return Op.MOVE_IMMEDIATE_Q;
      case 0x63:
        return memory ? Op.INTEGER : Op.SIGN_EXTEND_D;
      case 0x3B:
        return memory ? Op.CMP_LOAD_Q : Op.CMP_Q;
      default:
        return memory ? Op.INTEGER : registers(in, 0);
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
      case 0xC7:
        return memory ? Op.INTEGER : Op.MOVE_IMMEDIATE_D;
      case 0xB8, 0xB9, 0xBA, 0xBB, 0xBC, 0xBD, 0xBE, 0xBF:
        return Op.MOVE_IMMEDIATE_D;
      case 0x3B:
        return memory ? Op.CMP_LOAD_D : Op.CMP_D;
      default:
        return memory ? Op.INTEGER : registers(in, 1);
    }
  }

  /** An instruction whose destination is ModRM.rm, as one whose destination is ModRM.reg. */
  private static int swap(Instruction in, int op) {
    int reg = in.reg;
    in.reg = in.rm;
    in.rm = reg;
    return op;
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
            case 4 -> narrow == 0 ? Op.AND_IMMEDIATE_Q : Op.AND_IMMEDIATE_D;
            case 5 -> narrow == 0 ? Op.SUB_IMMEDIATE_Q : Op.SUB_IMMEDIATE_D;
            case 7 -> narrow == 0 ? Op.CMP_IMMEDIATE_Q : Op.CMP_IMMEDIATE_D;
            default -> Op.INTEGER;
          };
      case 0xF7 -> narrow == 1 && in.extension() < 2 ? Op.TEST_IMMEDIATE_D : Op.INTEGER;
      case 0xC1 ->
          (in.imm & (narrow == 0 ? 63 : 31)) == 0
              ? Op.INTEGER
              : switch (in.extension()) {
                case 4 -> narrow == 0 ? Op.SHIFT_LEFT_Q : Op.SHIFT_LEFT_D;
                case 5 -> narrow == 0 ? Op.SHIFT_RIGHT_Q : Op.SHIFT_RIGHT_D;
                default -> Op.INTEGER;
              };
      default -> Op.INTEGER;
    };
  }
}

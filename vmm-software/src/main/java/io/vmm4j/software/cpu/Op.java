package io.vmm4j.software.cpu;

/**
 * What the interpreter dispatches on: the executor of an instruction, or a short way of its own.
 * {@link Specializer} chooses.
 */
final class Op {
  /** Not an instruction: #UD. */
  static final int UNDEFINED = 0;

  /** {@link IntegerOps}. */
  static final int INTEGER = 1;

  /** The system unit, ports among it. */
  static final int SYSTEM = 2;

  /** x87. */
  static final int X87 = 3;

  /** MMX, SSE and the state of both. */
  static final int VECTOR = 4;

  // Short ways, for 64-bit code unless said otherwise. D is 32 bits, Q is 64.
  static final int MOVE_Q = 5;
  static final int MOVE_D = 6;
  static final int MOVE_IMMEDIATE_Q = 7;
  static final int MOVE_IMMEDIATE_D = 8;
  static final int LOAD_Q = 9;
  static final int LOAD_D = 10;
  static final int STORE_Q = 11;
  static final int STORE_D = 12;
  static final int STORE_B = 13;
  static final int LOAD_ZERO_B = 14;
  static final int LOAD_ZERO_W = 15;
  static final int MOVE_ZERO_B = 16;
  static final int LEA_Q = 17;
  static final int PUSH_Q = 18;
  static final int POP_Q = 19;
  static final int CALL = 20;
  static final int RETURN = 21;
  static final int JUMP = 22;
  static final int JUMP_IF = 23;
  static final int ADD_Q = 24;
  static final int SUB_Q = 25;
  static final int AND_Q = 26;
  static final int OR_Q = 27;
  static final int XOR_Q = 28;
  static final int CMP_Q = 29;
  static final int TEST_Q = 30;
  static final int ADD_D = 31;
  static final int SUB_D = 32;
  static final int AND_D = 33;
  static final int OR_D = 34;
  static final int XOR_D = 35;
  static final int CMP_D = 36;
  static final int TEST_D = 37;
  static final int ADD_IMMEDIATE_Q = 38;
  static final int SUB_IMMEDIATE_Q = 39;
  static final int AND_IMMEDIATE_Q = 40;
  static final int CMP_IMMEDIATE_Q = 41;
  static final int ADD_IMMEDIATE_D = 42;
  static final int SUB_IMMEDIATE_D = 43;
  static final int AND_IMMEDIATE_D = 44;
  static final int CMP_IMMEDIATE_D = 45;
  static final int TEST_IMMEDIATE_D = 46;
  static final int SHIFT_LEFT_Q = 47;
  static final int SHIFT_RIGHT_Q = 48;
  static final int SHIFT_LEFT_D = 49;
  static final int SHIFT_RIGHT_D = 50;
  static final int CMP_LOAD_Q = 51;
  static final int CMP_LOAD_D = 52;
  static final int NOP = 53;
  static final int MOVE_ZERO_W = 54;
  static final int SIGN_EXTEND_D = 55;
  static final int SET_IF = 56;
  static final int MOVE_IF_Q = 57;
  static final int MOVE_IF_D = 58;
  static final int MULTIPLY_Q = 59;
  static final int ADD_CARRY_Q = 60;
  static final int ADD_CARRY_IMMEDIATE_Q = 61;
  static final int ADD_LOAD_Q = 62;
  static final int ADD_LOAD_D = 63;
  static final int SUB_LOAD_Q = 64;
  static final int TEST_B = 65;
  static final int TEST_IMMEDIATE_B = 66;
  static final int CMP_IMMEDIATE_B = 67;
  static final int TEST_IMMEDIATE_LOAD_B = 68;
  static final int CMP_IMMEDIATE_LOAD_B = 69;
  static final int CMP_IMMEDIATE_LOAD_Q = 70;
  static final int CMP_IMMEDIATE_LOAD_D = 71;

  /** The first operand is in memory: the same for D. */
  static final int CMP_WITH_Q = 72;

  static final int CMP_WITH_D = 73;
  static final int LOAD_SIGN_D = 74;
  static final int LEA_D = 75;
  static final int STORE_IMMEDIATE_Q = 76;
  static final int STORE_IMMEDIATE_D = 77;
  static final int STORE_IMMEDIATE_B = 78;
  static final int SHIFT_ARITHMETIC_Q = 79;
  static final int SHIFT_ARITHMETIC_D = 80;
  static final int OR_IMMEDIATE_Q = 81;
  static final int OR_IMMEDIATE_D = 82;
  static final int XOR_LOAD_D = 83;

  /** {@link Branches}. */
  static final int BRANCH = 84;

  /** {@link BitOps}. */
  static final int BIT = 85;

  /** {@link StringOps}. */
  static final int STRING = 86;

  /** {@link DecimalOps}. */
  static final int DECIMAL = 87;

  /** {@link BitManipulation}. */
  static final int BIT_MANIPULATION = 88;

  private Op() {}
}

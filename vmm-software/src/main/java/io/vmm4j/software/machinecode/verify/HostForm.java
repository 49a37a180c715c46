package io.vmm4j.software.machinecode.verify;

import org.jspecify.annotations.Nullable;

/**
 * A form of an instruction that may occur: its operands, and what it writes beside them.
 *
 * @param name the mnemonic
 * @param operation what the rules know it as
 * @param reg the register in ModRM.reg
 * @param rm the register or memory in ModRM.rm
 * @param accumulator AL to RAX as an operand, or the element of a string
 * @param low the register in the opcode's low three bits
 * @param immediate the immediate or displacement
 * @param writes the general registers it writes that are no operands, a bit for each
 * @param writesFlags whether it writes any flag
 * @param lockable whether LOCK may stand before it where it writes memory
 * @param wideOnly whether it needs REX.W
 * @param vex the register in VEX.vvvv, or null
 * @param lengths the values of VEX.L it may have, as bits
 * @param widths the values of VEX.W it may have, as bits
 */
record HostForm(
    String name,
    Operation operation,
    @Nullable Operand reg,
    @Nullable Operand rm,
    @Nullable Operand accumulator,
    @Nullable Operand low,
    @Nullable Operand immediate,
    int writes,
    boolean writesFlags,
    boolean lockable,
    boolean wideOnly,
    @Nullable Operand vex,
    int lengths,
    int widths) {

  /** Both values of a bit, as bits. */
  static final int BOTH = 3;

  /** The operations of which more is known than what they read and write. */
  enum Operation {
    ADD,
    SUB,
    AND,
    CMP,
    TEST,
    MOV,
    LEA,
    SHL,
    SHR,
    SAR,
    DIV,
    IDIV,
    XCHG,
    CMPXCHG16B,
    BT,
    BTS,
    BTR,
    BTC,
    MOVS,
    STOS,
    PUSH,
    POP,
    JMP,
    JCC,
    RET,
    VZERO,
    STMXCSR,
    LDMXCSR,
    OTHER
  }

  /**
   * An operand.
   *
   * @param size of a register, as in the manual's tables: b, w, d, q, v (by operand size), y (4 or
   *     8), z (2 or 4), 2 (8 or 16), x (16 bytes, 32 with VEX.L), a (the same, aligned), 0 (an
   *     address alone); those of {@link VexForms}
   * @param memorySize the same of memory
   * @param vector whether a register is an XMM register
   * @param reads whether it is read
   * @param writes whether it is written
   * @param registers whether it may be a register; of VEX.vvvv, whether it is none where ModRM.rm
   *     is memory
   * @param memory whether it may be memory
   */
  record Operand(
      char size,
      char memorySize,
      boolean vector,
      boolean reads,
      boolean writes,
      boolean registers,
      boolean memory) {

    /** Whether W says its size. */
    boolean isWideByW() {
      return size == 'y' || memorySize == 'y';
    }
  }

  boolean hasModRm() {
    return reg != null || rm != null;
  }

  /** Whether the operand-size prefix means a size here. */
  boolean hasOperandSize() {
    return isV(reg) || isV(rm) || isV(accumulator) || isV(low) || isV(immediate);
  }

  private static boolean isV(@Nullable Operand o) {
    return o != null && (o.size == 'v' || o.memorySize == 'v' || o.size == 'z');
  }
}

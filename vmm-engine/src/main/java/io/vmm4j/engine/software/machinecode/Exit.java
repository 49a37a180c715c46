package io.vmm4j.engine.software.machinecode;

/**
 * Why machine code was left: a word with the reason in bits 0 to 2, an instruction's place in its
 * block in bits 3 to 8 and the number of the translation above.
 */
final class Exit {
  /** The budget does not reach for the block, of which nothing was executed. */
  static final int BUDGET = 0;

  /** The instruction is one for the interpreter. */
  static final int INTERPRET = 1;

  /** The instruction's memory access is not one for the translations at hand. */
  static final int MEMORY = 2;

  /** The block's jump was taken, and is not linked. */
  static final int TAKEN = 3;

  /** The block's jump was not taken, or it has none, and it is not linked. */
  static final int NEXT = 4;

  /** A jump target was not found: RIP is in {@link StateBlock#TARGET}. */
  static final int LOOKUP = 5;

  /** The block is void, or does not go on in the page it did; nothing was executed. */
  static final int DEAD = 6;

  /** How many reasons there are. */
  static final int REASONS = 7;

  private Exit() {}

  static int word(int reason, int instruction, int translation) {
    return reason | instruction << 3 | translation << 9;
  }

  static int reason(int word) {
    return word & 7;
  }

  static int instruction(int word) {
    return word >> 3 & 63;
  }

  static int translation(int word) {
    return word >>> 9;
  }
}

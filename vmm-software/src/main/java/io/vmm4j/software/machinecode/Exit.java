package io.vmm4j.software.machinecode;

import java.util.List;

/**
 * Why machine code was left: a word with the reason in bits 0 to 3, an instruction's place in its
 * block in bits 4 to 9 and the number of the translation above.
 */
final class Exit {
  /** The budget does not reach for the block. Nothing of the block was executed. */
  static final int BUDGET = 0;

  /** The instruction is one for the interpreter. */
  static final int INTERPRET = 1;

  /** The instruction loads from {@link StateBlock#TARGET}, which is not among the translations. */
  static final int LOAD = 2;

  /** The instruction stores to {@link StateBlock#TARGET}, which is not among the translations. */
  static final int STORE = 3;

  /** The instruction jumps to {@link StateBlock#TARGET}, whose page is not among those of code. */
  static final int PAGE = 4;

  /** The block's jump was taken, and is not linked. */
  static final int TAKEN = 5;

  /** The block's jump was not taken, or it has none, and it is not linked. */
  static final int NEXT = 6;

  /** A jump target was not found: RIP is in {@link StateBlock#TARGET}. */
  static final int LOOKUP = 7;

  /** The block is void, or does not go on in the page it did; nothing was executed. */
  static final int DEAD = 8;

  /** How many reasons there are. */
  static final int REASONS = 9;

  /** Their names, for metrics. */
  static final List<String> NAMES =
      List.of("budget", "interpret", "load", "store", "page", "taken", "next", "lookup", "dead");

  /** How many translations can be told apart. */
  static final int MOST_TRANSLATIONS = 1 << 21;

  /** The bits of the reason; above them lies which instruction of which translation it was. */
  static final int REASON_BITS = 4;

  private Exit() {}

  /** A word of a translation that has no number yet. */
  static int word(int reason, int instruction) {
    return reason | instruction << 4;
  }

  /** The same word for another translation. */
  static int withTranslation(int word, int translation) {
    return word & (1 << 10) - 1 | translation << 10;
  }

  static int reason(int word) {
    return word & 15;
  }

  static int instruction(int word) {
    return word >> 4 & 63;
  }

  static int translation(int word) {
    return word >>> 10;
  }
}

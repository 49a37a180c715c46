package io.vmm4j.software.machinecode.verify;

/** The host's registers while machine code runs, and what else is fixed. */
final class Convention {
  static final int RAX = 0;
  static final int RCX = 1;
  static final int RDX = 2;
  static final int RSP = 4;
  static final int RSI = 6;
  static final int RDI = 7;

  /** R11: an index into a table; a value on its way. */
  static final int INDEX = 11;

  /** R13: the base of the state block. */
  static final int BASE = 13;

  /** R14: the budget. */
  static final int BUDGET = 14;

  /** R15: an address while it is checked, and what comes out. */
  static final int ADDRESS = 15;

  static final int PAGE_BYTES = 0x1000;

  private Convention() {}
}

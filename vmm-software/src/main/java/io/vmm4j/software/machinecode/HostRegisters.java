package io.vmm4j.software.machinecode;

/**
 * Which host register holds which general register of the guest while machine code runs. Five of
 * the guest's have no register and stay in the state block. What the manuals tie to a register
 * (shift counts, products, string counts) lies in the same register on both sides.
 */
final class HostRegisters {
  /** Where {@link StateBlock} is: its base. */
  static final int BASE = 13;

  /** Instructions that may still be executed. */
  static final int BUDGET = 14;

  /** Scratch: addresses, jump targets. */
  static final int ADDRESS = 15;

  /** Scratch: indices, values on their way. */
  static final int VALUE = 11;

  /** For a register of the guest that has none of the host. */
  static final int NONE = -1;

  private static final int[] HOST = {
    0, 1, 2, 3, 10, 5, 6, 7, 8, 9, NONE, NONE, 12, NONE, NONE, NONE
  };

  private HostRegisters() {}

  /** The host register of one of the guest's, or {@link #NONE}. */
  static int of(int guest) {
    return HOST[guest];
  }
}

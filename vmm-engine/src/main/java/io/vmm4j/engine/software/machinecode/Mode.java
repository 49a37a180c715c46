package io.vmm4j.engine.software.machinecode;

/** What code is made for: a kind of privilege, and whether SSE instructions may be executed. */
final class Mode {
  /** How many there are. */
  static final int COUNT = 2 * StateBlock.KINDS;

  private Mode() {}

  static int of(int kind, boolean sse) {
    return 2 * kind + (sse ? 1 : 0);
  }

  /** The kind of privilege. */
  static int kind(int mode) {
    return mode >> 1;
  }

  /** Whether SSE instructions may be executed without a look. */
  static boolean sse(int mode) {
    return (mode & 1) != 0;
  }
}

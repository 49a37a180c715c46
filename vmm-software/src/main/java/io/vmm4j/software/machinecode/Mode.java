package io.vmm4j.software.machinecode;

/**
 * What code is made for, as a number: a kind of privilege, whether vector instructions may be
 * executed (SSE, and AVX where the processor has it), whether it is 64-bit code or 32-bit code in
 * flat segments, and for the latter whether FS and GS reach all addresses too.
 */
final class Mode {
  private static final int VECTORS = 1;
  private static final int NARROW = 2;
  private static final int FS = 4;
  private static final int GS = 8;
  private static final int KIND_SHIFT = 4;

  /** How many there are. */
  static final int COUNT = StateBlock.KINDS << KIND_SHIFT;

  private Mode() {}

  /** The mode of 64-bit code. */
  static int wide(int kind, boolean vectors) {
    return kind << KIND_SHIFT | (vectors ? VECTORS : 0);
  }

  /** The mode of 32-bit code. */
  static int narrow(int kind, boolean vectors, boolean fs, boolean gs) {
    return wide(kind, vectors) | NARROW | (fs ? FS : 0) | (gs ? GS : 0);
  }

  /** The same mode with another kind of privilege. */
  static int withKind(int mode, int kind) {
    return kind << KIND_SHIFT | mode & (1 << KIND_SHIFT) - 1;
  }

  /** The kind of privilege. */
  static int kind(int mode) {
    return mode >> KIND_SHIFT;
  }

  /** Whether vector instructions may be executed without a look. */
  static boolean vectors(int mode) {
    return (mode & VECTORS) != 0;
  }

  /** The size of the code in bytes: 8 or 4. */
  static int codeSize(int mode) {
    return (mode & NARROW) != 0 ? 4 : 8;
  }

  /** Whether a segment with a base, FS (4) or GS (5), may be used without a look. */
  static boolean allows(int mode, int segment) {
    return (mode & NARROW) == 0 || (mode & (segment == 4 ? FS : GS)) != 0;
  }
}

package io.vmm4j.api.debug;

/**
 * Where a debugger wants the guest to stand: host state, of which the guest sees nothing and which
 * is in no snapshot.
 *
 * @param kind what it is hit by
 * @param linearAddress the first byte, as a linear address of whatever address space is current
 *     when it is hit
 * @param length of the watched range in bytes, 1 to {@link #MOST_BYTES}; 1 for {@link Kind#EXECUTE}
 */
public record Breakpoint(Kind kind, long linearAddress, int length) {
  /** The longest range that can be watched. */
  public static final int MOST_BYTES = 1 << 16;

  /** What a breakpoint is hit by. */
  public enum Kind {
    /** An instruction that begins there: the vCPU stands before it. */
    EXECUTE,
    /** A load from the range: the vCPU stands after the instruction. */
    READ,
    /**
     * A store to the range, whether or not it changes anything: it stands after the instruction.
     */
    WRITE,
    /** A load or a store. */
    ACCESS
  }

  /** Refuses a length out of range. */
  public Breakpoint {
    int most = kind == Kind.EXECUTE ? 1 : MOST_BYTES;
    if (length < 1 || length > most) {
      throw new IllegalArgumentException(
          "length of a breakpoint: %d is not in 1..%d".formatted(length, most));
    }
  }

  /** Before the instruction at an address. */
  public static Breakpoint at(long linearAddress) {
    return new Breakpoint(Kind.EXECUTE, linearAddress, 1);
  }

  /** After stores to a range. */
  public static Breakpoint onWrite(long linearAddress, int length) {
    return new Breakpoint(Kind.WRITE, linearAddress, length);
  }
}

package io.vmm4j.software.fpu;

/** Unsigned 128-bit helpers: the steps of division and square root. */
public final class Wide {
  private static final long LOW = 0xffff_ffffL;

  private Wide() {}

  /**
   * The quotient of a 128-bit by a 64-bit number (Knuth's algorithm D with two digits of 32 bits).
   *
   * @param hi upper half of the dividend, below {@code divisor}
   * @param lo lower half of the dividend
   * @param divisor with its bit 63 set
   */
  public static long divide(long hi, long lo, long divisor) {
    long upper = divisor >>> 32;
    long lower = divisor & LOW;
    long first = digit(hi, lo >>> 32, upper, lower);
    long rest = (hi << 32 | lo >>> 32) - first * divisor;
    return first << 32 | digit(rest, lo & LOW, upper, lower);
  }

  private static long digit(long hi, long next, long upper, long lower) {
    long q = Long.divideUnsigned(hi, upper);
    long rest = hi - q * upper;
    while (q > LOW || Long.compareUnsigned(q * lower, rest << 32 | next) > 0) {
      q--;
      rest += upper;
      if (rest > LOW) {
        break;
      }
    }
    return q;
  }

  /** The integer square root, rounded down, of a number of at least 2^126. */
  static long squareRoot(long hi, long lo) {
    // The root of the upper half, good to 2^-50, then one step of Newton's, then exactness.
    double estimate = Math.sqrt((hi >>> 11) * 0x1p-53) * 0x1p64;
    long root = estimate >= 0x1p64 ? -1L : (long) (estimate * 0.5) << 1;
    if (root >= 0) {
      root = Long.MIN_VALUE;
    }
    if (Long.compareUnsigned(hi, root) < 0) {
      long quotient = divide(hi, lo, root);
      root = (root >>> 1) + (quotient >>> 1) + (root & quotient & 1);
    }
    while (exceeds(root, hi, lo)) {
      root--;
    }
    while (root != -1L && !exceeds(root + 1, hi, lo)) {
      root++;
    }
    return root;
  }

  private static boolean exceeds(long root, long hi, long lo) {
    long squareHigh = Math.unsignedMultiplyHigh(root, root);
    int order = Long.compareUnsigned(squareHigh, hi);
    return order > 0 || order == 0 && Long.compareUnsigned(root * root, lo) > 0;
  }
}

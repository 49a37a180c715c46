package io.vmm4j.software.cpu;

import java.util.Arrays;

/**
 * Where translations are parts of large pages, of which INVLPG forgets all parts (Intel SDM volume
 * 3, 4.10.4.1). It may take another address for one of them.
 */
final class LargePages {
  private static final int MIDDLE_BITS = 21;
  private static final int HUGE_BITS = 30;
  private static final int SLOTS = 4096;

  private final long[] middle = new long[SLOTS / Long.SIZE];
  private final long[] huge = new long[SLOTS / Long.SIZE];

  private static int slot(long region) {
    return (int) (region * 0x9E37_79B9_7F4A_7C15L >>> 52);
  }

  private static boolean has(long[] set, long region) {
    int slot = slot(region);
    return (set[slot >>> 6] & 1L << slot) != 0;
  }

  private static void add(long[] set, long region) {
    int slot = slot(region);
    set[slot >>> 6] |= 1L << slot;
  }

  /** Notes the page of an address, of 2^21, 2^22 or 2^30 bytes. */
  void add(long linear, int bits) {
    if (bits >= HUGE_BITS) {
      add(huge, linear >>> HUGE_BITS);
      return;
    }
    long first = (linear & -1L << bits) >>> MIDDLE_BITS;
    for (long region = first; region < first + (1L << bits - MIDDLE_BITS); region++) {
      add(middle, region);
    }
  }

  /** Whether an address may lie in one of them. */
  boolean mayHold(long linear) {
    return has(middle, linear >>> MIDDLE_BITS) || has(huge, linear >>> HUGE_BITS);
  }

  /** Forgets all. */
  void clear() {
    Arrays.fill(middle, 0);
    Arrays.fill(huge, 0);
  }
}

package io.vmm4j.software.cpu;

import java.util.Arrays;

/**
 * Translations of instruction fetches of one vCPU: all pages since the last flush, however many.
 * None is evicted, so that how often the page tables are walked, which sets accessed bits, follows
 * from the instructions executed and not from what has been decoded or translated.
 */
final class FetchPages {
  /** What {@link #find} gives for a page that is not known. */
  static final long UNKNOWN = -1;

  private static final int FIRST_CAPACITY = 256;

  private long[] keys = new long[FIRST_CAPACITY];
  private long[] offsets = new long[FIRST_CAPACITY];
  private int count;
  private int[] slots = new int[4 * FIRST_CAPACITY];

  /** A linear page with a kind of privilege in its low bits. */
  private static long key(long linear, int kind) {
    return linear & Tlb.PAGE | kind;
  }

  private int slot(long key) {
    long mixed = key * 0x9E37_79B9_7F4A_7C15L;
    return (int) (mixed >>> 40) & slots.length - 1;
  }

  /** The offset in the segment of a linear page, or {@link #UNKNOWN}. */
  long find(long linear, int kind) {
    long key = key(linear, kind);
    int slot = slot(key);
    int n;
    while ((n = slots[slot]) != 0) {
      if (keys[n - 1] == key) {
        return offsets[n - 1];
      }
      slot = slot + 1 & slots.length - 1;
    }
    return UNKNOWN;
  }

  /** Enters a page that is not known yet. */
  void add(long linear, int kind, long offsetPage) {
    if (count == keys.length) {
      keys = Arrays.copyOf(keys, 2 * count);
      offsets = Arrays.copyOf(offsets, 2 * count);
      slots = new int[8 * count];
      for (int n = 1; n <= count; n++) {
        link(n);
      }
    }
    keys[count] = key(linear, kind);
    offsets[count] = offsetPage;
    count++;
    link(count);
  }

  private void link(int n) {
    int slot = slot(keys[n - 1]);
    while (slots[slot] != 0) {
      slot = slot + 1 & slots.length - 1;
    }
    slots[slot] = n;
  }

  /** Forgets all. */
  void flush() {
    if (count != 0) {
      count = 0;
      Arrays.fill(slots, 0);
    }
  }

  /** Whether a page is known for any kind of privilege. */
  private boolean knows(long linear) {
    for (int kind = Mmu.SUPERVISOR; kind <= Mmu.USER; kind++) {
      if (find(linear, kind) != UNKNOWN) {
        return true;
      }
    }
    return false;
  }

  /** Forgets one page; gives whether it was known. */
  boolean flushPage(long linear) {
    if (!knows(linear)) {
      return false;
    }
    int kept = 0;
    for (int n = 0; n < count; n++) {
      if (((keys[n] ^ linear) & Tlb.PAGE) != 0) {
        keep(n, kept++);
      }
    }
    relink(kept);
    return true;
  }

  private void keep(int from, int to) {
    keys[to] = keys[from];
    offsets[to] = offsets[from];
  }

  private void relink(int kept) {
    count = kept;
    Arrays.fill(slots, 0);
    for (int n = 1; n <= count; n++) {
      link(n);
    }
  }
}

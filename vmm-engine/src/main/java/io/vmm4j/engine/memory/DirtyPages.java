package io.vmm4j.engine.memory;

import java.util.Arrays;
import java.util.BitSet;
import java.util.concurrent.atomic.AtomicLongArray;

/** Which pages of a machine's memory have been written since last asked. Any thread. */
public final class DirtyPages {
  private static final int PAGE_SHIFT = 12;

  private final AtomicLongArray words;

  /** No page written. */
  DirtyPages(long bytes) {
    words = new AtomicLongArray(Math.toIntExact((bytes + 4095 >>> PAGE_SHIFT) + 63 >>> 6));
  }

  /** Notes that bytes of the machine's one segment have been or are about to be written. */
  public void mark(long offset, long length) {
    long last = offset + length - 1 >>> PAGE_SHIFT;
    for (long page = offset >>> PAGE_SHIFT; page <= last; page++) {
      int word = (int) (page >>> 6);
      long bit = 1L << page;
      // Nearly always set already: a plain look costs less than an atomic change.
      if ((words.get(word) & bit) == 0) {
        words.getAndUpdate(word, bits -> bits | bit);
      }
    }
  }

  /** Whether a page has been written. */
  boolean isMarked(int page) {
    return (words.get(page >>> 6) & 1L << page) != 0;
  }

  /** Whether one of the pages has been written, or one beside them. */
  boolean isAnyMarked(int first, int end) {
    int last = Math.min(words.length() - 1, end - 1 >>> 6);
    for (int word = first >>> 6; word <= last; word++) {
      if (words.get(word) != 0) {
        return true;
      }
    }
    return false;
  }

  /** The pages written. */
  BitSet look() {
    long[] seen = new long[words.length()];
    Arrays.setAll(seen, words::get);
    return BitSet.valueOf(seen);
  }

  /** The pages written, which are forgotten here. */
  BitSet take() {
    long[] taken = new long[words.length()];
    for (int i = 0; i < taken.length; i++) {
      taken[i] = words.get(i) == 0 ? 0 : words.getAndSet(i, 0);
    }
    return BitSet.valueOf(taken);
  }
}

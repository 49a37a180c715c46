package io.vmm4j.software.cpu;

import java.util.Arrays;

/**
 * For each page of a machine's memory, by which entry of a vCPU's data translations it can be
 * stored to, so that a page is taken out of the fast write path without a look at all entries. An
 * entry is the same in all address spaces. It may have been forgotten since.
 */
final class WritableEntries {
  /** No entry. */
  static final int NONE = 0;

  /** Several entries. */
  static final int SEVERAL = -1;

  private static final int CHUNK_BITS = 12;
  private static final int CHUNK = 1 << CHUNK_BITS;
  private static final int[] EMPTY = {};

  private final int[][] chunks;

  WritableEntries(long memoryBytes) {
    long pages = memoryBytes + 4095 >>> 12;
    chunks = new int[Math.toIntExact(pages + CHUNK - 1 >>> CHUNK_BITS)][];
    Arrays.fill(chunks, EMPTY);
  }

  /** An entry of a kind of privilege, as a number: neither {@link #NONE} nor {@link #SEVERAL}. */
  static int entry(int kind, int index) {
    return kind * Tlb.ENTRIES + index + 1;
  }

  /** The kind of an entry. */
  static int kind(int entry) {
    return (entry - 1) / Tlb.ENTRIES;
  }

  /** The index of an entry. */
  static int index(int entry) {
    return (entry - 1) % Tlb.ENTRIES;
  }

  /** The entry of a page of the machine's memory. */
  int of(long offsetPage) {
    long page = offsetPage >>> 12;
    int[] chunk = chunks[(int) (page >>> CHUNK_BITS)];
    return chunk.length == 0 ? NONE : chunk[(int) page & CHUNK - 1];
  }

  /** Sets the entry of a page. */
  void set(long offsetPage, int entry) {
    long page = offsetPage >>> 12;
    int at = (int) (page >>> CHUNK_BITS);
    if (chunks[at].length == 0) {
      if (entry == NONE) {
        return;
      }
      chunks[at] = new int[CHUNK];
    }
    chunks[at][(int) page & CHUNK - 1] = entry;
  }
}

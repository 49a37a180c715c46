package io.vmm4j.snapshot;

import java.util.BitSet;

/**
 * Which pages of a memory region may differ from those of the parent. To name too many costs time
 * and room, to name too few makes a delta that is wrong. Used by several threads at a time.
 */
@FunctionalInterface
public interface ChangedPages {

  /** What {@link #next} gives where nothing follows. */
  long NONE = Long.MAX_VALUE;

  /**
   * The first page from {@code page} on that may differ.
   *
   * @param page the number of a page within the region, from 0: the page at {@code page * 4096}
   * @return its number, or one beyond the region, such as {@link #NONE}
   */
  long next(long page);

  /** Every page may differ. */
  static ChangedPages all() {
    return page -> page;
  }

  /** The pages whose bits are set. The set must not change as long as this is used. */
  static ChangedPages of(BitSet pages) {
    return page -> {
      int next = page > Integer.MAX_VALUE ? -1 : pages.nextSetBit((int) page);
      return next < 0 ? NONE : next;
    };
  }
}

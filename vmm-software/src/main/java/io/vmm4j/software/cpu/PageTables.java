package io.vmm4j.software.cpu;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The pages of a machine's memory that are page tables of 4-level paging, from which translations
 * followed that are still known. Stores to them go the slow way, and those that change an entry
 * which was present void what followed from it. So translations are what the tables say, and a load
 * of CR3, which is to forget them, may keep them (Intel SDM volume 3, 4.10.2 and 4.10.4: a
 * processor may have a translation at any time that the tables give then).
 *
 * <p>Entries that were not present may change as they like, for no translation followed from them.
 * Nor does it matter that the processor itself sets accessed and dirty bits.
 *
 * <p>It is for vCPUs that take turns on one thread.
 */
final class PageTables {
  /** Levels of 4-level paging. */
  static final int LEVELS = 4;

  private static final int PRESENT = 1;
  private static final int ENTRY_BYTES = 8;

  /** A table, as an address space uses it, at a level and for a region of linear addresses. */
  private record Use(AddressSpace space, int level, long region) {}

  /** Is told what is void. */
  interface Listener {
    /** A page of an address space leads elsewhere. */
    void changed(AddressSpace space, long linear);

    /** Much of an address space leads elsewhere. */
    void changed(AddressSpace space);

    /** Stores to a page of the machine's memory go the slow way from now on. */
    void protect(long offsetPage);
  }

  private final boolean watches;
  private final List<Listener> listeners = new ArrayList<>();
  private final Map<AddressSpace, Listener> owners = new HashMap<>();
  private final long[] watched;
  private final Map<Integer, List<Use>> uses = new HashMap<>();
  private final Map<AddressSpace, List<Integer>> pages = new HashMap<>();

  /**
   * None yet.
   *
   * @param memoryBytes the size of the machine's memory
   * @param watches whether page tables are watched at all
   */
  PageTables(long memoryBytes, boolean watches) {
    this.watches = watches;
    int words = Math.toIntExact((memoryBytes + 4095 >>> 12) + 63 >>> 6);
    this.watched = new long[watches ? words : 0];
  }

  /** Whether page tables are watched, so that address spaces can outlive a change of CR3. */
  boolean watches() {
    return watches;
  }

  /** A vCPU joins. */
  void add(Listener listener) {
    listeners.add(listener);
  }

  /** An address space joins, which is a listener's. */
  void add(AddressSpace space, Listener owner) {
    owners.put(space, owner);
    pages.put(space, new ArrayList<>());
  }

  /** The beginning of the linear addresses that a table of a level leads to. */
  static long region(long linear, int level) {
    return linear & -1L << 12 + 9 * level;
  }

  /** Whether stores to the page of an offset into the machine's memory have to be told. */
  boolean isWatched(long offset) {
    int page = (int) (offset >>> 12);
    return watches && (watched[page >>> 6] & 1L << page) != 0;
  }

  /**
   * An address space has a translation that follows from a table.
   *
   * @param offset of the table in the machine's memory, or -1 if it lies outside of it
   * @return whether it is watched
   */
  boolean use(AddressSpace space, long offset, int level, long region) {
    if (!watches || offset < 0) {
      return false;
    }
    int page = (int) (offset >>> 12);
    List<Use> list = uses.computeIfAbsent(page, p -> new ArrayList<>(1));
    for (Use use : list) {
      if (use.space == space && use.level == level && use.region == region) {
        return true;
      }
    }
    list.add(new Use(space, level, region));
    pages.get(space).add(page);
    if ((watched[page >>> 6] & 1L << page) == 0) {
      watched[page >>> 6] |= 1L << page;
      for (Listener listener : listeners) {
        listener.protect((long) page << 12);
      }
    }
    return true;
  }

  /** An address space has no translations any more. */
  void release(AddressSpace space) {
    List<Integer> list = pages.get(space);
    if (list == null || list.isEmpty()) {
      return;
    }
    for (int page : list) {
      List<Use> ofPage = uses.get(page);
      if (ofPage != null && ofPage.removeIf(use -> use.space == space) && ofPage.isEmpty()) {
        uses.remove(page);
        watched[page >>> 6] &= ~(1L << page);
      }
    }
    list.clear();
  }

  /**
   * An entry of a watched table was stored to by an instruction.
   *
   * @param offset of the entry in the machine's memory
   * @param before what it was
   * @param after what it is
   */
  void stored(long offset, long before, long after) {
    if ((before & PRESENT) == 0 || before == after) {
      return;
    }
    int page = (int) (offset >>> 12);
    long index = (offset & 0xFFF) / ENTRY_BYTES;
    for (Use use : List.copyOf(uses.getOrDefault(page, List.of()))) {
      if (use.level == 1) {
        owner(use.space).changed(use.space, use.region | index << 12);
      } else {
        owner(use.space).changed(use.space);
      }
    }
  }

  /** Bytes were written by others than vCPUs, or in a way that does not tell what they were. */
  void written(long offset, long length) {
    if (!watches || uses.isEmpty()) {
      return;
    }
    for (long at = offset & -0x1000; at < offset + length; at += 0x1000) {
      if (at >>> 12 >= (long) watched.length << 6) {
        return;
      }
      if (isWatched(at)) {
        for (Use use : List.copyOf(uses.getOrDefault((int) (at >>> 12), List.of()))) {
          owner(use.space).changed(use.space);
        }
      }
    }
  }

  private Listener owner(AddressSpace space) {
    Listener owner = owners.get(space);
    if (owner == null) {
      throw new IllegalStateException("an address space of nobody");
    }
    return owner;
  }
}

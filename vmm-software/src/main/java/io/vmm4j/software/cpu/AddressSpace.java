package io.vmm4j.software.cpu;

/**
 * What one vCPU has found in the page tables of one CR3. It outlives a change of CR3 as long as the
 * page tables say the same: see {@link PageTables}.
 */
final class AddressSpace {
  /** The CR3 of no address space. */
  static final long NO_ROOT = -1;

  /** Its place among those of its vCPU. */
  final int number;

  /** Data translations. */
  final Tlb tlb;

  /** Translations of instruction fetches from pages that are not global. */
  final FetchPages fetches = new FetchPages();

  /** The CR3 that it belongs to, or {@link #NO_ROOT}. */
  long root = NO_ROOT;

  /** When it was entered last, in changes of CR3. */
  long entered;

  private final PageTables tables;

  /** Whether each page table that a translation followed from is watched. */
  private boolean complete = true;

  private long lastTable = -1;
  private long lastRegion;

  AddressSpace(int number, int kinds, PageTables tables) {
    this.number = number;
    this.tlb = new Tlb(number, kinds);
    this.tables = tables;
  }

  /** Whether all translations of pages that are not global follow from the page tables still. */
  boolean isComplete() {
    return complete;
  }

  /** Forgets which page tables its translations followed from: they have been forgotten. */
  void forgetTables() {
    tables.release(this);
    complete = true;
    lastTable = -1;
  }

  /**
   * A translation followed from a table of each level down to a last one.
   *
   * @param linear an address
   * @param physical the guest physical addresses of the tables by level
   * @param level of the last one, 1 to 4
   */
  void followed(long linear, long[] physical, int level, PhysicalAccess memory) {
    long region = PageTables.region(linear, level);
    if (physical[level] == lastTable && region == lastRegion) {
      return;
    }
    lastTable = physical[level];
    lastRegion = region;
    for (int each = level; each <= PageTables.LEVELS; each++) {
      long offset = memory.offsetOf(physical[each]);
      complete &= tables.use(this, offset, each, PageTables.region(linear, each));
    }
  }

  /** A translation followed from tables that are not watched. */
  void followedOther() {
    complete = false;
  }
}

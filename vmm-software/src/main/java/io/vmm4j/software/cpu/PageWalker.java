package io.vmm4j.software.cpu;

import io.vmm4j.x86.ControlBits;

/**
 * Walks page tables (Intel SDM volume 3, chapter 4): none, 32-bit, PAE and 4-level paging with all
 * page sizes, access rights, protection keys, accessed and dirty bits, and the error codes of #PF.
 */
final class PageWalker {
  private static final long PRESENT = 1;
  private static final long WRITABLE = 2;
  private static final long USER = 4;
  private static final long ACCESSED = 0x20;
  private static final long DIRTY = 0x40;
  private static final long LARGE = 0x80;
  private static final long GLOBAL = 0x100;
  private static final long NO_EXECUTE = 1L << 63;

  /** The physical address width: what CPUID leaf 0x80000008 says. */
  static final int PHYSICAL_BITS = 40;

  private static final long FRAME = (1L << PHYSICAL_BITS) - 1 & ~0xFFFL;
  private static final long RESERVED_HIGH = (1L << 52) - 1 & ~((1L << PHYSICAL_BITS) - 1);

  private static final int ERROR_PRESENT = 1;
  private static final int ERROR_WRITE = 2;
  private static final int ERROR_USER = 4;
  private static final int ERROR_RESERVED = 8;
  private static final int ERROR_FETCH = 16;
  private static final int ERROR_PROTECTION_KEY = 32;
  private static final int KEY_SHIFT = 59;
  private static final int KEY_ACCESS_DISABLE = 1;
  private static final int KEY_WRITE_DISABLE = 2;

  /** What a walk gives if another vCPU has changed an entry before its bits were set. */
  private static final long AGAIN = -1;

  private final Cpu cpu;
  private final PhysicalAccess memory;
  private final AddressSpaces spaces;
  private final long[] tables = new long[PageTables.LEVELS + 1];
  private boolean global;

  PageWalker(Cpu cpu, PhysicalAccess memory, AddressSpaces spaces) {
    this.cpu = cpu;
    this.memory = memory;
    this.spaces = spaces;
  }

  /**
   * The guest physical address; sets accessed and dirty bits.
   *
   * @param access {@link Mmu#READ}, {@link Mmu#WRITE} or {@link Mmu#FETCH}
   * @param user whether the access has user privilege
   * @param smapOff whether EFLAGS.AC lifts SMAP
   */
  long translate(long linear, int access, boolean user, boolean smapOff) {
    if ((cpu.cr0 & 0x8000_0000L) == 0) {
      global = false;
      return linear & 0xFFFFFFFFL;
    }
    if (cpu.longMode && linear << 16 >> 16 != linear) {
      throw cpu.raiseNonCanonical();
    }
    long at;
    do {
      at = walkOnce(linear, access, user, smapOff);
    } while (at == AGAIN);
    return at;
  }

  private long walkOnce(long linear, int access, boolean user, boolean smapOff) {
    if (cpu.longMode) {
      return walk(linear, access, user, smapOff, 4);
    }
    return (cpu.cr4 & 0x20) != 0
        ? walk(linear & 0xFFFFFFFFL, access, user, smapOff, 3)
        : walk32(linear & 0xFFFFFFFFL, access, user, smapOff);
  }

  /** Whether the page translated last is global: a change of CR3 does not affect it. */
  boolean wasGlobal() {
    return global;
  }

  private boolean isGlobal(long leaf) {
    return (leaf & GLOBAL) != 0 && (cpu.cr4 & ControlBits.CR4_PGE) != 0;
  }

  private RuntimeException fault(long linear, int access, boolean user, int bits) {
    int error = bits;
    if (access == Mmu.WRITE) {
      error |= ERROR_WRITE;
    }
    if (user) {
      error |= ERROR_USER;
    }
    boolean nx = (cpu.efer & 0x800) != 0 && (cpu.cr4 & 0x20) != 0;
    if (access == Mmu.FETCH && (nx || (cpu.cr4 & 1 << 20) != 0)) {
      error |= ERROR_FETCH;
    }
    throw cpu.raisePageFault(linear, error);
  }

  /** PAE (3 levels, the first one of 4 entries) and 4-level paging. */
  private long walk(long linear, int access, boolean user, boolean smapOff, int levels) {
    boolean nxEnabled = (cpu.efer & 0x800) != 0;
    long table = levels == 4 ? cpu.cr3 & FRAME : cpu.cr3 & 0xFFFFFFE0L;
    long rights = WRITABLE | USER;
    long noExecute = 0;
    for (int level = levels; ; level--) {
      int shift = 12 + 9 * (level - 1);
      long indexMask = levels == 3 && level == 3 ? 3 : 511;
      long at = table + ((linear >>> shift & indexMask) << 3);
      tables[level] = table;
      long entry = memory.read(at, 8);
      if ((entry & PRESENT) == 0) {
        throw fault(linear, access, user, 0);
      }
      boolean pdpte = levels == 3 && level == 3;
      long reserved = RESERVED_HIGH;
      if (levels == 3) {
        reserved |= 0x7FF0_0000_0000_0000L;
      }
      if (!nxEnabled || pdpte) {
        reserved |= NO_EXECUTE;
      }
      if (pdpte) {
        reserved |= 0x1E6;
      }
      boolean leaf = level == 1 || (entry & LARGE) != 0 && level < levels;
      if (level == 4) {
        reserved |= LARGE;
      }
      if (leaf && level > 1) {
        reserved |= (1L << shift) - 1 & ~0x1FFFL;
      }
      if ((entry & reserved) != 0) {
        throw fault(linear, access, user, ERROR_PRESENT | ERROR_RESERVED);
      }
      if (!pdpte) {
        rights &= entry;
        noExecute |= entry & NO_EXECUTE;
      }
      if (leaf) {
        boolean keyDenies = levels == 4 && keyDenies(entry, access, user, (rights & USER) != 0);
        check(linear, access, user, smapOff, rights, noExecute != 0, keyDenies);
        long updated = entry | ACCESSED | (access == Mmu.WRITE ? DIRTY : 0);
        if (updated != entry && !memory.compareAndSet(at, 8, entry, updated)) {
          return AGAIN;
        }
        global = isGlobal(entry);
        note(linear, levels, level, shift);
        long offsetMask = (1L << shift) - 1;
        return entry & FRAME & ~offsetMask | linear & offsetMask;
      }
      if (!pdpte
          && (entry & ACCESSED) == 0
          && !memory.compareAndSet(at, 8, entry, entry | ACCESSED)) {
        return AGAIN;
      }
      table = entry & FRAME;
    }
  }

  /** Says what a translation followed from. */
  private void note(long linear, int levels, int level, int shift) {
    if (level > 1) {
      spaces.foundLarge(linear, shift);
    }
    if (levels != PageTables.LEVELS) {
      spaces.followedOther();
    } else if (!global) {
      spaces.followed(linear, tables, level);
    }
  }

  /** 32-bit paging with 4 KiB and (CR4.PSE) 4 MiB pages. */
  private long walk32(long linear, int access, boolean user, boolean smapOff) {
    spaces.followedOther();
    long directoryAt = (cpu.cr3 & 0xFFFFF000L) + ((linear >>> 22) << 2);
    long directory = memory.read(directoryAt, 4);
    if ((directory & PRESENT) == 0) {
      throw fault(linear, access, user, 0);
    }
    if ((directory & LARGE) != 0 && (cpu.cr4 & 0x10) != 0) {
      if ((directory & 0x20_0000) != 0) {
        throw fault(linear, access, user, ERROR_PRESENT | ERROR_RESERVED);
      }
      check(linear, access, user, smapOff, directory, false, false);
      if (!update(directoryAt, directory, access)) {
        return AGAIN;
      }
      global = isGlobal(directory);
      spaces.foundLarge(linear, 22);
      long high = (directory >>> 13 & 0xFF) << 32;
      return high | directory & 0xFFC0_0000L | linear & 0x3F_FFFF;
    }
    long tableAt = (directory & 0xFFFFF000L) + ((linear >>> 12 & 0x3FF) << 2);
    long entry = memory.read(tableAt, 4);
    if ((entry & PRESENT) == 0) {
      throw fault(linear, access, user, 0);
    }
    check(linear, access, user, smapOff, directory & entry, false, false);
    if ((directory & ACCESSED) == 0
            && !memory.compareAndSet(directoryAt, 4, directory, directory | ACCESSED)
        || !update(tableAt, entry, access)) {
      return AGAIN;
    }
    global = isGlobal(entry);
    return entry & 0xFFFFF000L | linear & 0xFFF;
  }

  /** Sets an entry's bits; false if another vCPU has changed it meanwhile. */
  private boolean update(long at, long entry, int access) {
    long updated = entry | ACCESSED | (access == Mmu.WRITE ? DIRTY : 0);
    return updated == entry || memory.compareAndSet(at, 4, entry, updated);
  }

  /** Whether the key of a page's entry forbids a data access (SDM volume 3, 4.6.2). */
  private boolean keyDenies(long entry, int access, boolean user, boolean userPage) {
    long enabled = userPage ? ControlBits.CR4_PKE : ControlBits.CR4_PKS;
    if ((cpu.cr4 & enabled) == 0 || access == Mmu.FETCH) {
      return false;
    }
    int key = (int) (entry >>> KEY_SHIFT) & 15;
    int keyRights = (userPage ? cpu.pkru : cpu.pkrs) >>> 2 * key;
    boolean writes = access == Mmu.WRITE && (user || (cpu.cr0 & ControlBits.CR0_WP) != 0);
    return (keyRights & KEY_ACCESS_DISABLE) != 0 || writes && (keyRights & KEY_WRITE_DISABLE) != 0;
  }

  /** The access rights of SDM volume 3, 4.6. */
  private void check(
      long linear,
      int access,
      boolean user,
      boolean smapOff,
      long rights,
      boolean noExecute,
      boolean keyDenies) {
    boolean userPage = (rights & USER) != 0;
    boolean allowed;
    if (user) {
      allowed =
          userPage
              && (access != Mmu.WRITE || (rights & WRITABLE) != 0)
              && (access != Mmu.FETCH || !noExecute);
    } else if (access == Mmu.FETCH) {
      allowed = !noExecute && !(userPage && (cpu.cr4 & 1 << 20) != 0);
    } else {
      boolean smap = userPage && (cpu.cr4 & 1 << 21) != 0 && !smapOff;
      boolean readOnly =
          access == Mmu.WRITE && (rights & WRITABLE) == 0 && (cpu.cr0 & 0x10000) != 0;
      allowed = !smap && !readOnly;
    }
    if (!allowed || keyDenies) {
      int key = keyDenies ? ERROR_PROTECTION_KEY : 0;
      throw fault(linear, access, user, ERROR_PRESENT | key);
    }
  }
}

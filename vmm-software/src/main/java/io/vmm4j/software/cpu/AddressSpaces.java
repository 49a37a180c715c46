package io.vmm4j.software.cpu;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The translations of one vCPU: those of the last address spaces, and those that are global. One
 * address space is the present one.
 *
 * <p>Each address space has the global pages too, as far as they were known when it began or were
 * used in it since.
 */
final class AddressSpaces implements PageTables.Listener {
  /** How many are kept; the one that was entered longest ago goes first. */
  private static final int MOST = 16;

  private final CodeCache code;
  private final PhysicalAccess memory;
  private final PageTables tables;
  private final int kinds;
  private final WritableEntries writable;
  private final LargePages largePages = new LargePages();
  private final FetchPages globalFetches = new FetchPages();
  private final List<AddressSpace> spaces = new ArrayList<>();
  private AddressSpace current;
  private long entries;
  private @Nullable TlbCopy copy;
  private @Nullable TranslationListener listener;

  AddressSpaces(CodeCache code, PhysicalAccess memory, long memoryBytes, int kinds) {
    this.code = code;
    this.memory = memory;
    this.tables = code.pageTables();
    this.kinds = kinds;
    this.writable = new WritableEntries(memoryBytes);
    tables.add(this);
    this.current = add();
  }

  private AddressSpace add() {
    AddressSpace space = new AddressSpace(spaces.size(), kinds, tables);
    spaces.add(space);
    tables.add(space, this);
    if (copy != null) {
      space.tlb.copyTo(copy);
    }
    return space;
  }

  /** The present one. */
  AddressSpace current() {
    return current;
  }

  /** Translations of instruction fetches from global pages. */
  FetchPages globalFetches() {
    return globalFetches;
  }

  /** Has a copy kept of all data translations from now on; they are forgotten. */
  void copyTo(TlbCopy newCopy) {
    copy = newCopy;
    for (AddressSpace space : spaces) {
      space.tlb.copyTo(newCopy);
    }
  }

  /** Has somebody told from now on. */
  void onForgotten(TranslationListener newListener) {
    listener = newListener;
    newListener.entered(current.number);
  }

  // ---- CR3 ----

  /** CR3 is loaded: translations of pages that are not global follow from its tables now. */
  void rootChanged(long before, long root) {
    current.root = before;
    if (!tables.watches() || !current.isComplete()) {
      forgetNonGlobal(current);
    }
    if (!tables.watches() || root == before) {
      return;
    }
    AddressSpace next = find(root);
    next.entered = ++entries;
    current = next;
    code.forgetNonGlobalTranslations();
    if (listener != null) {
      listener.entered(next.number);
    }
  }

  private AddressSpace find(long root) {
    AddressSpace oldest = null;
    for (AddressSpace space : spaces) {
      if (space.root == root && space != current) {
        return space;
      }
      if (space != current && (oldest == null || space.entered < oldest.entered)) {
        oldest = space;
      }
    }
    AddressSpace space;
    if (oldest == null || spaces.size() < MOST) {
      space = add();
    } else {
      space = oldest;
      forget(space);
    }
    space.root = root;
    space.tlb.copyGlobals(current.tlb);
    if (listener != null) {
      listener.copiedGlobals(current.number, space.number);
    }
    return space;
  }

  // ---- what was found ----

  /**
   * A translation of a page that is not global followed from tables of 4-level paging; see {@link
   * AddressSpace#followed}.
   */
  void followed(long linear, long[] physical, int level) {
    current.followed(linear, physical, level, memory);
  }

  /** A translation followed from tables that are not watched. */
  void followedOther() {
    current.followedOther();
  }

  /** A translation is part of a page of 2 MiB or more, of a number of bits. */
  void foundLarge(long linear, int bits) {
    largePages.add(linear, bits);
  }

  /** A page of the segment can be stored to by an entry of the present address space. */
  void canStore(int kind, long linear, long offsetPage) {
    int index = Tlb.index(linear) / Tlb.WORDS;
    int entry = WritableEntries.entry(kind, index);
    int known = writable.of(offsetPage);
    if (known != entry && known != WritableEntries.SEVERAL) {
      boolean another = known != WritableEntries.NONE && isWritable(known, offsetPage);
      writable.set(offsetPage, another ? WritableEntries.SEVERAL : entry);
    }
  }

  private boolean isWritable(int entry, long offsetPage) {
    for (AddressSpace space : spaces) {
      if (space.tlb.isWritable(
          WritableEntries.kind(entry), WritableEntries.index(entry), offsetPage)) {
        return true;
      }
    }
    return false;
  }

  // ---- upkeep ----

  @Override
  public void protect(long offsetPage) {
    int entry = writable.of(offsetPage);
    if (entry == WritableEntries.NONE) {
      return;
    }
    for (AddressSpace space : spaces) {
      if (entry == WritableEntries.SEVERAL) {
        space.tlb.forgetWritable(offsetPage);
      } else {
        space.tlb.forgetWritable(
            WritableEntries.kind(entry), WritableEntries.index(entry), offsetPage);
      }
    }
    writable.set(offsetPage, WritableEntries.NONE);
  }

  /** Makes the next store to each page miss. */
  void forgetWritable() {
    for (AddressSpace space : spaces) {
      space.tlb.forgetWritable();
    }
  }

  /** Forgets every translation. */
  void flush() {
    for (AddressSpace space : spaces) {
      forget(space);
    }
    globalFetches.flush();
    largePages.clear();
    code.forgetTranslations();
  }

  /** Forgets the translations of the page of an address, however large it is. */
  void flushPage(long linear) {
    if (largePages.mayHold(linear)) {
      flush();
      return;
    }
    boolean global = globalFetches.flushPage(linear);
    for (AddressSpace space : spaces) {
      space.tlb.flushPage(linear);
      if ((space.fetches.flushPage(linear) || global) && listener != null) {
        listener.forgottenPage(space.number, linear);
      }
    }
    code.forgetTranslations();
  }

  @Override
  public void changed(AddressSpace space, long linear) {
    space.tlb.flushPage(linear);
    if (space.fetches.flushPage(linear)) {
      if (listener != null) {
        listener.forgottenPage(space.number, linear);
      }
      if (space == current) {
        code.forgetNonGlobalTranslations();
      }
    }
  }

  @Override
  public void changed(AddressSpace space) {
    forgetNonGlobal(space);
  }

  private void forget(AddressSpace space) {
    space.tlb.flush();
    space.fetches.flush();
    space.forgetTables();
    if (listener != null) {
      listener.forgotten(space.number, false);
    }
  }

  private void forgetNonGlobal(AddressSpace space) {
    space.tlb.flushNonGlobal();
    space.fetches.flush();
    space.forgetTables();
    if (listener != null) {
      listener.forgotten(space.number, true);
    }
    if (space == current) {
      code.forgetNonGlobalTranslations();
    }
  }
}

package io.vmm4j.software.cpu;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The data translations of an address space of one vCPU: for each kind of privilege a direct-mapped
 * table by linear page. Instruction fetches have {@link FetchPages}.
 *
 * <p>A table is one {@code long[]} with four words for each entry: the tags for reading and writing
 * (the linear page, or {@link #NONE}), whether the page is global, and the addend that turns a
 * linear address into an offset in the machine's memory segment. A log of the entries filled makes
 * a flush as cheap as what was filled since the last one.
 *
 * <p>A {@link TlbCopy} sees each change of an entry, for code that can't read a Java array.
 */
final class Tlb {
  /** Entries of a table; 8,192 made flushes dear, 512 cost up to 15 % in misses. */
  static final int ENTRIES = 2048;

  /** Words of an entry. */
  static final int WORDS = 4;

  /** In an entry: the tag for loads. */
  static final int READ_TAG = Mmu.READ;

  /** In an entry: the tag for stores. */
  static final int WRITE_TAG = Mmu.WRITE;

  /** In an entry: 1 if the page is global. */
  private static final int GLOBAL = 2;

  /** In an entry: linear address to offset in the segment. */
  static final int ADDEND = 3;

  /** The tag that no page has. */
  static final long NONE = 1;

  static final long PAGE = ~0xFFFL;

  private static final int INDEX_MASK = ENTRIES - 1;

  private final int space;
  private final long[][] tables;
  private final FillLog[] filled;
  private @Nullable TlbCopy copy;

  Tlb(int space, int kinds) {
    this.space = space;
    tables = new long[kinds][WORDS * ENTRIES];
    filled = new FillLog[kinds];
    for (int kind = 0; kind < kinds; kind++) {
      Arrays.fill(tables[kind], NONE);
      filled[kind] = new FillLog(ENTRIES);
    }
  }

  /** Has a copy kept from now on; all entries are forgotten. */
  void copyTo(TlbCopy newCopy) {
    flush();
    copy = newCopy;
  }

  /** The table of a kind, to look entries up in. */
  long[] table(int kind) {
    return tables[kind];
  }

  /** Where the entry of a linear address begins in its table. */
  static int index(long linear) {
    return ((int) (linear >>> 12) & INDEX_MASK) << 2;
  }

  /** Enters a page for loads, and for stores too if {@code writable}. */
  void fill(int kind, long linear, long addend, boolean writable, boolean global) {
    long page = linear & PAGE;
    int i = index(linear);
    long[] t = tables[kind];
    boolean same = t[i + ADDEND] == addend && (t[i] == page || t[i + WRITE_TAG] == page);
    t[i] = page;
    t[i + WRITE_TAG] = writable || same && t[i + WRITE_TAG] == page ? page : NONE;
    t[i + GLOBAL] = global ? 1 : 0;
    t[i + ADDEND] = addend;
    filled[kind].filled(i / WORDS, global);
    changed(kind, i);
  }

  private void changed(int kind, int i) {
    if (copy != null) {
      long[] t = tables[kind];
      copy.set(space, kind, i / WORDS, t[i], t[i + WRITE_TAG], t[i + ADDEND]);
    }
  }

  private void clear(int kind, int i) {
    long[] t = tables[kind];
    t[i] = NONE;
    t[i + WRITE_TAG] = NONE;
    changed(kind, i);
  }

  /** Forgets all. */
  void flush() {
    for (int kind = 0; kind < tables.length; kind++) {
      int entry;
      while ((entry = filled[kind].take()) >= 0) {
        clear(kind, entry * WORDS);
      }
    }
  }

  /** Forgets the pages that are not global. */
  void flushNonGlobal() {
    for (int kind = 0; kind < tables.length; kind++) {
      int entry;
      while ((entry = filled[kind].takeOther()) >= 0) {
        if (tables[kind][entry * WORDS + GLOBAL] != 1) {
          clear(kind, entry * WORDS);
        }
      }
    }
  }

  /** Forgets one page, global or not. */
  void flushPage(long linear) {
    long page = linear & PAGE;
    int i = index(linear);
    for (int kind = 0; kind < tables.length; kind++) {
      long[] t = tables[kind];
      if (t[i] == page || t[i + WRITE_TAG] == page) {
        clear(kind, i);
      }
    }
  }

  /** Takes over the global pages of another address space; nothing is known yet. */
  void copyGlobals(Tlb from) {
    for (int kind = 0; kind < tables.length; kind++) {
      FillLog log = from.filled[kind];
      for (int n = 0; n < log.globals(); n++) {
        int i = log.at(n) * WORDS;
        long[] source = from.tables[kind];
        if (source[i] != NONE && source[i + GLOBAL] == 1) {
          System.arraycopy(source, i, tables[kind], i, WORDS);
          filled[kind].filled(i / WORDS, true);
          changed(kind, i);
        }
      }
    }
  }

  /** Makes the next store to each page miss. */
  void forgetWritable() {
    for (int kind = 0; kind < tables.length; kind++) {
      for (int n = 0; n < filled[kind].size(); n++) {
        forgetWritable(kind, filled[kind].at(n) * WORDS);
      }
    }
  }

  /** Makes the next store to a page of the segment miss. */
  void forgetWritable(long offsetPage) {
    for (int kind = 0; kind < tables.length; kind++) {
      for (int n = 0; n < filled[kind].size(); n++) {
        forgetWritable(kind, filled[kind].at(n), offsetPage);
      }
    }
  }

  /** Makes the next store by an entry miss if it leads to a page of the segment. */
  void forgetWritable(int kind, int index, long offsetPage) {
    if (isWritable(kind, index, offsetPage)) {
      forgetWritable(kind, index * WORDS);
    }
  }

  /** Whether a page of the segment can be stored to by an entry. */
  boolean isWritable(int kind, int index, long offsetPage) {
    int i = index * WORDS;
    long[] t = tables[kind];
    return t[i + WRITE_TAG] != NONE && (t[i + WRITE_TAG] + t[i + ADDEND] & PAGE) == offsetPage;
  }

  private void forgetWritable(int kind, int i) {
    long[] t = tables[kind];
    if (t[i + WRITE_TAG] != NONE) {
      t[i + WRITE_TAG] = NONE;
      changed(kind, i);
    }
  }
}

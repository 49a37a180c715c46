package io.vmm4j.engine.software.machinecode;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where the code of each place in the machine's memory lies: for each page that holds code, and
 * each {@link Mode}, a table with the offset into code memory for each of its bytes that a block
 * begins at; 0 for the others. They follow physical memory, so that a change of page tables voids
 * the way to a table and none of its contents.
 */
final class CodePages {
  private static final int PAGE_BYTES = 0x1000;
  private static final int TABLE_BYTES = PAGE_BYTES * Integer.BYTES;
  private static final int SLAB_TABLES = 64;

  private final Arena arena = Arena.ofShared();
  private final int pages;

  /** For each mode, if it is used at all, the addresses of the tables of its pages; 0 for none. */
  private final long @Nullable [][] tables;

  private final List<MemorySegment> slabs = new ArrayList<>();
  private int used;
  private long invalidations;

  CodePages(long memoryBytes) {
    pages = Math.toIntExact(memoryBytes + PAGE_BYTES - 1 >>> 12);
    tables = new long[Mode.COUNT][];
  }

  private long table(int mode, int page) {
    long[] ofMode = tables[mode];
    return ofMode != null && ofMode[page] != 0 ? ofMode[page] : newTable(mode, page);
  }

  /** By one vCPU's thread at a time. */
  private synchronized long newTable(int mode, int page) {
    long[] ofMode = tables[mode];
    if (ofMode == null) {
      ofMode = new long[pages];
      tables[mode] = ofMode;
    }
    if (ofMode[page] == 0) {
      if (used == slabs.size() * SLAB_TABLES) {
        slabs.add(arena.allocate((long) SLAB_TABLES * TABLE_BYTES, PAGE_BYTES));
      }
      long at = (long) (used % SLAB_TABLES) * TABLE_BYTES;
      VarHandle.releaseFence(); // it is empty before it is found
      ofMode[page] = slabs.get(used / SLAB_TABLES).address() + at;
      used++;
    }
    return ofMode[page];
  }

  /** The address of the table of the page of an offset into the machine's memory. */
  long tableAddress(int mode, long offset) {
    return table(mode, (int) (offset >>> 12));
  }

  /** The code that begins at an offset into the machine's memory, or 0. */
  int find(int mode, long offset) {
    long[] ofMode = tables[mode];
    long table = ofMode == null ? 0 : ofMode[(int) (offset >>> 12)];
    return table == 0 ? 0 : HostMemory.getInt(table + place(offset));
  }

  /** Sets the code that begins at an offset into the machine's memory; 0 for none. */
  void set(int mode, long offset, int code) {
    HostMemory.putInt(table(mode, (int) (offset >>> 12)) + place(offset), code);
  }

  /** A place has no code any more, for its bytes were written to. */
  void invalidated(int mode, long offset, int code) {
    invalidations++;
    if (find(mode, offset) == code) {
      set(mode, offset, 0);
    }
  }

  /** How often a place has lost its code. */
  long invalidations() {
    return invalidations;
  }

  private static long place(long offset) {
    return (offset & PAGE_BYTES - 1) * Integer.BYTES;
  }

  /** Forgets all code. Tables stay where they are. */
  void clear() {
    slabs.forEach(slab -> slab.fill((byte) 0));
  }

  /** The memory that tables take. */
  long bytes() {
    return (long) slabs.size() * SLAB_TABLES * TABLE_BYTES;
  }

  void close() {
    arena.close();
  }
}

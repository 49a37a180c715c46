package io.vmm4j.engine.software.machinecode;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
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
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;

  private final Arena arena = Arena.ofShared();
  private final int pages;
  private final @Nullable MemorySegment[] @Nullable [] tables;
  private final List<MemorySegment> slabs = new ArrayList<>();
  private int used;

  CodePages(long memoryBytes) {
    pages = Math.toIntExact(memoryBytes + PAGE_BYTES - 1 >>> 12);
    tables = new MemorySegment[Mode.COUNT][];
  }

  private MemorySegment table(int mode, int page) {
    if (tables[mode] == null) {
      tables[mode] = new MemorySegment[pages];
    }
    MemorySegment table = tables[mode][page];
    if (table == null) {
      if (used == slabs.size() * SLAB_TABLES) {
        slabs.add(arena.allocate((long) SLAB_TABLES * TABLE_BYTES, PAGE_BYTES));
      }
      long at = (long) (used % SLAB_TABLES) * TABLE_BYTES;
      table = slabs.get(used / SLAB_TABLES).asSlice(at, TABLE_BYTES);
      used++;
      tables[mode][page] = table;
    }
    return table;
  }

  /** The address of the table of the page of an offset into the machine's memory. */
  long tableAddress(int mode, long offset) {
    return table(mode, (int) (offset >>> 12)).address();
  }

  /** The code that begins at an offset into the machine's memory, or 0. */
  int find(int mode, long offset) {
    MemorySegment[] ofMode = tables[mode];
    MemorySegment table = ofMode == null ? null : ofMode[(int) (offset >>> 12)];
    return table == null ? 0 : table.get(INT, (offset & PAGE_BYTES - 1) * Integer.BYTES);
  }

  /** Sets the code that begins at an offset into the machine's memory; 0 for none. */
  void set(int mode, long offset, int code) {
    table(mode, (int) (offset >>> 12)).set(INT, (offset & PAGE_BYTES - 1) * Integer.BYTES, code);
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

package io.vmm4j.software.machinecode;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.Arrays;
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
  private static final long SLAB_BYTES = (long) SLAB_TABLES * TABLE_BYTES;

  /**
   * The table of a page.
   *
   * @param address where machine code finds it
   */
  private record Table(IntBuffer codes, long address) {}

  private final int pages;

  /** For each mode, if it is used at all, the tables of its pages. */
  private final @Nullable Table @Nullable [][] tables;

  private final List<MemorySegment> slabs = new ArrayList<>();
  private int used;
  private long invalidations;

  CodePages(long memoryBytes) {
    pages = Math.toIntExact(memoryBytes + PAGE_BYTES - 1 >>> 12);
    tables = new Table[Mode.COUNT][];
  }

  private @Nullable Table tableIfThere(int mode, long offset) {
    @Nullable Table[] ofMode = tables[mode];
    return ofMode == null ? null : ofMode[(int) (offset >>> 12)];
  }

  private Table table(int mode, long offset) {
    Table table = tableIfThere(mode, offset);
    return table != null ? table : addTable(mode, offset);
  }

  /** By one vCPU's thread at a time. */
  private synchronized Table addTable(int mode, long offset) {
    Table table = tableIfThere(mode, offset);
    if (table == null) {
      table = newTable();
      if (tables[mode] == null) {
        tables[mode] = new Table[pages];
      }
      VarHandle.releaseFence(); // it is empty before it is found
      tables[mode][(int) (offset >>> 12)] = table;
    }
    return table;
  }

  private Table newTable() {
    if (used == slabs.size() * SLAB_TABLES) {
      slabs.add(Libc.reserve(SLAB_BYTES));
    }
    MemorySegment memory =
        slabs
            .get(used / SLAB_TABLES)
            .asSlice((long) (used % SLAB_TABLES) * TABLE_BYTES, TABLE_BYTES);
    used++;
    return new Table(
        memory.asByteBuffer().order(ByteOrder.nativeOrder()).asIntBuffer(), memory.address());
  }

  /** The address of the table of the page of an offset into the machine's memory. */
  long tableAddress(int mode, long offset) {
    return table(mode, offset).address;
  }

  /** The code that begins at an offset into the machine's memory, or 0. */
  int find(int mode, long offset) {
    Table table = tableIfThere(mode, offset);
    return table == null ? 0 : table.codes.get((int) offset & PAGE_BYTES - 1);
  }

  /** Sets the code that begins at an offset into the machine's memory; 0 for none. */
  void set(int mode, long offset, int code) {
    table(mode, offset).codes.put((int) offset & PAGE_BYTES - 1, code);
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

  /** Forgets all code. Tables stay where they are. */
  void clear() {
    slabs.forEach(slab -> slab.fill((byte) 0));
  }

  /** The memory that tables take. */
  long bytes() {
    return slabs.size() * SLAB_BYTES;
  }

  void close() {
    slabs.forEach(slab -> Libc.unmap(slab.address(), SLAB_BYTES));
    slabs.clear();
    Arrays.fill(tables, null);
  }
}

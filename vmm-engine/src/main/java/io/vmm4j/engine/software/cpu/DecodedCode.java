package io.vmm4j.engine.software.cpu;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/**
 * The decoded blocks of a machine, by place in its memory, so that a change of page tables keeps
 * them. All its vCPUs share them, for they run on one thread: what one has decoded, the others
 * find, and what one writes over is void for all.
 *
 * <p>For each page there is a mask of its 64 granules of 64 bytes that hold code. A store to such a
 * page goes the slow way ({@link Mmu}) on every vCPU; one to a granule with code invalidates the
 * blocks there.
 *
 * <p>For the vCPUs' thread, but for {@link #writtenByOthers}.
 */
public final class DecodedCode {
  private static final int MOST_BLOCKS = 400_000;

  private record Range(long offset, long length) {}

  private final List<Cpu> cpus = new ArrayList<>();
  private final List<Mmu> mmus = new ArrayList<>();
  private final long[] granules;
  private final Map<Long, List<Block>> blocksOfPage = new HashMap<>();
  private final Map<Long, Block> blocks = new HashMap<>();
  private final Queue<Range> written = new ConcurrentLinkedQueue<>();
  private final PageTables pageTables;
  private final @Nullable KnownBlocks known;

  /** No code yet, of a memory of a size. */
  public DecodedCode(long memoryBytes) {
    this(memoryBytes, null);
  }

  /** The same, for a machine that shares with others what is known of blocks. */
  public DecodedCode(long memoryBytes, @Nullable KnownBlocks known) {
    this.known = known;
    this.granules = new long[Math.toIntExact(memoryBytes + 4095 >>> 12)];
    this.pageTables = new PageTables(memoryBytes, true);
  }

  /** A vCPU joins; before any runs. */
  void share(Cpu cpu, Mmu mmu) {
    cpus.add(cpu);
    mmus.add(mmu);
  }

  /** The page tables of the machine that translations follow from. */
  PageTables pageTables() {
    return pageTables;
  }

  /** A block that is known, at an offset into a memory; null if there is none. */
  @Nullable Block findKnown(MemorySegment memory, long offset, int codeSize) {
    KnownBlock found = known == null ? null : known.find(memory, offset, codeSize);
    return found == null ? null : new Block(offset, codeSize, found);
  }

  // ---- lookup ----

  private static long key(long offset, int codeSize) {
    return offset << 2 | codeSize >> 2;
  }

  /** The block that begins at an offset into the segment, if there is one that is valid. */
  @Nullable Block find(long offset, int codeSize) {
    Block block = blocks.get(key(offset, codeSize));
    return block != null && block.isValid() ? block : null;
  }

  /**
   * Takes a block that lies in memory.
   *
   * @param second the offset of the page it goes on into, or -1
   * @return whether all others had to go for it
   */
  boolean add(Block block, long second) {
    boolean full = blocks.size() >= MOST_BLOCKS;
    if (full) {
      clear();
    }
    Block old = blocks.put(key(block.offset, block.codeSize), block);
    if (old != null) {
      old.invalidate();
    }
    int inFirst = (int) Math.min(block.length, 0x1000 - (block.offset & 0xFFF));
    mark(block, block.offset, inFirst);
    if (second >= 0 && inFirst < block.length) {
      mark(block, second, block.length - inFirst);
    }
    return full;
  }

  private void mark(Block block, long offset, int length) {
    int page = (int) (offset >>> 12);
    if (granules[page] == 0) {
      for (Mmu mmu : mmus) {
        mmu.protectFromWrites((long) page << 12);
      }
    }
    granules[page] |= granuleMask(offset, length);
    blocksOfPage.computeIfAbsent((long) page, p -> new ArrayList<>()).add(block);
  }

  private static long granuleMask(long offset, long length) {
    int first = (int) (offset & 0xFFF) >>> 6;
    int last = (int) Math.min((offset & 0xFFF) + length - 1, 0xFFF) >>> 6;
    return -1L << first & -1L >>> 63 - last;
  }

  // ---- invalidation ----

  /** Whether the page of an offset into the segment holds decoded code. */
  boolean holdsCode(long offset) {
    return granules[(int) (offset >>> 12)] != 0;
  }

  /** Notes that bytes of the segment were written by others than vCPUs. From any thread. */
  public void writtenByOthers(long offset, long length) {
    written.add(new Range(offset, length));
    for (Cpu cpu : cpus) {
      cpu.signal(Cpu.SIGNAL_MEMORY);
    }
  }

  /** Acts on what was noted; done by whichever vCPU runs first. Between two instructions. */
  void applyChanges() {
    Range range;
    while ((range = written.poll()) != null) {
      written(range.offset(), range.length());
      pageTables.written(range.offset(), range.length());
    }
  }

  /**
   * Bytes were written: blocks decoded from them are void.
   *
   * @return whether there may have been some
   */
  boolean written(long offset, long length) {
    boolean any = false;
    long end = offset + length;
    for (long at = offset; at < end; at = (at & ~0xFFFL) + 0x1000) {
      int page = (int) (at >>> 12);
      if (page >= granules.length) {
        break;
      }
      long mask = granules[page];
      if (mask != 0 && (mask & granuleMask(at, end - at)) != 0) {
        invalidate(page, at, end);
        any = true;
      }
    }
    return any;
  }

  private void invalidate(int page, long start, long end) {
    List<Block> list = blocksOfPage.get((long) page);
    if (list == null) {
      granules[page] = 0;
      return;
    }
    long mask = 0;
    int kept = 0;
    for (int i = 0; i < list.size(); i++) {
      Block block = list.get(i);
      if (!block.isValid()) {
        continue;
      }
      long first = block.offset;
      long last = block.offset + block.length;
      boolean hit = block.crossesPage || first < end && start < last;
      if (hit) {
        block.invalidate();
        blocks.remove(key(block.offset, block.codeSize), block);
      } else {
        list.set(kept++, block);
        mask |= granuleMask(first, block.length);
      }
    }
    list.subList(kept, list.size()).clear();
    granules[page] = mask;
    if (kept == 0) {
      blocksOfPage.remove((long) page);
    }
  }

  /** Forgets the blocks that go past, or begin at, a place where a debugger may want to stop. */
  void invalidatePlaces(DebuggerStops stops) {
    blocks
        .values()
        .removeIf(block -> {
          boolean hit = false;
          for (Instruction in : block.instructions) {
            hit |= stops.endsBlockAt(block.offset + in.offset);
          }
          if (hit) {
            block.invalidate();
          }
          return hit;
        });
  }

  private void clear() {
    for (Block block : blocks.values()) {
      block.invalidate();
    }
    blocks.clear();
    blocksOfPage.clear();
    Arrays.fill(granules, 0);
  }
}

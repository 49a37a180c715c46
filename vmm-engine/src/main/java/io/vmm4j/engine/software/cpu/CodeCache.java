package io.vmm4j.engine.software.cpu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The decoded blocks, by place in the machine's memory, so that a change of page tables keeps them.
 * Beside it a cache by linear address, which is forgotten with the translations.
 *
 * <p>For each page there is a mask of its 64 granules of 64 bytes that hold code. A store to such a
 * page goes the slow way ({@link Mmu}); one to a granule with code invalidates the blocks there.
 */
final class CodeCache {
  private static final int RECENT = 1 << 13;
  private static final int MOST_BLOCKS = 400_000;

  private final Cpu cpu;
  private final long[] granules;
  private final Map<Long, List<Block>> blocksOfPage = new HashMap<>();
  private final Map<Long, Block> blocks = new HashMap<>();
  private final Block[] recentBlocks = new Block[RECENT];
  private final long[] recentTags = new long[RECENT];
  private boolean recentUsed;
  private Decoder decoder;

  CodeCache(Cpu cpu, long memoryBytes) {
    this.cpu = cpu;
    this.granules = new long[Math.toIntExact(memoryBytes + 4095 >>> 12)];
    Arrays.fill(recentTags, 1L << 63);
  }

  // ---- lookup ----

  private static long tag(long linear, int codeSize, int cpl) {
    return linear << 3 | (codeSize & 0xC) >> 1 | (cpl == 3 ? 1 : 0);
  }

  /**
   * The block at an instruction pointer, from the cache or newly decoded; faults as the fetch of
   * its first instruction does.
   */
  Block lookup(long rip) {
    long linear = cpu.codeSize == 8 ? rip : cpu.seg[Cpu.CS].base + rip & 0xFFFFFFFFL;
    long tag = tag(linear, cpu.codeSize, cpu.cpl);
    int slot = (int) (linear ^ linear >>> 13) & RECENT - 1;
    Block block = recentBlocks[slot];
    if (recentTags[slot] == tag && block.valid) {
      return block;
    }
    block = find(linear);
    if (!block.crossesPage && block.offset >= 0) {
      recentTags[slot] = tag;
      recentBlocks[slot] = block;
      recentUsed = true;
    }
    return block;
  }

  private Block find(long linear) {
    long offset = cpu.mmu.fetchOffset(linear);
    if (offset >= 0) {
      Block block = blocks.get(key(offset, cpu.codeSize));
      if (block != null && block.valid && fits(block, linear)) {
        return block;
      }
    }
    return decode(linear, offset);
  }

  private boolean fits(Block block, long linear) {
    return !block.crossesPage
        || cpu.mmu.fetchPhysical((linear & ~0xFFFL) + 0x1000) == block.secondPage;
  }

  private static long key(long offset, int codeSize) {
    return offset << 2 | codeSize >> 2;
  }

  private Block decode(long linear, long offset) {
    if (decoder == null) {
      decoder = new Decoder(cpu);
    }
    if (blocks.size() >= MOST_BLOCKS) {
      clear();
    }
    Block block = decoder.block(linear, offset);
    if (offset >= 0) {
      add(block);
    }
    return block;
  }

  private void add(Block block) {
    Block old = blocks.put(key(block.offset, block.codeSize), block);
    if (old != null) {
      old.valid = false;
    }
    int inFirst = (int) Math.min(block.length, 0x1000 - (block.offset & 0xFFF));
    mark(block, block.offset, inFirst);
    if (block.crossesPage && inFirst < block.length) {
      long second = cpu.mmu.offsetOf(block.secondPage);
      if (second >= 0) {
        mark(block, second, block.length - inFirst);
      }
    }
  }

  private void mark(Block block, long offset, int length) {
    int page = (int) (offset >>> 12);
    if (granules[page] == 0) {
      cpu.mmu.protectFromWrites((long) page << 12);
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

  /** Bytes were written: blocks decoded from them are void. */
  void written(long offset, long length) {
    long end = offset + length;
    for (long at = offset; at < end; at = (at & ~0xFFFL) + 0x1000) {
      int page = (int) (at >>> 12);
      if (page >= granules.length) {
        return;
      }
      long mask = granules[page];
      if (mask != 0 && (mask & granuleMask(at, end - at)) != 0) {
        invalidate(page, at, end);
      }
    }
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
      if (!block.valid) {
        continue;
      }
      long first = block.offset;
      long last = block.offset + block.length;
      boolean hit = block.crossesPage || first < end && start < last;
      if (hit) {
        block.valid = false;
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
    cpu.blockLimit = 0;
  }

  /** The translations have changed: what was found by linear address is void. */
  void forgetTranslations() {
    if (recentUsed) {
      Arrays.fill(recentTags, 1L << 63);
      recentUsed = false;
    }
  }

  /** Forgets every block. */
  void clear() {
    for (Block block : blocks.values()) {
      block.valid = false;
    }
    blocks.clear();
    blocksOfPage.clear();
    Arrays.fill(granules, 0);
    Arrays.fill(recentBlocks, null);
    Arrays.fill(recentTags, 1L << 63);
    cpu.blockLimit = 0;
  }
}

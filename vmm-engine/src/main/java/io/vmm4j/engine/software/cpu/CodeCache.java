package io.vmm4j.engine.software.cpu;

import java.util.Arrays;

/**
 * A vCPU's way to the decoded blocks of its machine ({@link DecodedCode}): a cache by linear
 * address, which is forgotten with the translations.
 */
public final class CodeCache {
  private static final int RECENT = 1 << 13;
  private static final long NO_TAG = 1L << 63;

  private final Cpu cpu;
  private final DecodedCode decoded;
  private final Block[] recentBlocks = new Block[RECENT];
  private final long[] recentTags = new long[RECENT];
  private final boolean[] recentGlobal = new boolean[RECENT];
  private final FillLog filled = new FillLog(RECENT);
  private Decoder decoder;

  CodeCache(Cpu cpu, DecodedCode decoded) {
    this.cpu = cpu;
    this.decoded = decoded;
    Arrays.fill(recentTags, NO_TAG);
  }

  // ---- lookup ----

  private static long tag(long linear, int codeSize, int cpl) {
    return linear << 3 | (codeSize & 0xC) >> 1 | (cpl == 3 ? 1 : 0);
  }

  /**
   * The block at an instruction pointer, from the cache or newly decoded; faults as the fetch of
   * its first instruction does.
   */
  public Block lookup(long rip) {
    long linear = cpu.codeSize == 8 ? rip : cpu.seg[Cpu.CS].base + rip & 0xFFFFFFFFL;
    long tag = tag(linear, cpu.codeSize, cpu.cpl);
    int slot = (int) (linear ^ linear >>> 13) & RECENT - 1;
    Block block = recentBlocks[slot];
    if (recentTags[slot] == tag && block.isValid()) {
      return block;
    }
    block = find(linear);
    if (!block.crossesPage && block.offset >= 0 && !cpu.debugger.endsBlockAt(linear)) {
      recentTags[slot] = tag;
      recentBlocks[slot] = block;
      recentGlobal[slot] = cpu.mmu.fetchIsGlobal(linear);
      filled.filled(slot, recentGlobal[slot]);
    }
    return block;
  }

  private Block find(long linear) {
    long offset = cpu.mmu.fetchOffset(linear);
    if (cpu.debugger.stopsBlockAt(linear)) {
      return Block.NOTHING;
    }
    if (offset >= 0) {
      Block block = decoded.find(offset, cpu.codeSize);
      if (block != null && fits(block, linear)) {
        return block;
      }
    }
    return decode(linear, offset);
  }

  private boolean fits(Block block, long linear) {
    if (!block.crossesPage) {
      return true;
    }
    long second = (linear & ~0xFFFL) + 0x1000;
    if (block.codeSize != 8) {
      second &= 0xFFFFFFFFL;
    }
    long found = cpu.mmu.fetchOffset(second);
    return found >= 0 && found == cpu.mmu.offsetOf(block.secondPage);
  }

  private Block decode(long linear, long offset) {
    boolean mayBeKnown = offset >= 0 && !cpu.debugger.endsBlocks();
    Block block = mayBeKnown ? decoded.findKnown(cpu.mmu.memory(), offset, cpu.codeSize) : null;
    if (block == null) {
      if (decoder == null) {
        decoder = new Decoder(cpu);
      }
      block = decoder.block(linear, offset);
    }
    if (offset >= 0) {
      long second = block.crossesPage ? cpu.mmu.offsetOf(block.secondPage) : -1;
      if (decoded.add(block, second)) {
        Arrays.fill(recentBlocks, null);
        Arrays.fill(recentTags, NO_TAG);
      }
    }
    return block;
  }

  // ---- invalidation ----

  /** Whether the page of an offset into the segment holds decoded code. */
  boolean holdsCode(long offset) {
    return decoded.holdsCode(offset);
  }

  /** Bytes were written: blocks decoded from them are void, be it the one that is executed. */
  void written(long offset, long length) {
    if (decoded.written(offset, length)) {
      cpu.leaveBlock(LeaveReason.CODE_WRITTEN);
    }
  }

  /** The page tables of the machine. */
  PageTables pageTables() {
    return decoded.pageTables();
  }

  /** Acts on what others have written. Between two instructions. */
  void applyChanges() {
    decoded.applyChanges();
  }

  /** Forgets the blocks that go past, or begin at, a place where a debugger may want to stop. */
  void invalidatePlaces(DebuggerStops stops) {
    decoded.invalidatePlaces(stops);
    cpu.leaveBlock(LeaveReason.BREAKPOINT);
  }

  /** The translations have changed: what was found by linear address is void. */
  void forgetTranslations() {
    int slot;
    while ((slot = filled.take()) >= 0) {
      recentTags[slot] = NO_TAG;
    }
  }

  /** The same but for pages that are global. */
  void forgetNonGlobalTranslations() {
    int slot;
    while ((slot = filled.takeOther()) >= 0) {
      if (!recentGlobal[slot]) {
        recentTags[slot] = NO_TAG;
      }
    }
  }
}

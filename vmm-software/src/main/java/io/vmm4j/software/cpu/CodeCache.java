package io.vmm4j.software.cpu;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * A vCPU's way to the decoded blocks of its machine ({@link DecodedCode}): a cache by linear
 * address, which is forgotten with the translations.
 */
public final class CodeCache {
  private static final int RECENT = 1 << 13;
  private static final long NO_TAG = 1L << 63;

  /** How often a block is decoded while others write to its page. */
  private static final int MOST_TRIES = 8;

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
    if (decoder == null) {
      decoder = new Decoder(cpu);
    }
    if (offset < 0) {
      return decoder.block(linear, offset);
    }
    if (decoded.isParallel()) {
      return decodeShared(linear, offset);
    }
    Block block =
        cpu.debugger.endsBlocks()
            ? null
            : decoded.findKnown(cpu.mmu.memory(), offset, cpu.codeSize);
    if (block == null) {
      block = decoder.block(linear, offset);
    }
    decoded.add(block, secondOf(block));
    return block;
  }

  private long secondOf(Block block) {
    return block.crossesPage ? cpu.mmu.offsetOf(block.secondPage) : -1;
  }

  /**
   * Decodes while other vCPUs may write to the same pages. What can't be kept for that is good for
   * one execution.
   */
  private Block decodeShared(long linear, long offset) {
    long claimed = -1;
    for (int i = 0; i < MOST_TRIES; i++) {
      long before = decoded.stores();
      if (!decoded.claim(cpu, offset)) {
        break;
      }
      Block block = decoder.block(linear, offset);
      long second = secondOf(block);
      if (second >= 0 && second >>> 12 != claimed) {
        // Its second page was no page of code yet, or not known to be: it is decoded again.
        if (!decoded.claim(cpu, second)) {
          break;
        }
        claimed = second >>> 12;
      } else if (decoded.add(block, second, before)) {
        return block;
      }
    }
    return decoder.transientBlock(linear, offset);
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

  /** A store to memory that may hold code, where vCPUs run in parallel. */
  void store(MemorySegment memory, long offset, int size, long value) {
    if (decoded.store(memory, offset, size, value)) {
      cpu.leaveBlock(LeaveReason.CODE_WRITTEN);
    }
  }

  /** The same if memory holds an expected value; gives whether it does. */
  boolean compareAndSet(MemorySegment memory, long offset, int size, long expected, long value) {
    boolean done = decoded.compareAndSet(memory, offset, size, expected, value);
    if (done && decoded.holdsCode(offset)) {
      cpu.leaveBlock(LeaveReason.CODE_WRITTEN);
    }
    return done;
  }

  /** The decoded code, which all vCPUs of the machine share. */
  public DecodedCode decoded() {
    return decoded;
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

package io.vmm4j.software.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Blocks that machines with like processors have found worth a translation, by their bytes and
 * their place in a page: a fork, or a second machine with the same kernel, neither decodes nor
 * translates them again. From any thread.
 *
 * <p>A block is recognised by all of its bytes, so it does not matter whose they are.
 */
public final class KnownBlocks {
  private static final int KEY_BYTES = 4;

  private final Map<Long, KnownBlock[]> byKey = new ConcurrentHashMap<>();
  private final AtomicLong bytes = new AtomicLong();
  private final long most;

  /**
   * None yet.
   *
   * @param most about how many bytes of the heap they may take; beyond that all are forgotten
   */
  public KnownBlocks(long most) {
    this.most = most;
  }

  /** Up to four bytes that a block begins with, how many they are, and its place. */
  private static long key(int inPage, int codeSize, int first, int count) {
    return (first & 0xFFFF_FFFFL) << 32 | inPage << 16 | codeSize << 8 | count;
  }

  private static long key(Block block) {
    int count = Math.min(KEY_BYTES, block.bytes.length);
    int first = 0;
    for (int i = 0; i < count; i++) {
      first |= (block.bytes[i] & 0xFF) << 8 * i;
    }
    return key((int) block.offset & 0xFFF, block.codeSize, first, count);
  }

  /** A block whose bytes lie at an offset into a machine's memory; null if there is none. */
  @Nullable KnownBlock find(MemorySegment memory, long offset, int codeSize) {
    int inPage = (int) offset & 0xFFF;
    int first = 0;
    int most = Math.min(KEY_BYTES, 0x1000 - inPage);
    for (int i = 0; i < most; i++) {
      first |= (memory.get(ValueLayout.JAVA_BYTE, offset + i) & 0xFF) << 8 * i;
    }
    for (int count = most; count > 0; count--) {
      int begins = count == 4 ? first : first & (1 << 8 * count) - 1;
      KnownBlock[] candidates = byKey.get(key(inPage, codeSize, begins, count));
      if (candidates != null) {
        for (KnownBlock candidate : candidates) {
          if (candidate.isAt(memory, offset, codeSize)) {
            return candidate;
          }
        }
      }
    }
    return null;
  }

  /** Adds a block that lies in one page of memory; gives the one that is kept. */
  KnownBlock add(Block block) {
    KnownBlock made = new KnownBlock(block);
    grown(made.heapBytes());
    KnownBlock[] all = byKey.merge(key(block), new KnownBlock[] {made}, KnownBlocks::joined);
    for (KnownBlock candidate : all) {
      if (candidate.isLike(made)) {
        return candidate;
      }
    }
    return made;
  }

  private static KnownBlock[] joined(KnownBlock[] present, KnownBlock[] added) {
    for (KnownBlock block : present) {
      if (block.isLike(added[0])) {
        return present;
      }
    }
    KnownBlock[] longer = Arrays.copyOf(present, present.length + 1);
    longer[present.length] = added[0];
    return longer;
  }

  private void grown(long by) {
    if (bytes.addAndGet(by) > most) {
      byKey.clear();
      bytes.set(by);
    }
  }

  /** Keeps what was made of a block for a mode, if nobody has done so before. */
  void addCode(KnownBlock block, int mode, PortableCode code) {
    if (block.addCode(mode, code)) {
      grown(code.heapBytes());
    }
  }
}

package io.vmm4j.devices.block;

import java.util.Arrays;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Which blocks of a disk are in an overlay, and where: a block has the place of its turn. It takes
 * 16 to 28 bytes a block, wherever they lie, for a guest may write millions of them.
 */
final class BlockPlaces {
  /** The place of a block that is not there. */
  static final int NONE = -1;

  private static final int FIRST_ROOM = 16;

  /** No guest knows which blocks meet in a slot. */
  private final long multiplier = ThreadLocalRandom.current().nextLong() | 1;

  /** A hash table with linear probing, at most half full: the place of a block and 1, or 0. */
  private int[] slots = new int[2 * FIRST_ROOM];

  private long[] blocks = new long[FIRST_ROOM];
  private int count;

  /** How many there are. */
  int count() {
    return count;
  }

  /** The slot of a block, or the empty one where it would be. */
  private int slot(long block) {
    int mask = slots.length - 1;
    int slot = (int) (block * multiplier >>> 32) & mask;
    while (slots[slot] != 0 && blocks[slots[slot] - 1] != block) {
      slot = slot + 1 & mask;
    }
    return slot;
  }

  /** The place of a block. */
  int of(long block) {
    return slots[slot(block)] - 1;
  }

  /** Gives a block that is not there the next place. */
  int add(long block) {
    if (count == blocks.length) {
      blocks = Arrays.copyOf(blocks, count + count / 2);
    }
    if (2 * (count + 1) > slots.length) {
      slots = new int[Math.multiplyExact(2, slots.length)];
      for (int place = 0; place < count; place++) {
        slots[slot(blocks[place])] = place + 1;
      }
    }
    blocks[count] = block;
    slots[slot(block)] = count + 1;
    return count++;
  }

  /** The blocks by their places. */
  long[] blocks() {
    return Arrays.copyOf(blocks, count);
  }
}

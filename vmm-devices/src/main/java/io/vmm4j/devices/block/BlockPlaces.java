package io.vmm4j.devices.block;

import java.util.Arrays;

/**
 * Which blocks of a disk are in an overlay, and where: a block has the place of its turn. It takes
 * some 12 bytes a block, where blocks lie together, for a guest may write millions of them.
 */
final class BlockPlaces {
  /** The place of a block that is not there. */
  static final int NONE = -1;

  private static final int CHUNK_BITS = 10;
  private static final int CHUNK = 1 << CHUNK_BITS;
  private static final int[] EMPTY = {};
  private static final int FIRST_ROOM = 16;

  /** By block: its place and 1, or 0. */
  private int[][] chunks = {};

  private long[] blocks = new long[FIRST_ROOM];
  private int count;

  /** How many there are. */
  int count() {
    return count;
  }

  /** The place of a block. */
  int of(long block) {
    long chunk = block >>> CHUNK_BITS;
    if (chunk >= chunks.length) {
      return NONE;
    }
    int[] places = chunks[(int) chunk];
    return places.length == 0 ? NONE : places[(int) block & CHUNK - 1] - 1;
  }

  /** Gives a block that is not there the next place. */
  int add(long block) {
    int chunk = Math.toIntExact(block >>> CHUNK_BITS);
    if (chunk >= chunks.length) {
      int before = chunks.length;
      chunks = Arrays.copyOf(chunks, Math.max(chunk + 1, before + before / 2));
      Arrays.fill(chunks, before, chunks.length, EMPTY);
    }
    if (chunks[chunk].length == 0) {
      chunks[chunk] = new int[CHUNK];
    }
    if (count == blocks.length) {
      blocks = Arrays.copyOf(blocks, count + count / 2);
    }
    blocks[count] = block;
    chunks[chunk][(int) block & CHUNK - 1] = count + 1;
    return count++;
  }

  /** The blocks by their places. */
  long[] blocks() {
    return Arrays.copyOf(blocks, count);
  }
}

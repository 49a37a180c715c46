package io.vmm4j.engine.memory;

import java.util.Arrays;
import java.util.BitSet;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A number for each page of a machine's memory, such that two states of one lineage hold the same
 * contents wherever their numbers are the same. A lineage is a machine, its snapshots, the machines
 * made from these, and so on: it gives out the numbers, each once. So what has changed between any
 * two of them is found by comparing numbers, whatever way led from one to the other.
 *
 * <p>The numbers stand in chunks that copies share until one of them changes a chunk: a copy costs
 * little, and what both share need not be compared.
 *
 * <p>Not safe for several threads; a snapshot's is never changed.
 */
public final class PageVersions {
  private static final int CHUNK_SHIFT = 10;

  /** How many pages are in a chunk. */
  static final int CHUNK = 1 << CHUNK_SHIFT;

  /** A chunk of pages that nobody of the lineage has written. */
  private static final int[] ZEROS = new int[CHUNK];

  private final AtomicInteger lastOfLineage;
  private final int[][] chunks;

  /** The chunks that nobody shares. */
  private final BitSet own = new BitSet();

  private PageVersions(AtomicInteger lastOfLineage, int[][] chunks) {
    this.lastOfLineage = lastOfLineage;
    this.chunks = chunks;
  }

  /** The beginning of a lineage, every page having number 0. */
  public static PageVersions of(long bytes) {
    int pages = Math.toIntExact(bytes + 4095 >>> 12);
    int[][] chunks = new int[pages + CHUNK - 1 >> CHUNK_SHIFT][];
    Arrays.fill(chunks, ZEROS);
    return new PageVersions(new AtomicInteger(), chunks);
  }

  /** The same numbers, to go on from separately. */
  public PageVersions copy() {
    own.clear();
    return new PageVersions(lastOfLineage, chunks.clone());
  }

  /** Whether the numbers of both mean the same. */
  public boolean isRelatedTo(PageVersions other) {
    return lastOfLineage == other.lastOfLineage && chunks.length == other.chunks.length;
  }

  private int get(int page) {
    return chunks[page >> CHUNK_SHIFT][page & CHUNK - 1];
  }

  private int[] writable(int chunk) {
    if (!own.get(chunk)) {
      chunks[chunk] = chunks[chunk].clone();
      own.set(chunk);
    }
    return chunks[chunk];
  }

  /** Gives pages that have been written a number that no page of the lineage has yet. */
  void advance(BitSet written) {
    if (written.isEmpty()) {
      return;
    }
    int next = lastOfLineage.incrementAndGet();
    if (next < 0) {
      throw new IllegalStateException("no version number is left in this lineage");
    }
    for (int page = written.nextSetBit(0); page >= 0; page = written.nextSetBit(page + 1)) {
      writable(page >> CHUNK_SHIFT)[page & CHUNK - 1] = next;
    }
  }

  /** Whether a page is as it was at the beginning of the lineage. */
  boolean isFirst(int page) {
    return get(page) == 0;
  }

  /** Whether no page of a page's chunk was ever written; false where it is not known. */
  boolean isChunkFirst(int page) {
    return chunks[page >> CHUNK_SHIFT] == ZEROS;
  }

  /** Whether a page's chunk is one that both share; false where it is not known. */
  boolean isChunkSame(int page, PageVersions other) {
    return chunks[page >> CHUNK_SHIFT] == other.chunks[page >> CHUNK_SHIFT];
  }

  /** Whether a page has the same contents in both, which are related. */
  boolean isSame(int page, PageVersions other) {
    return get(page) == other.get(page);
  }

  /** The pages whose contents may differ between the two, which are related. */
  public BitSet differences(PageVersions other) {
    BitSet different = new BitSet();
    for (int chunk = 0; chunk < chunks.length; chunk++) {
      int[] ours = chunks[chunk];
      int[] theirs = other.chunks[chunk];
      if (ours != theirs) {
        for (int i = 0; i < CHUNK; i++) {
          if (ours[i] != theirs[i]) {
            different.set((chunk << CHUNK_SHIFT) + i);
          }
        }
      }
    }
    return different;
  }

  /**
   * Takes on the numbers of another state, which is related, for pages that have its contents now.
   */
  void become(PageVersions other, BitSet pages) {
    BitSet different = differences(other);
    different.and(pages);
    for (int page = different.nextSetBit(0); page >= 0; page = different.nextSetBit(page + 1)) {
      writable(page >> CHUNK_SHIFT)[page & CHUNK - 1] = other.get(page);
    }
  }
}

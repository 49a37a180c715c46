package io.vmm4j.snapshot;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * Makes the body of a memory chunk of up to 512 pages, and its digest. Before compression the body
 * is the concatenation, page by page, of nothing for a zero page and one that is the parent's, the
 * eight bytes that a fill page repeats, and the 4096 bytes of any other.
 */
final class BlockPacker implements AutoCloseable {

  /** The body of a block of zeros, never written to. */
  private static final byte[] ZEROS = new byte[SnapshotFormat.BLOCK_BYTES];

  /** Compression pays if it saves a sixteenth. */
  private static final int SAVING_SHIFT = 4;

  private final Compression compression;
  private final Optional<BlockCodec> codec;
  private final MemorySegment buffer =
      Arena.ofAuto().allocate(SnapshotFormat.BLOCK_BYTES, SnapshotFormat.PAGE_BYTES);
  private final BlockDigest digest = new BlockDigest();
  private final byte[] plain = new byte[SnapshotFormat.BLOCK_BYTES];
  private final byte[] packed;

  BlockPacker(Compression compression) {
    this.compression = compression;
    this.codec =
        compression == Compression.NONE ? Optional.empty() : Optional.of(compression.codec());
    this.packed = new byte[compression == Compression.NONE ? 0 : SnapshotFormat.BLOCK_BYTES];
  }

  /**
   * A packed block.
   *
   * @param offset into the region
   * @param runs page kind and count, in turn
   * @param counts how many pages there are of each kind
   * @param body its first {@code length} bytes; valid until the packer is used again
   */
  record Block(
      long offset,
      List<Long> runs,
      int[] counts,
      Compression compression,
      byte[] body,
      int length,
      int crc) {}

  /**
   * What became of a block.
   *
   * @param offset into the region
   * @param block absent if it is all zeros and need not be written
   * @param leaf its digest; absent if it is all zeros
   */
  record Packed(long offset, Optional<Block> block, Optional<byte[]> leaf) {}

  /** The block at an offset of a whole snapshot. */
  Packed pack(MemorySource source, long offset, int length) throws IOException {
    if (source.isZero(offset, length)) {
      return new Packed(offset, Optional.empty(), Optional.empty());
    }
    MemorySegment piece = source.piece(offset, buffer, length);
    if (isZeros(piece, length)) {
      return new Packed(offset, Optional.empty(), Optional.empty());
    }
    Block block = pages(piece, offset, length, ChangedPages.all());
    return new Packed(offset, Optional.of(block), digest.end());
  }

  /** The block at an offset of a delta, some of whose pages may differ from the parent's. */
  Packed pack(MemorySource source, long offset, int length, ChangedPages changed)
      throws IOException {
    MemorySegment piece = source.piece(offset, buffer, length);
    Block block = pages(piece, offset, length, changed);
    return new Packed(offset, Optional.of(block), digest.end());
  }

  /** Only the digest of the block at an offset. */
  Packed digest(MemorySource source, long offset, int length) throws IOException {
    if (source.isZero(offset, length)) {
      return new Packed(offset, Optional.empty(), Optional.empty());
    }
    MemorySegment piece = source.piece(offset, buffer, length);
    if (!isZeros(piece, length)) {
      for (int page = 0; page < length / SnapshotFormat.PAGE_BYTES; page++) {
        digest.page(page, piece, (long) page * SnapshotFormat.PAGE_BYTES);
      }
    }
    return new Packed(offset, Optional.empty(), digest.end());
  }

  /** The block at an offset of a memory image: its pages as they are. */
  Packed raw(MemorySource source, long offset, int length) throws IOException {
    int[] counts = new int[SnapshotFormat.PAGE_KINDS];
    if (source.isZero(offset, length)) {
      counts[SnapshotFormat.PAGE_ZERO] = length / SnapshotFormat.PAGE_BYTES;
      Block zeros = new Block(offset, List.of(), counts, Compression.NONE, ZEROS, length, 0);
      return new Packed(offset, Optional.of(zeros), Optional.empty());
    }
    MemorySegment piece = source.piece(offset, buffer, length);
    MemorySegment.copy(piece, ValueLayout.JAVA_BYTE, 0, plain, 0, length);
    for (int from = 0; from < length; from += SnapshotFormat.PAGE_BYTES) {
      int kind = kind(piece, from);
      counts[kind]++;
      if (kind != SnapshotFormat.PAGE_ZERO) {
        digest.page(from / SnapshotFormat.PAGE_BYTES, plain, from);
      }
    }
    Block block = new Block(offset, List.of(), counts, Compression.NONE, plain, length, 0);
    return new Packed(offset, Optional.of(block), digest.end());
  }

  private static boolean isZeros(MemorySegment piece, int length) {
    return uniform(piece, 0, length) && piece.get(ValueLayout.JAVA_LONG_UNALIGNED, 0) == 0;
  }

  private Block pages(MemorySegment piece, long offset, int length, ChangedPages changed) {
    List<Long> runs = new ArrayList<>();
    int[] counts = new int[SnapshotFormat.PAGE_KINDS];
    int size = 0;
    long first = offset / SnapshotFormat.PAGE_BYTES;
    long nextChanged = changed.next(first);
    for (int page = 0; page < length / SnapshotFormat.PAGE_BYTES; page++) {
      long from = (long) page * SnapshotFormat.PAGE_BYTES;
      int kind = kind(piece, from);
      if (kind != SnapshotFormat.PAGE_ZERO) {
        digest.page(page, piece, from);
      }
      if (nextChanged < first + page) {
        nextChanged = changed.next(first + page);
      }
      if (nextChanged != first + page) {
        kind = SnapshotFormat.PAGE_PARENT;
      }
      int stored = SnapshotFormat.storedBytes(kind);
      MemorySegment.copy(piece, ValueLayout.JAVA_BYTE, from, plain, size, stored);
      size += stored;
      counts[kind]++;
      addRun(runs, kind);
    }
    return block(offset, runs, counts, size);
  }

  private static void addRun(List<Long> runs, int kind) {
    int last = runs.size() - 2;
    if (last >= 0 && runs.get(last) == kind) {
      runs.set(last + 1, runs.get(last + 1) + 1);
    } else {
      runs.add((long) kind);
      runs.add(1L);
    }
  }

  private Block block(long offset, List<Long> runs, int[] counts, int size) {
    byte[] body = plain;
    int length = size;
    Compression used = Compression.NONE;
    if (codec.isPresent() && counts[SnapshotFormat.PAGE_DATA] > 0) {
      int n = codec.get().pack(plain, size, packed, size - (size >> SAVING_SHIFT));
      if (n != BlockCodec.TOO_LONG) {
        body = packed;
        length = n;
        used = compression;
      }
    }
    CRC32C crc = new CRC32C();
    crc.update(body, 0, length);
    return new Block(offset, runs, counts, used, body, length, (int) crc.getValue());
  }

  /** The kind of the page at an offset, as it stands for itself. */
  static int kind(MemorySegment piece, long from) {
    if (!uniform(piece, from, SnapshotFormat.PAGE_BYTES)) {
      return SnapshotFormat.PAGE_DATA;
    }
    return piece.get(ValueLayout.JAVA_LONG_UNALIGNED, from) == 0
        ? SnapshotFormat.PAGE_ZERO
        : SnapshotFormat.PAGE_FILL;
  }

  /** Whether eight bytes are repeated throughout: then the piece equals itself shifted by them. */
  private static boolean uniform(MemorySegment piece, long from, long length) {
    long end = from + length;
    int step = SnapshotFormat.FILL_BYTES;
    // Most data differs within its first words, where a call into the vector loop would cost more.
    long first = piece.get(ValueLayout.JAVA_LONG_UNALIGNED, from);
    if (first != piece.get(ValueLayout.JAVA_LONG_UNALIGNED, from + step)
        || first != piece.get(ValueLayout.JAVA_LONG_UNALIGNED, end - step)) {
      return false;
    }
    return MemorySegment.mismatch(piece, from, end - step, piece, from + step, end) < 0;
  }

  @Override
  public void close() {
    codec.ifPresent(BlockCodec::close);
  }
}

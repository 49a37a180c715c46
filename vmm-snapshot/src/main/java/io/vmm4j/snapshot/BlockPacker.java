package io.vmm4j.snapshot;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32C;
import java.util.zip.Deflater;

/**
 * Makes the body of a memory chunk of up to 512 pages. Before compression it is the concatenation,
 * page by page, of nothing for a zero page, the eight bytes that a fill page repeats, and the 4096
 * bytes of any other.
 */
final class BlockPacker implements AutoCloseable {

  /** Compression pays if it saves a sixteenth. */
  private static final int SAVING_SHIFT = 4;

  private final Compression compression;
  private final Deflater deflater;
  private final MemorySegment buffer =
      Arena.ofAuto().allocate(SnapshotFormat.BLOCK_BYTES, SnapshotFormat.PAGE_BYTES);
  private final byte[] plain = new byte[SnapshotFormat.BLOCK_BYTES];
  private final byte[] packed;

  BlockPacker(Compression compression) {
    this.compression = compression;
    this.deflater = new Deflater(compression.level(), true);
    this.packed = new byte[compression == Compression.NONE ? 0 : SnapshotFormat.BLOCK_BYTES];
  }

  /**
   * A packed block.
   *
   * @param offset into the region
   * @param runs page kind and count, in turn
   * @param body its first {@code length} bytes; valid until the packer is used again
   */
  record Block(
      long offset,
      List<Long> runs,
      int fillPages,
      int dataPages,
      Compression compression,
      byte[] body,
      int length,
      int crc) {}

  /** The block at an offset, or nothing if it is all zeros. */
  Optional<Block> pack(MemorySource source, long offset, int length) throws IOException {
    MemorySegment piece = source.piece(offset, buffer, length);
    if (uniform(piece, 0, length) && piece.get(ValueLayout.JAVA_LONG_UNALIGNED, 0) == 0) {
      return Optional.empty();
    }
    List<Long> runs = new ArrayList<>();
    int fillPages = 0;
    int dataPages = 0;
    int size = 0;
    int pages = length / SnapshotFormat.PAGE_BYTES;
    for (int page = 0; page < pages; ) {
      int kind = kind(piece, page);
      int end = page + 1;
      if (kind == SnapshotFormat.PAGE_FILL) {
        copy(piece, page, size, SnapshotFormat.FILL_BYTES);
        size += SnapshotFormat.FILL_BYTES;
        fillPages++;
      } else {
        while (end < pages && kind(piece, end) == kind) {
          end++;
        }
        if (kind == SnapshotFormat.PAGE_DATA) {
          int bytes = (end - page) * SnapshotFormat.PAGE_BYTES;
          copy(piece, page, size, bytes);
          size += bytes;
          dataPages += end - page;
        }
      }
      addRun(runs, kind, end - page);
      page = end;
    }
    return Optional.of(block(offset, runs, fillPages, dataPages, size));
  }

  private static void addRun(List<Long> runs, int kind, int count) {
    int last = runs.size() - 2;
    if (last >= 0 && runs.get(last) == kind) {
      runs.set(last + 1, runs.get(last + 1) + count);
    } else {
      runs.add((long) kind);
      runs.add((long) count);
    }
  }

  private void copy(MemorySegment piece, int page, int to, int bytes) {
    MemorySegment.copy(
        piece, ValueLayout.JAVA_BYTE, (long) page * SnapshotFormat.PAGE_BYTES, plain, to, bytes);
  }

  private Block block(long offset, List<Long> runs, int fillPages, int dataPages, int size) {
    byte[] body = plain;
    int length = size;
    Compression used = Compression.NONE;
    if (compression != Compression.NONE && dataPages > 0) {
      deflater.reset();
      deflater.setInput(plain, 0, size);
      deflater.finish();
      int n = deflater.deflate(packed, 0, size - (size >> SAVING_SHIFT));
      if (deflater.finished()) {
        body = packed;
        length = n;
        used = compression;
      }
    }
    CRC32C crc = new CRC32C();
    crc.update(body, 0, length);
    return new Block(offset, runs, fillPages, dataPages, used, body, length, (int) crc.getValue());
  }

  private static int kind(MemorySegment piece, int page) {
    long from = (long) page * SnapshotFormat.PAGE_BYTES;
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
    deflater.end();
  }
}

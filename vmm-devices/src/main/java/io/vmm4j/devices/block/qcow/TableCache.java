package io.vmm4j.devices.block.qcow;

import io.vmm4j.devices.block.DiskImageException;
import io.vmm4j.devices.block.RawFile;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Keeps a bounded part of an image's tables in memory: the pieces of 4 KiB that were used last. */
final class TableCache {
  private static final int PIECE_BYTES = 4096;
  private static final int PIECES = 512;

  private final Path path;
  private final RawFile file;
  private final Map<Long, ByteBuffer> pieces = new LinkedHashMap<>(16, 0.75f, true);

  TableCache(Path path, RawFile file) {
    this.path = path;
    this.file = file;
  }

  /**
   * Reads an entry of 8 bytes.
   *
   * @param offset where it is in the file, a multiple of 8
   * @param what the table, in an error
   */
  synchronized long entry(long offset, String what) throws IOException {
    if (offset < 0 || offset > file.sizeBytes() - Long.BYTES) {
      throw new DiskImageException(
          path, "an entry of the %s at 0x%x is beyond the end of the file".formatted(what, offset));
    }
    long piece = offset / PIECE_BYTES;
    ByteBuffer known = pieces.get(piece);
    if (known == null) {
      known = read(piece * PIECE_BYTES);
      if (pieces.size() == PIECES) {
        pieces.remove(pieces.keySet().iterator().next());
      }
      pieces.put(piece, known);
    }
    return known.getLong((int) (offset % PIECE_BYTES));
  }

  private ByteBuffer read(long at) throws IOException {
    byte[] bytes = new byte[(int) Math.min(PIECE_BYTES, file.sizeBytes() - at)];
    file.read(at, MemorySegment.ofArray(bytes));
    return ByteBuffer.wrap(bytes);
  }
}

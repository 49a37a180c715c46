package io.vmm4j.devices.block;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.Optional;

/**
 * A copy of a storage as it was at one moment, made while it is written to. A writer copies a piece
 * before it writes to it, unless that was done.
 */
final class DiskExport {
  /** Takes the pieces, in any order, one at a time. */
  interface Sink {
    /** Takes a piece; the bytes are to be used within the call. */
    void piece(long offset, byte[] bytes, int length) throws IOException;
  }

  /** The size of a piece. */
  static final int PIECE_BYTES = 1 << 16;

  private final BlockStorage storage;
  private final Sink sink;
  private final long size;
  private final BitSet copied = new BitSet();
  private final byte[] piece = new byte[PIECE_BYTES];
  private Optional<IOException> failure = Optional.empty();

  DiskExport(BlockStorage storage, Sink sink) {
    this.storage = storage;
    this.sink = sink;
    this.size = storage.sizeBytes();
  }

  int pieces() throws IOException {
    long pieces = (size + PIECE_BYTES - 1) / PIECE_BYTES;
    if (pieces > Integer.MAX_VALUE) {
      throw new IOException("a disk of %d bytes is too large to be copied".formatted(size));
    }
    return (int) pieces;
  }

  /** Copies a piece, if it has not been. */
  synchronized void copy(int index) throws IOException {
    if (failure.isPresent()) {
      throw failure.get();
    }
    if (!copied.get(index)) {
      long offset = (long) index * PIECE_BYTES;
      int length = (int) Math.min(PIECE_BYTES, size - offset);
      storage.read(offset, MemorySegment.ofArray(piece).asSlice(0, length));
      sink.piece(offset, piece, length);
      copied.set(index);
    }
  }

  /** Bytes are about to be written to. That the copy fails is not the writer's concern. */
  synchronized void keep(long offset, long length) {
    long end = Math.min(size, offset + length);
    try {
      for (long at = offset;
          failure.isEmpty() && at < end;
          at = (at / PIECE_BYTES + 1) * PIECE_BYTES) {
        copy((int) (at / PIECE_BYTES));
      }
    } catch (IOException e) {
      fail(e);
    }
  }

  /** Ends it. */
  synchronized void fail(IOException why) {
    if (failure.isEmpty()) {
      failure = Optional.of(why);
    }
  }
}

package io.vmm4j.snapshot;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Where a writer finds the contents of a memory region. Used by several threads at a time. */
public interface MemorySource {

  /** The size of the region in bytes. */
  long size();

  /**
   * A piece of the region.
   *
   * @param offset into the region
   * @param buffer at least {@code length} bytes that may be used to hold the piece; it is reused
   *     for a later piece
   * @param length in bytes
   * @return the piece, {@code length} bytes long, not changed by anybody until it is written
   */
  MemorySegment piece(long offset, MemorySegment buffer, int length) throws IOException;

  /**
   * Whether a piece is known to be of zeros, so that nobody need look at it; false where it is not
   * known.
   *
   * @param offset into the region
   * @param length in bytes
   */
  default boolean isZero(long offset, int length) {
    return false;
  }

  /** A segment's contents. */
  static MemorySource of(MemorySegment segment) {
    return new MemorySource() {
      @Override
      public long size() {
        return segment.byteSize();
      }

      @Override
      public MemorySegment piece(long offset, MemorySegment buffer, int length) {
        return segment.asSlice(offset, length);
      }
    };
  }

  /**
   * The contents of {@code [position, position + size)} of a file. A sparse file is best read this
   * way: to look at its holes through a mapping would fill them, page by page.
   */
  static MemorySource of(SharedFile file, long position, long size) {
    return new MemorySource() {
      @Override
      public long size() {
        return size;
      }

      @Override
      public MemorySegment piece(long offset, MemorySegment buffer, int length) throws IOException {
        byte[] bytes = new byte[length];
        file.read(position + offset, bytes, 0, length);
        MemorySegment.copy(bytes, 0, buffer, ValueLayout.JAVA_BYTE, 0, length);
        return buffer.asSlice(0, length);
      }
    };
  }
}

package io.vmm4j.devices.block.zstd;

import java.util.zip.DataFormatException;

/** Bits that are read from the beginning of some bytes to their end. */
final class ForwardBits {
  private final byte[] bytes;
  private final int begin;
  private final int end;
  private int read;

  ForwardBits(byte[] bytes, int begin, int end) {
    this.bytes = bytes;
    this.begin = begin;
    this.end = end;
  }

  /** Reads up to 16 bits. */
  int read(int count) throws DataFormatException {
    if (read + count > 8 * (end - begin)) {
      throw new DataFormatException("a table without an end");
    }
    int first = begin + (read >> 3);
    int word = 0;
    for (int i = 0; i < 3 && first + i < end; i++) {
      word |= (bytes[first + i] & 0xFF) << 8 * i;
    }
    int value = word >>> (read & 7) & (1 << count) - 1;
    read += count;
    return value;
  }

  /** Where the byte ends that was read last. */
  int endByte() {
    return begin + (read + 7 >> 3);
  }
}

package io.vmm4j.devices.block.zstd;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.zip.DataFormatException;

/**
 * Bits that are read from the end of some bytes to their beginning (RFC 8878, 4.1). Beyond the
 * beginning there are zeros; {@link #left} tells how many were read.
 */
final class BackwardBits {
  private static final VarHandle WORDS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private final byte[] bytes;
  private final int begin;
  private final int end;
  private long left;

  /** Reads bytes of which the last one ends with a marker: its highest bit that is set. */
  BackwardBits(byte[] bytes, int begin, int end) throws DataFormatException {
    this.bytes = bytes;
    this.begin = begin;
    this.end = end;
    if (end <= begin || bytes[end - 1] == 0) {
      throw new DataFormatException("a stream of bits without an end");
    }
    int last = bytes[end - 1] & 0xFF;
    this.left = 8L * (end - begin - 1) + (31 - Integer.numberOfLeadingZeros(last));
  }

  /** How many bits are left; below 0 by how many were read beyond the beginning. */
  long left() {
    return left;
  }

  /** Reads up to 31 bits. */
  int read(int count) {
    left -= count;
    long first = left >> 3;
    long word;
    if (first >= 0 && begin + first + Long.BYTES <= end) {
      word = (long) WORDS.get(bytes, (int) (begin + first));
    } else {
      word = 0;
      for (int i = 0; i < Long.BYTES; i++) {
        long at = begin + first + i;
        if (first + i >= 0 && at < end) {
          word |= (bytes[(int) at] & 0xFFL) << 8 * i;
        }
      }
    }
    return (int) (word >>> (left & 7) & (1L << count) - 1);
  }
}

package io.vmm4j.devices.block;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Numbers of blocks as bytes. They stand as runs of successive numbers: how far the first is from
 * where the run before has ended, signed, as {@code (n << 1) ^ (n >> 63)}, and how many there are.
 * Both are in groups of 7 bits, the lowest first, each but the last with bit 7 set.
 */
public final class BlockRuns {
  private static final int MORE = 0x80;
  private static final int GROUP_BITS = 7;
  private static final int FIRST_ROOM = 1024;

  private BlockRuns() {}

  /** Encodes numbers, in their order. */
  public static byte[] encode(long[] blocks) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    long end = 0;
    int at = 0;
    while (at < blocks.length) {
      int first = at++;
      while (at < blocks.length && blocks[at] == blocks[at - 1] + 1) {
        at++;
      }
      long distance = blocks[first] - end;
      write(out, distance << 1 ^ distance >> 63);
      write(out, at - first);
      end = blocks[at - 1] + 1;
    }
    return out.toByteArray();
  }

  /** Encodes numbers of 8 bytes, little-endian. */
  public static byte[] encodeNumbers(byte[] numbers) {
    if (numbers.length % Long.BYTES != 0) {
      throw new IllegalArgumentException("overlay: %d bytes".formatted(numbers.length));
    }
    long[] blocks = new long[numbers.length / Long.BYTES];
    ByteBuffer.wrap(numbers).order(ByteOrder.LITTLE_ENDIAN).asLongBuffer().get(blocks);
    return encode(blocks);
  }

  private static void write(ByteArrayOutputStream out, long value) {
    long rest = value;
    while ((rest & -MORE) != 0) {
      out.write((int) rest & MORE - 1 | MORE);
      rest >>>= GROUP_BITS;
    }
    out.write((int) rest);
  }

  /**
   * Decodes what may come from anywhere.
   *
   * @param most how many numbers there may be
   * @throws IllegalArgumentException if there are more, or the bytes are none of this form
   */
  static long[] decode(byte[] bytes, int most) {
    ByteBuffer in = ByteBuffer.wrap(bytes);
    long[] blocks = new long[Math.min(most, FIRST_ROOM)];
    int count = 0;
    long end = 0;
    while (in.hasRemaining()) {
      long code = read(in);
      long first = end + (code >>> 1 ^ -(code & 1));
      long length = read(in);
      if (length < 1 || length > most - count) {
        throw new IllegalArgumentException("overlay: more than %d blocks".formatted(most));
      }
      if (count + length > blocks.length) {
        blocks = Arrays.copyOf(blocks, (int) Math.min(most, 2 * (count + length)));
      }
      for (long i = 0; i < length; i++) {
        blocks[count++] = first + i;
      }
      end = first + length;
    }
    return Arrays.copyOf(blocks, count);
  }

  private static long read(ByteBuffer in) {
    long value = 0;
    for (int shift = 0; shift < Long.SIZE && in.hasRemaining(); shift += GROUP_BITS) {
      byte group = in.get();
      value |= (long) (group & MORE - 1) << shift;
      if ((group & MORE) == 0) {
        return value;
      }
    }
    throw new IllegalArgumentException("overlay: the list of blocks is damaged");
  }
}

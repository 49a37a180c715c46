package io.vmm4j.devices.block.zstd;

import java.util.Arrays;
import java.util.zip.DataFormatException;

/**
 * Unpacks frames of Zstandard (RFC 8878, 3.1). What is packed may come from anywhere: nothing is
 * written beyond the target, and what is allocated besides is bounded by the size of a block, 128
 * KiB. Checksums are not looked at, and dictionaries are refused.
 */
public final class Zstd {
  private static final int MAGIC = 0xFD2FB528;
  private static final int SKIPPABLE = 0x184D2A50;
  private static final int SKIPPABLE_MASK = -16;

  private final byte[] in;
  private final byte[] out;
  private int at;
  private int done;

  private Zstd(byte[] in, byte[] out) {
    this.in = in;
    this.out = out;
  }

  /**
   * Unpacks frames until the target is full; what follows is left alone.
   *
   * @throws DataFormatException if they are damaged, or end before
   */
  public static void unpack(byte[] packed, byte[] target) throws DataFormatException {
    try {
      new Zstd(packed, target).frames();
    } catch (IndexOutOfBoundsException e) {
      DataFormatException damaged = new DataFormatException("a part of it is beyond the end");
      damaged.initCause(e);
      throw damaged;
    }
  }

  private long number(int bytes) {
    long value = 0;
    for (int i = 0; i < bytes; i++) {
      value |= (in[at + i] & 0xFFL) << 8 * i;
    }
    at += bytes;
    return value;
  }

  private void skip(long bytes) throws DataFormatException {
    if (bytes > in.length - at) {
      throw new DataFormatException("a part of it is beyond the end");
    }
    at += (int) bytes;
  }

  private void frames() throws DataFormatException {
    while (done < out.length) {
      int magic = (int) number(4);
      if ((magic & SKIPPABLE_MASK) == SKIPPABLE) {
        skip(number(4));
      } else if (magic == MAGIC) {
        frame();
      } else {
        throw new DataFormatException("no frame of Zstandard");
      }
    }
  }

  private void frame() throws DataFormatException {
    int descriptor = (int) number(1);
    boolean single = (descriptor & 0x20) != 0;
    if ((descriptor & 8) != 0) {
      throw new DataFormatException("a frame with a reserved bit");
    }
    if (!single) {
      skip(1); // the size of the window: all of the target is one
    }
    int dictionaryBytes = new int[] {0, 1, 2, 4}[descriptor & 3];
    if (number(dictionaryBytes) != 0) {
      throw new DataFormatException("a frame with a dictionary");
    }
    int size = descriptor >>> 6;
    skip(size == 0 ? single ? 1 : 0 : 1L << size);
    ZstdBlock blocks = new ZstdBlock(in, out, done);
    boolean last = false;
    while (!last && done < out.length) {
      last = block(blocks);
    }
    if (last && (descriptor & 4) != 0) {
      skip(4);
    }
  }

  private boolean block(ZstdBlock blocks) throws DataFormatException {
    int header = (int) number(3);
    int size = header >>> 3;
    if (size > ZstdBlock.MOST_BYTES) {
      throw new DataFormatException("a block of %d bytes".formatted(size));
    }
    switch (header >>> 1 & 3) {
      case 0 -> {
        System.arraycopy(in, at, out, done, size);
        done += size;
        at += size;
      }
      case 1 -> {
        Arrays.fill(out, done, done + size, (byte) number(1));
        done += size;
      }
      case 2 -> {
        int begin = at;
        skip(size);
        done = blocks.decode(begin, at, done);
      }
      default -> throw new DataFormatException("a block of a reserved type");
    }
    return (header & 1) != 0;
  }
}

package io.vmm4j.engine.boot;

import java.io.IOException;

/**
 * LZ4 in the legacy frame format, which {@code lz4 -l} writes and Linux takes (lz4_Frame_format.md,
 * "Legacy frame"; lz4_Block_format.md): a magic number, then blocks of a 32-bit length and data,
 * each of at most 8 MiB unpacked.
 */
final class Lz4Legacy {
  private static final int MAGIC_BYTES = 4;
  private static final int MIN_MATCH = 4;

  private final byte[] in;
  private final int inEnd;
  private final byte[] out;
  private int inAt;
  private int outAt;

  private Lz4Legacy(byte[] in, int inEnd, byte[] out) {
    this.in = in;
    this.inEnd = inEnd;
    this.out = out;
  }

  /**
   * Unpacks the first {@code length} bytes of {@code packed}.
   *
   * @return how many bytes of {@code unpacked} were written
   * @throws IOException if the data is damaged or does not fit
   */
  static int unpack(byte[] packed, int length, byte[] unpacked) throws IOException {
    Lz4Legacy decoder = new Lz4Legacy(packed, length, unpacked);
    decoder.inAt = MAGIC_BYTES;
    while (decoder.inAt < length) {
      decoder.block();
    }
    return decoder.outAt;
  }

  private void block() throws IOException {
    int header = inAt;
    if (inEnd - inAt < 4) {
      throw new IOException("the length of the lz4 block at 0x%x is cut off".formatted(header));
    }
    long bytes = (next() | next() << 8 | next() << 16) | (long) next() << 24;
    if (bytes > inEnd - inAt) {
      throw new IOException(
          "the lz4 block at 0x%x has 0x%x bytes, but only 0x%x are left"
              .formatted(header, bytes, inEnd - inAt));
    }
    int end = inAt + (int) bytes;
    int start = outAt;
    while (inAt < end) {
      int token = next();
      literals(length(token >> 4, end), end);
      if (inAt == end) {
        return; // the last sequence has no match
      }
      if (end - inAt < 2) {
        throw damaged();
      }
      int distance = next() | next() << 8;
      match(start, distance, length(token & 15, end) + MIN_MATCH);
    }
  }

  private int next() {
    return in[inAt++] & 0xFF;
  }

  private int length(int nibble, int end) throws IOException {
    int length = nibble;
    if (nibble == 15) {
      int more;
      do {
        if (inAt >= end || length > out.length) {
          throw damaged();
        }
        more = next();
        length += more;
      } while (more == 255);
    }
    return length;
  }

  private void literals(int length, int end) throws IOException {
    if (length > end - inAt || length > out.length - outAt) {
      throw damaged();
    }
    System.arraycopy(in, inAt, out, outAt, length);
    inAt += length;
    outAt += length;
  }

  private void match(int start, int distance, int length) throws IOException {
    if (distance == 0 || distance > outAt - start || length > out.length - outAt) {
      throw damaged();
    }
    int from = outAt - distance;
    if (distance >= length) {
      System.arraycopy(out, from, out, outAt, length);
    } else {
      // The match overlaps what it makes: byte by byte, a run repeats itself.
      for (int i = 0; i < length; i++) {
        out[outAt + i] = out[from + i];
      }
    }
    outAt += length;
  }

  private IOException damaged() {
    return new IOException("the lz4 data is damaged before offset 0x%x".formatted(inAt));
  }
}

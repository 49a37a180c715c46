package io.vmm4j.engine.boot;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * LZ4 in the legacy frame format, which {@code lz4 -l} writes and Linux takes (lz4_Frame_format.md,
 * "Legacy frame"; lz4_Block_format.md): a magic number, then blocks of a 32-bit length and data,
 * each of at most 8 MiB unpacked.
 */
final class Lz4Legacy {
  private static final int MAGIC_BYTES = 4;
  private static final int MIN_MATCH = 4;
  private static final int MOST_BLOCK_BYTES = 8 << 20;

  private final byte[] in;
  private final int inEnd;

  /** The present block; a match never reaches into another. */
  private final byte[] out;

  private int inAt;
  private int outAt;

  private Lz4Legacy(byte[] in, int inEnd, int mostBytes) {
    this.in = in;
    this.inEnd = inEnd;
    this.out = new byte[mostBytes];
  }

  /**
   * Unpacks the first {@code length} bytes of {@code packed}.
   *
   * @return how many bytes of {@code unpacked} were written
   * @throws IOException if the data is damaged or does not fit
   */
  static long unpack(byte[] packed, int length, MemorySegment unpacked) throws IOException {
    int most = (int) Math.min(MOST_BLOCK_BYTES, unpacked.byteSize());
    Lz4Legacy decoder = new Lz4Legacy(packed, length, most);
    decoder.inAt = MAGIC_BYTES;
    long written = 0;
    while (decoder.inAt < length) {
      decoder.outAt = 0;
      decoder.block();
      if (decoder.outAt > unpacked.byteSize() - written) {
        throw decoder.damaged();
      }
      MemorySegment.copy(decoder.out, 0, unpacked, ValueLayout.JAVA_BYTE, written, decoder.outAt);
      written += decoder.outAt;
    }
    return written;
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
      match(distance, length(token & 15, end) + MIN_MATCH);
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

  private void match(int distance, int length) throws IOException {
    if (distance == 0 || distance > outAt || length > out.length - outAt) {
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

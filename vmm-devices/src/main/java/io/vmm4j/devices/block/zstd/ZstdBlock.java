package io.vmm4j.devices.block.zstd;

import java.util.Arrays;
import java.util.zip.DataFormatException;
import org.jspecify.annotations.Nullable;

/**
 * The compressed blocks of one frame (RFC 8878, 3.1.1.3): literals, and sequences that copy them
 * and what is there already. Tables and offsets of one block may be used by the next.
 */
final class ZstdBlock {
  /** The most bytes of a block, packed or not. */
  static final int MOST_BYTES = 128 << 10;

  private static final int RAW = 0;
  private static final int RLE = 1;
  private static final int TREELESS = 3;

  private final byte[] in;
  private final byte[] out;
  private final int frameBegin;
  private final byte[] literals = new byte[MOST_BYTES];
  private int literalCount;
  private @Nullable HuffmanTable huffman;
  private final SequenceCode lengths = SequenceCode.literalLengths();
  private final SequenceCode offsets = SequenceCode.offsets();
  private final SequenceCode matches = SequenceCode.matchLengths();
  private final int[] recent = {1, 4, 8};

  /** Blocks of a frame whose contents begin at a place of the target. */
  ZstdBlock(byte[] in, byte[] out, int frameBegin) {
    this.in = in;
    this.out = out;
    this.frameBegin = frameBegin;
  }

  /**
   * Decodes a block.
   *
   * @param done how much of the target is there
   * @return how much is there then
   */
  int decode(int begin, int end, int done) throws DataFormatException {
    int at = literals(begin, end);
    int head = in[at++] & 0xFF;
    int count = head;
    if (head == 255) {
      count = (in[at] & 0xFF) + ((in[at + 1] & 0xFF) << 8) + 0x7F00;
      at += 2;
    } else if (head >= 128) {
      count = (head - 128 << 8) + (in[at++] & 0xFF);
    }
    if (count == 0) {
      return copy(0, literalCount, done);
    }
    int modes = in[at++] & 0xFF;
    if ((modes & 3) != 0) {
      throw new DataFormatException("sequences with a reserved mode");
    }
    at = lengths.read(modes >>> 6, in, at, end);
    at = offsets.read(modes >>> 4 & 3, in, at, end);
    at = matches.read(modes >>> 2 & 3, in, at, end);
    return sequences(new BackwardBits(in, at, end), count, done);
  }

  private int copy(int from, int count, int done) throws DataFormatException {
    if (count > literalCount - from) {
      throw new DataFormatException("more literals than there are");
    }
    System.arraycopy(literals, from, out, done, count);
    return done + count;
  }

  private int sequences(BackwardBits bits, int count, int begin) throws DataFormatException {
    int done = begin;
    int used = 0;
    lengths.begin(bits);
    offsets.begin(bits);
    matches.begin(bits);
    for (int i = 0; i < count; i++) {
      int offsetValue = offsets.value(bits);
      int match = matches.value(bits);
      int length = lengths.value(bits);
      if (i < count - 1) {
        lengths.next(bits);
        matches.next(bits);
        offsets.next(bits);
      }
      if (bits.left() < 0) {
        throw new DataFormatException("sequences that end too early");
      }
      done = copy(used, length, done);
      used += length;
      int offset = offset(offsetValue, length);
      if (offset > done - frameBegin) {
        throw new DataFormatException(
            "a match %d bytes back, where there are less".formatted(offset));
      }
      for (int end = done + match; done < end; done++) { // it may copy what it has written
        out[done] = out[done - offset];
      }
    }
    if (bits.left() != 0) {
      throw new DataFormatException("%d bits behind the sequences".formatted(bits.left()));
    }
    return copy(used, literalCount - used, done);
  }

  /** The offset that a value means: 1 to 3 are recent ones. */
  private int offset(int value, int literalLength) throws DataFormatException {
    int offset;
    int index = value - 1 + (literalLength == 0 ? 1 : 0);
    if (value < 0 || value > 3) {
      offset = value - 3;
      index = 2;
    } else if (index == 3) {
      offset = recent[0] - 1;
      index = 2;
    } else {
      offset = recent[index];
    }
    if (offset <= 0) {
      throw new DataFormatException("a match %d bytes back".formatted(offset));
    }
    System.arraycopy(recent, 0, recent, 1, index);
    recent[0] = offset;
    return offset;
  }

  // ---- literals ----

  private int literals(int begin, int end) throws DataFormatException {
    int first = in[begin] & 0xFF;
    int type = first & 3;
    int form = first >>> 2 & 3;
    if (type == RAW || type == RLE) {
      int bytes = new int[] {1, 2, 1, 3}[form];
      int count = (int) (number(begin, bytes) >>> (bytes == 1 ? 3 : 4));
      int at = begin + bytes;
      require(count <= MOST_BYTES);
      literalCount = count;
      if (type == RAW) {
        require(count <= end - at);
        System.arraycopy(in, at, literals, 0, count);
        return at + count;
      }
      Arrays.fill(literals, 0, count, in[at]);
      return at + 1;
    }
    int sizeBits = new int[] {10, 10, 14, 18}[form];
    int bytes = (4 + 2 * sizeBits + 7) / 8;
    long header = number(begin, bytes) >>> 4;
    int count = (int) (header & (1 << sizeBits) - 1);
    int packed = (int) (header >>> sizeBits);
    int at = begin + bytes;
    require(count <= MOST_BYTES && packed <= end - at);
    literalCount = count;
    int after = at + packed;
    HuffmanTable table = huffman;
    if (type != TREELESS) {
      HuffmanTable.Read read = HuffmanTable.read(in, at, after);
      table = read.table();
      huffman = table;
      at = read.end();
    }
    if (table == null) {
      throw new DataFormatException("literals of a code that was not there");
    }
    if (form == 0) {
      table.decode(in, at, after, literals, 0, count);
    } else {
      fourStreams(table, at, after);
    }
    return after;
  }

  private void fourStreams(HuffmanTable table, int begin, int end) throws DataFormatException {
    int at = begin + 6;
    int each = (literalCount + 3) / 4;
    for (int i = 0; i < 4; i++) {
      int after = i == 3 ? end : at + (int) number(begin + 2 * i, 2);
      int from = each * i;
      require(after <= end && from <= literalCount);
      int count = i == 3 ? literalCount - from : Math.min(each, literalCount - from);
      table.decode(in, at, after, literals, from, count);
      at = after;
    }
  }

  private long number(int begin, int bytes) {
    long value = 0;
    for (int i = 0; i < bytes; i++) {
      value |= (in[begin + i] & 0xFFL) << 8 * i;
    }
    return value;
  }

  private static void require(boolean holds) throws DataFormatException {
    if (!holds) {
      throw new DataFormatException("literals that are too long");
    }
  }
}

package io.vmm4j.devices.block.zstd;

import java.util.Arrays;
import java.util.zip.DataFormatException;

/**
 * A table of a Huffman code (RFC 8878, 4.2): by the next bits of a stream, the symbol and how many
 * bits it takes.
 *
 * @param most how many bits the longest code has
 */
record HuffmanTable(int most, byte[] symbols, byte[] bits) {
  private static final int MOST_BITS = 11;
  private static final int MOST_WEIGHTS = 255;
  private static final int WEIGHT_LOG = 6;
  private static final int DIRECT = 128;

  /** A table, and where its description ends. */
  record Read(HuffmanTable table, int end) {}

  /** Reads a description. */
  static Read read(byte[] bytes, int begin, int end) throws DataFormatException {
    int head = bytes[begin] & 0xFF;
    int from = begin + 1;
    byte[] weights = new byte[MOST_WEIGHTS + 1];
    int count;
    int after;
    if (head >= DIRECT) {
      count = head - DIRECT + 1;
      after = from + (count + 1) / 2;
      require(after <= end);
      for (int i = 0; i < count; i++) {
        weights[i] = (byte) (bytes[from + i / 2] >>> (i % 2 == 0 ? 4 : 0) & 15);
      }
    } else {
      after = from + head;
      require(after <= end);
      count = weights(bytes, from, after, weights);
    }
    return new Read(of(weights, count), after);
  }

  private static void require(boolean holds) throws DataFormatException {
    if (!holds) {
      throw new DataFormatException("weights without an end");
    }
  }

  /** Weights that two states give in turn. */
  private static int weights(byte[] bytes, int begin, int end, byte[] weights)
      throws DataFormatException {
    FseTable.Read read = FseTable.read(bytes, begin, end, WEIGHT_LOG, MOST_BITS + 2);
    FseTable table = read.table();
    BackwardBits in = new BackwardBits(bytes, read.end(), end);
    int state = table.begin(in);
    int other = table.begin(in);
    int count = 0;
    while (count < MOST_WEIGHTS - 1) {
      weights[count++] = (byte) table.symbol(state);
      state = table.next(state, in);
      if (in.left() < 0) {
        weights[count++] = (byte) table.symbol(other);
        return count;
      }
      int swapped = state;
      state = other;
      other = swapped;
    }
    throw new DataFormatException("more than %d weights".formatted(MOST_WEIGHTS));
  }

  /** The last weight is what the others leave. */
  private static HuffmanTable of(byte[] weights, int count) throws DataFormatException {
    int sum = 0;
    for (int i = 0; i < count; i++) {
      require(weights[i] <= MOST_BITS);
      sum += weights[i] == 0 ? 0 : 1 << weights[i] - 1;
    }
    int most = 32 - Integer.numberOfLeadingZeros(sum);
    if (sum == 0 || most > MOST_BITS) {
      throw new DataFormatException("a Huffman code of %d bits".formatted(most));
    }
    int left = (1 << most) - sum;
    if (Integer.bitCount(left) != 1) {
      throw new DataFormatException("a Huffman code that does not add up");
    }
    weights[count] = (byte) (1 + Integer.numberOfTrailingZeros(left));
    byte[] symbols = new byte[1 << most];
    byte[] bits = new byte[1 << most];
    int place = 0;
    for (int weight = 1; weight <= most; weight++) {
      int length = 1 << weight - 1;
      for (int symbol = 0; symbol <= count; symbol++) {
        if (weights[symbol] == weight) {
          Arrays.fill(symbols, place, place + length, (byte) symbol);
          Arrays.fill(bits, place, place + length, (byte) (most + 1 - weight));
          place += length;
        }
      }
    }
    require(place == symbols.length);
    return new HuffmanTable(most, symbols, bits);
  }

  /** Decodes a stream of so many symbols, which it has exactly. */
  void decode(byte[] bytes, int begin, int end, byte[] target, int at, int count)
      throws DataFormatException {
    BackwardBits in = new BackwardBits(bytes, begin, end);
    int mask = (1 << most) - 1;
    int state = in.read(most);
    for (int i = 0; i < count; i++) {
      target[at + i] = symbols[state];
      int length = bits[state];
      state = (state << length | in.read(length)) & mask;
    }
    if (in.left() != -most) {
      throw new DataFormatException("a stream of other than %d symbols".formatted(count));
    }
  }
}

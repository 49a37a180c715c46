package io.vmm4j.devices.block.zstd;

import java.util.Arrays;
import java.util.zip.DataFormatException;

/**
 * A table of a finite-state entropy code (RFC 8878, 4.1): for each state its symbol, and what leads
 * to the next state.
 *
 * @param log the number of states as a power of 2
 */
record FseTable(int log, byte[] symbols, byte[] bits, short[] bases) {
  private static final int MIN_LOG = 5;

  /** A table, and where its description ends. */
  record Read(FseTable table, int end) {}

  /** A table of one symbol, which takes no bits. */
  static FseTable of(int symbol) {
    return new FseTable(0, new byte[] {(byte) symbol}, new byte[1], new short[1]);
  }

  /** Makes a table of how often each symbol comes: -1 is less often than once. */
  static FseTable of(int log, int... counts) throws DataFormatException {
    int size = 1 << log;
    byte[] symbols = new byte[size];
    int[] next = new int[counts.length];
    int high = size;
    for (int s = 0; s < counts.length; s++) {
      next[s] = counts[s];
      if (counts[s] == -1) {
        symbols[--high] = (byte) s;
        next[s] = 1;
      }
    }
    int step = (size >> 1) + (size >> 3) + 3;
    int place = 0;
    for (int s = 0; s < counts.length; s++) {
      for (int i = 0; i < counts[s]; i++) {
        symbols[place] = (byte) s;
        do {
          place = place + step & size - 1;
        } while (place >= high);
      }
    }
    if (place != 0) {
      throw new DataFormatException("a table that does not come out");
    }
    byte[] bits = new byte[size];
    short[] bases = new short[size];
    for (int state = 0; state < size; state++) {
      int number = next[symbols[state]]++;
      bits[state] = (byte) (log - (31 - Integer.numberOfLeadingZeros(number)));
      bases[state] = (short) ((number << bits[state]) - size);
    }
    return new FseTable(log, symbols, bits, bases);
  }

  /**
   * Reads a description.
   *
   * @param most the largest log that is allowed
   * @param mostSymbols how many symbols there may be
   */
  static Read read(byte[] bytes, int begin, int end, int most, int mostSymbols)
      throws DataFormatException {
    ForwardBits in = new ForwardBits(bytes, begin, end);
    int log = in.read(4) + MIN_LOG;
    if (log > most) {
      throw new DataFormatException("a table of 2^%d states".formatted(log));
    }
    int[] counts = new int[mostSymbols];
    int used = 0;
    int left = 1 << log;
    while (left > 0 && used < mostSymbols) {
      int count = count(in, left);
      left -= Math.abs(count);
      counts[used++] = count;
      if (count == 0) {
        int repeat;
        do {
          repeat = in.read(2);
          used += repeat;
        } while (repeat == 3 && used < mostSymbols);
      }
    }
    if (left != 0 || used > mostSymbols) {
      throw new DataFormatException("a table that does not add up");
    }
    return new Read(of(log, Arrays.copyOf(counts, used)), in.endByte());
  }

  /** A number up to what is left, in as few bits as it can be in. */
  private static int count(ForwardBits in, int left) throws DataFormatException {
    int bits = 32 - Integer.numberOfLeadingZeros(left + 1);
    int small = (1 << bits) - 1 - (left + 1);
    int value = in.read(bits - 1);
    if (value >= small) {
      value |= in.read(1) << bits - 1;
      if (value >= 1 << bits - 1) {
        value -= small;
      }
    }
    return value - 1;
  }

  /** The first state. */
  int begin(BackwardBits in) {
    return in.read(log);
  }

  int symbol(int state) {
    return symbols[state];
  }

  /** The next state. */
  int next(int state, BackwardBits in) {
    return bases[state] + in.read(bits[state]);
  }
}

package io.vmm4j.devices.block.zstd;

import java.util.zip.DataFormatException;

/**
 * One of the three numbers of a sequence (RFC 8878, 3.1.1.3.2): a symbol of an FSE code, which says
 * what bits to add to what base.
 */
final class SequenceCode {
  private static final int PREDEFINED = 0;
  private static final int RLE = 1;
  private static final int COMPRESSED = 2;

  private static final int[] LITERAL_BITS =
      bits(16, 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
  private static final int[] MATCH_BITS =
      bits(32, 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
  private static final int[] OFFSET_BITS = new int[32];
  private static final int[] OFFSET_BASES = new int[32];

  private static final FseTable LITERALS =
      table(
          6, 4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1,
          1, 1, 1, -1, -1, -1, -1);
  private static final FseTable MATCHES =
      table(
          6, 1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
          1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1);
  private static final FseTable OFFSETS =
      table(
          5, 1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1,
          -1);

  static {
    for (int i = 0; i < OFFSET_BITS.length; i++) {
      OFFSET_BITS[i] = i;
      OFFSET_BASES[i] = 1 << i;
    }
  }

  private final FseTable predefined;
  private final int mostLog;
  private final int[] bases;
  private final int[] bits;
  private FseTable table;
  private boolean known;
  private int state;

  private SequenceCode(FseTable predefined, int mostLog, int[] bases, int[] bits) {
    this.predefined = predefined;
    this.mostLog = mostLog;
    this.bases = bases;
    this.bits = bits;
    this.table = predefined;
  }

  static SequenceCode literalLengths() {
    return new SequenceCode(LITERALS, 9, bases(0, LITERAL_BITS), LITERAL_BITS);
  }

  static SequenceCode matchLengths() {
    return new SequenceCode(MATCHES, 9, bases(3, MATCH_BITS), MATCH_BITS);
  }

  static SequenceCode offsets() {
    return new SequenceCode(OFFSETS, 8, OFFSET_BASES, OFFSET_BITS);
  }

  /** No bits for the first symbols, and then some. */
  private static int[] bits(int without, int... more) {
    int[] all = new int[without + more.length];
    System.arraycopy(more, 0, all, without, more.length);
    return all;
  }

  /** Each symbol begins where the one before ends. */
  private static int[] bases(int first, int[] bits) {
    int[] bases = new int[bits.length];
    int next = first;
    for (int i = 0; i < bits.length; i++) {
      bases[i] = next;
      next += 1 << bits[i];
    }
    return bases;
  }

  private static FseTable table(int log, int... counts) {
    try {
      return FseTable.of(log, counts);
    } catch (DataFormatException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Reads which table there is.
   *
   * @return where its description ends
   */
  int read(int mode, byte[] in, int at, int end) throws DataFormatException {
    int after = at;
    switch (mode) {
      case PREDEFINED -> table = predefined;
      case RLE -> {
        int symbol = in[at] & 0xFF;
        if (symbol >= bases.length) {
          throw new DataFormatException("the symbol %d of a sequence".formatted(symbol));
        }
        table = FseTable.of(symbol);
        after = at + 1;
      }
      case COMPRESSED -> {
        FseTable.Read read = FseTable.read(in, at, end, mostLog, bases.length);
        table = read.table();
        after = read.end();
      }
      default -> {
        if (!known) {
          throw new DataFormatException("sequences of a code that was not there");
        }
      }
    }
    known = true;
    return after;
  }

  void begin(BackwardBits in) {
    state = table.begin(in);
  }

  int value(BackwardBits in) {
    int symbol = table.symbol(state);
    return bases[symbol] + in.read(bits[symbol]);
  }

  void next(BackwardBits in) {
    state = table.next(state, in);
  }
}

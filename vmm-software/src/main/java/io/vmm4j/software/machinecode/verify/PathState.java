package io.vmm4j.software.machinecode.verify;

import java.util.Arrays;

/**
 * What is known at one place of a piece of code, on every path that leads there.
 *
 * <p>Something is known of two registers alone: R15, in which addresses are checked, and R11, which
 * indexes tables. A value of the host (an address, or what a register held on the way in) is
 * <em>secret</em>: the guest must not come to see it.
 */
final class PathState {
  // Kinds of values in R15. The word has the kind in bits 0 to 4, WRITABLE, the logarithm of the
  // alignment, and a number of bytes.

  /** A value that the guest may see. */
  static final int ANY = 0;

  /** A value that the guest must not see. */
  static final int SECRET = 1;

  /** An address less a tag of the entry of that address, which R11 says. */
  static final int TAGGED = 2;

  /** An offset into the page of that tag, at least so many bytes before its end. */
  static final int OFFSET = 3;

  /** An address of the host in a page of the guest, at least so many bytes before its end. */
  static final int HOST = 4;

  /** An address less a page of the entry of that address in the table of code pages. */
  static final int PAGE_TAGGED = 5;

  /** An offset into that page. */
  static final int PAGE_OFFSET = 6;

  /** Four times that. */
  static final int SLOT_OFFSET = 7;

  /** The address of an element of the table of a code page. */
  static final int SLOT = 8;

  /** An element of such a table. */
  static final int CODE_OR_ZERO = 9;

  /** An element that is not zero: the offset of code. */
  static final int CODE_OFFSET = 10;

  /** The address of code. */
  static final int CODE = 11;

  /** The accumulator, of so many bytes. */
  static final int ACCUMULATOR = 12;

  /** The sign of the accumulator in every bit, of so many bytes. */
  static final int SIGN = 13;

  /** R11 + 1, of so many bytes. */
  static final int PLUS_ONE = 14;

  /** {@link #HOST} plus RCX elements of so many bytes. The sum may lie beyond the page. */
  static final int END = 15;

  /** The same less the host's address of the page. */
  static final int END_OFFSET = 16;

  /** An address of the host behind which RCX elements of so many bytes lie in a page. */
  static final int COUNTED = 17;

  private static final int KIND = 31;
  private static final int WRITABLE = 1 << 8;
  private static final int ALIGNMENT_SHIFT = 12;
  private static final int BYTES_SHIFT = 16;

  // Kinds of values in R11.

  /** Nothing is known but how many of its bytes the guest may see. */
  static final int INDEX_ANY = 0;

  /** What R15 is, or its low half. */
  static final int INDEX_COPY = 1;

  /** (address >> shift & mask) << left. */
  static final int INDEX_PART = 2;

  // What the host's flags are of.

  static final int FLAGS_ANY = 0;

  /** A comparison of R15 with a constant. */
  static final int FLAGS_COMPARE = 1;

  /** A test of bits of R15. */
  static final int FLAGS_BITS = 2;

  /** A test of R15 for zero. */
  static final int FLAGS_ZERO = 3;

  /** A comparison of RDX with R11. */
  static final int FLAGS_HIGH = 4;

  /** A comparison of the accumulator's sign in R15 with RDX. */
  static final int FLAGS_SIGN = 5;

  /** The subtraction from the budget. */
  static final int FLAGS_BUDGET = 6;

  /** A comparison of RCX with a constant, of 8 bytes. */
  static final int FLAGS_COUNT = 7;

  // RFLAGS.AC of the guest.

  static final int ACCESS_SAME = 0;
  static final int ACCESS_SET = 1;
  static final int ACCESS_CLEARED = 2;

  // The budget.

  /** Nothing of the block has been taken from it. */
  static final int NOT_TAKEN = 0;

  /** It was taken; whether it reached is not known yet. */
  static final int TAKEN = 1;

  /** It has reached. */
  static final int REACHED = 2;

  /** It has not reached. */
  static final int EXHAUSTED = 3;

  /** It has not reached, and was given back. */
  static final int GIVEN_BACK = 4;

  /** Nothing is known of the most that a value can be. */
  static final long UNKNOWN = -1;

  static final int TEMPORARIES = 3;

  /** No word was stored that says why code is left. */
  static final long NO_EXIT = -1;

  int address;
  int index;

  /** The low bytes of R11 that the guest may see. */
  int indexSeen;

  /** Whether R11 follows from the address that R15 is or was before the check. */
  boolean indexOfAddress;

  int shift;
  long mask;
  int left;

  /** R11 is at most this, or {@link #UNKNOWN}. */
  long indexMost;

  /** RCX is at most this, or {@link #UNKNOWN}. */
  long countMost;

  /** The values in RSI and RDI: {@link #ANY}, {@link #SECRET} or {@link #COUNTED}. */
  int source;

  int destination;

  /** Whether RDI was what R15 is, and has moved on from there by what the guest may see. */
  boolean destinationOfAddress;

  /** The values in the state block's temporaries, as of R15. */
  final int[] kept = new int[TEMPORARIES];

  /** The low bytes of the temporaries that the guest may see. */
  final int[] keptSeen = new int[TEMPORARIES];

  /** The temporary that has what R15 is, or of which R15 is {@link #END}; or -1. */
  int keptAddress;

  int flags;
  int flagsSize;
  long flagsValue;

  /** The size of which RDX is known to be below R11, or 0. */
  int below;

  /** The size of which RDX is known to be the sign of RAX, or 0. */
  int extended;

  /** The size of which R11 is known to be neither 0 nor -1, or 0. */
  int ordinary;

  int budget;

  /** Whether the page of a jump target lies on the stack. */
  boolean pushed;

  /** Whether the page of a jump target has become the present one. */
  boolean moved;

  /** How RFLAGS.AC has changed. */
  int access;

  long exit;

  /** Begins where code is entered, with nothing known. */
  void enter(int newBudget) {
    address = SECRET;
    index = INDEX_ANY;
    indexSeen = 0;
    indexOfAddress = false;
    indexMost = UNKNOWN;
    countMost = UNKNOWN;
    source = ANY;
    destination = ANY;
    destinationOfAddress = false;
    Arrays.fill(kept, SECRET);
    Arrays.fill(keptSeen, 0);
    keptAddress = -1;
    access = ACCESS_SAME;
    flags = FLAGS_ANY;
    below = 0;
    extended = 0;
    ordinary = 0;
    budget = newBudget;
    pushed = false;
    moved = false;
    exit = NO_EXIT;
  }

  void copy(PathState o) {
    address = o.address;
    index = o.index;
    indexSeen = o.indexSeen;
    indexOfAddress = o.indexOfAddress;
    shift = o.shift;
    mask = o.mask;
    left = o.left;
    indexMost = o.indexMost;
    countMost = o.countMost;
    source = o.source;
    destination = o.destination;
    destinationOfAddress = o.destinationOfAddress;
    for (int i = 0; i < TEMPORARIES; i++) {
      kept[i] = o.kept[i];
      keptSeen[i] = o.keptSeen[i];
    }
    keptAddress = o.keptAddress;
    access = o.access;
    flags = o.flags;
    flagsSize = o.flagsSize;
    flagsValue = o.flagsValue;
    below = o.below;
    extended = o.extended;
    ordinary = o.ordinary;
    budget = o.budget;
    pushed = o.pushed;
    moved = o.moved;
    exit = o.exit;
  }

  /**
   * Keeps what is known on both paths.
   *
   * @return false if they differ in what has to be the same: the budget, the stack, the page
   */
  boolean meet(PathState o) {
    address = meet(address, o.address);
    source = meet(source, o.source);
    destination = meet(destination, o.destination);
    destinationOfAddress &= o.destinationOfAddress;
    for (int i = 0; i < TEMPORARIES; i++) {
      kept[i] = meet(kept[i], o.kept[i]);
      keptSeen[i] = Math.min(keptSeen[i], o.keptSeen[i]);
    }
    if (keptAddress != o.keptAddress) {
      keptAddress = -1;
      forgetEnd();
    }
    indexMost = meet(indexMost, o.indexMost);
    countMost = meet(countMost, o.countMost);
    boolean samePart = shift == o.shift && mask == o.mask && left == o.left;
    if (index != o.index || index == INDEX_PART && !samePart) {
      index = INDEX_ANY;
    }
    indexSeen = Math.min(indexSeen, o.indexSeen);
    indexOfAddress &= o.indexOfAddress && index != INDEX_ANY;
    if (!indexOfAddress && needsIndex()) {
      address = ANY;
    }
    if (flags != o.flags || flagsSize != o.flagsSize || flagsValue != o.flagsValue) {
      flags = FLAGS_ANY;
    }
    below = below == o.below ? below : 0;
    extended = extended == o.extended ? extended : 0;
    ordinary = ordinary == o.ordinary ? ordinary : 0;
    exit = exit == o.exit ? exit : NO_EXIT;
    return budget == o.budget && pushed == o.pushed && moved == o.moved && access == o.access;
  }

  private static long meet(long a, long b) {
    return a == UNKNOWN || b == UNKNOWN ? UNKNOWN : Math.max(a, b);
  }

  private static int meet(int a, int b) {
    if (a == b) {
      return a;
    }
    return isSecret(a) || isSecret(b) ? SECRET : ANY;
  }

  // ---- values of R15 ----

  static int kind(int value) {
    return value & KIND;
  }

  static int value(int kind, boolean writable, int bytes) {
    return kind | (writable ? WRITABLE : 0) | bytes << BYTES_SHIFT;
  }

  static boolean isWritable(int value) {
    return (value & WRITABLE) != 0;
  }

  static int bytes(int value) {
    return value >>> BYTES_SHIFT;
  }

  /** What the address is known to be a multiple of. */
  static int alignment(int value) {
    return 1 << (value >> ALIGNMENT_SHIFT & 15);
  }

  static boolean isSecret(int value) {
    return switch (kind(value)) {
      case SECRET, HOST, SLOT, CODE_OR_ZERO, CODE_OFFSET, CODE, END, COUNTED -> true;
      default -> false;
    };
  }

  boolean is(int kind) {
    return kind(address) == kind;
  }

  /** Whether what is known of R15 is a relation to what R11 indexes. */
  private boolean needsIndex() {
    return switch (kind(address)) {
      case TAGGED, OFFSET, PAGE_TAGGED, PAGE_OFFSET, SLOT_OFFSET, END_OFFSET -> true;
      default -> false;
    };
  }

  /** Whether R15 has a value that an address's check can begin with. */
  boolean isPlain() {
    return !isSecret(address) && !needsIndex();
  }

  /** The address in R15 goes through a step of its check, and keeps its alignment. */
  void step(int kind, boolean writable, int bytes) {
    keptAddress = kind == END || kind == END_OFFSET ? keptAddress : -1;
    destinationOfAddress = false;
    address = value(kind, writable, bytes) | address & 15 << ALIGNMENT_SHIFT;
    flags = FLAGS_ANY;
  }

  /** The address in R15 is a multiple of this. */
  void aligned(int alignment) {
    address =
        address & ~(15 << ALIGNMENT_SHIFT)
            | Integer.numberOfTrailingZeros(alignment) << ALIGNMENT_SHIFT;
  }

  // ---- changes of registers ----

  /** R15 was written. */
  void addressWritten(int newAddress) {
    address = newAddress;
    indexOfAddress = false;
    keptAddress = -1;
    destinationOfAddress = false;
    if (flags != FLAGS_HIGH && flags != FLAGS_BUDGET && flags != FLAGS_COUNT) {
      flags = FLAGS_ANY;
    }
  }

  /** A general register was written, of so many bytes, with something that the guest may see. */
  void written(int register, int size) {
    switch (register) {
      case Convention.ADDRESS -> addressWritten(size < 4 && isSecret(address) ? SECRET : ANY);
      case Convention.INDEX -> {
        indexSeen = size >= 4 ? 8 : Math.max(indexSeen, size);
        index = INDEX_ANY;
        indexChanged();
      }
      case Convention.RAX -> {
        if (is(ACCUMULATOR) || is(SIGN)) {
          address = ANY;
        }
        extended = 0;
        if (flags == FLAGS_SIGN) {
          flags = FLAGS_ANY;
        }
      }
      case Convention.RCX -> countChanged();
      case Convention.RSI -> source = size < 4 && isSecret(source) ? SECRET : ANY;
      case Convention.RDI -> {
        destination = size < 4 && isSecret(destination) ? SECRET : ANY;
        destinationOfAddress = false;
      }
      case Convention.RDX -> {
        below = 0;
        extended = 0;
        if (flags == FLAGS_HIGH || flags == FLAGS_SIGN) {
          flags = FLAGS_ANY;
        }
      }
      default -> {}
    }
  }

  /** What was known by RCX is known no longer. */
  private void countChanged() {
    countMost = UNKNOWN;
    if (flags == FLAGS_COUNT) {
      flags = FLAGS_ANY;
    }
    forgetEnd();
    address = uncounted(address);
    source = uncounted(source);
    destination = uncounted(destination);
    for (int i = 0; i < TEMPORARIES; i++) {
      kept[i] = uncounted(kept[i]);
    }
  }

  private static int uncounted(int value) {
    return kind(value) == COUNTED ? SECRET : value;
  }

  /** It is not known any more what R15 is the end of. */
  private void forgetEnd() {
    if (is(END)) {
      address = SECRET;
    } else if (is(END_OFFSET)) {
      address = ANY;
    }
  }

  /** A temporary has another value. */
  void keep(int temporary, int value, int seen) {
    kept[temporary] = value;
    keptSeen[temporary] = seen;
    if (keptAddress == temporary) {
      keptAddress = -1;
      forgetEnd();
    }
  }

  /** What was known by R11 is known no longer. */
  private void indexChanged() {
    indexOfAddress = false;
    indexMost = UNKNOWN;
    if (needsIndex() || is(PLUS_ONE)) {
      address = ANY;
    }
    if (flags == FLAGS_HIGH) {
      flags = FLAGS_ANY;
    }
    below = 0;
    ordinary = 0;
  }

  /** R11 has become a part of the address in R15. */
  void indexIs(int kind) {
    boolean follows = indexOfAddress;
    indexChanged();
    index = kind;
    indexSeen = 8;
    indexOfAddress = follows;
  }
}

package io.vmm4j.software.differential;

import static io.vmm4j.software.differential.Layout.PAGE;

import io.vmm4j.software.cpu.Values;
import io.vmm4j.software.fpu.FloatCases;
import java.util.SplittableRandom;

/**
 * The dice of one case: registers, operands and values, with a bias to what goes on.
 *
 * <p>Some registers are kept: they hold addresses in the data pages (RBX, RBP, RSI, RDI, R12, R13),
 * a small index (R14), and the stack. Instructions are seldom made to write to them, so that most
 * memory operands are where they are meant to be.
 */
final class Draw {
  static final int RCX = 1;
  static final int RSP = 4;
  static final int RSI = 6;
  static final int RDI = 7;
  static final int INDEX = 14;

  private static final int[] POINTERS = {3, 5, 6, 7, 12, 13};
  private static final int[] FREE = {0, 1, 2, 8, 9, 10, 11, 15};

  /** With REX or without; 4 to 6 are AH, CH and DH without. */
  private static final int[] FREE_BYTES = {0, 1, 2, 4, 5, 6, 8, 9, 10, 11, 15};

  private final SplittableRandom random;
  private final Values values;
  private final FloatCases floats;

  /** What the kept registers hold unless the code has changed them. */
  final long[] known = new long[16];

  Draw(long seed) {
    random = new SplittableRandom(seed);
    values = new Values(random.nextLong());
    floats = new FloatCases(random.nextLong());
  }

  int below(int bound) {
    return random.nextInt(bound);
  }

  boolean oneIn(int n) {
    return random.nextInt(n) == 0;
  }

  long nextLong() {
    return random.nextLong();
  }

  int pick(int... from) {
    return from[random.nextInt(from.length)];
  }

  FloatCases floats() {
    return floats;
  }

  /** An integer, edges preferred. */
  long value() {
    return values.next();
  }

  int flags() {
    return values.flags();
  }

  /** Eight bytes of an XMM register or of memory. */
  long lane() {
    return switch (below(8)) {
      case 0, 1, 2 -> floats.doubleBits();
      case 3, 4, 5 -> floats.floatBits() & 0xFFFF_FFFFL | (long) floats.floatBits() << 32;
      case 6 -> values.next();
      default -> nextLong();
    };
  }

  /** A register to write to. */
  int destination() {
    return oneIn(60) ? below(16) : pick(FREE);
  }

  /** A register to read. */
  int source() {
    return below(16);
  }

  int byteRegister() {
    return oneIn(60) ? below(16) : pick(FREE_BYTES);
  }

  /** The address of {@code bytes} bytes of memory. */
  long address(int bytes, int alignment) {
    int chance = below(200);
    if (chance >= 20) {
      long at = Layout.DATA + below(2 * PAGE - Math.max(bytes, 16) - 64);
      return oneIn(chance < 40 ? 1 : 400) ? at : at & -alignment;
    }
    return switch (chance) {
      case 0, 1, 2, 3, 4, 5 -> Layout.DATA + PAGE - below(bytes + 1); // across two pages
      case 6 -> Layout.READ_ONLY - below(bytes + 1);
      case 7, 8 -> Layout.READ_ONLY + (below(PAGE - 64) & -alignment);
      case 9 -> Layout.ABSENT - below(bytes + 1);
      case 10, 11 -> Layout.ABSENT + below(PAGE);
      case 12 -> Layout.BEYOND - below(bytes + 1);
      case 13, 14, 15 -> Layout.BEYOND + (below(PAGE - 64) & -alignment);
      case 16, 17, 18 -> Layout.STACK + (below(PAGE - 64) & -alignment);
      default -> Layout.CODE + below(PAGE - 64);
    };
  }

  /** Memory of a size, mostly aligned as told. */
  Operand memory(int bytes, int alignment) {
    if (oneIn(150)) {
      return wild();
    }
    return at(address(bytes, alignment));
  }

  /** A way to say an address. */
  Operand at(long address) {
    Operand operand =
        switch (below(10)) {
          case 0, 1 -> Operand.ripRelative(address);
          case 2 -> Operand.absolute(address);
          case 3, 4 -> {
            int scale = below(4);
            int base = pick(POINTERS);
            yield Operand.relative(
                base, INDEX, scale, address - known[base] - (known[INDEX] << scale));
          }
          case 5 -> {
            boolean fs = oneIn(2);
            long base = fs ? Layout.FS_BASE : Layout.GS_BASE;
            yield Operand.absolute(address - base).in(fs ? 0x64 : 0x65);
          }
          default -> {
            int base = oneIn(8) ? RSP : pick(POINTERS);
            yield Operand.relative(base, Operand.NONE, 0, address - known[base]);
          }
        };
    if (operand.segmentPrefix() == 0) {
      if (oneIn(12)) {
        operand = operand.narrowed();
      }
      if (oneIn(30)) {
        operand = operand.in(pick(0x26, 0x2E, 0x36, 0x3E)); // of no effect
      }
    }
    return operand;
  }

  /** An address of whatever registers hold. */
  private Operand wild() {
    Operand operand =
        Operand.relative(below(16), oneIn(2) ? Operand.NONE : below(4), below(4), value());
    return oneIn(3) ? operand.narrowed() : operand;
  }

  /** A register or memory, for an instruction that writes to it. */
  Operand target(int bytes) {
    return oneIn(2)
        ? Operand.register(bytes == 1 ? byteRegister() : destination())
        : memory(bytes, oneIn(8) ? 1 : bytes);
  }
}

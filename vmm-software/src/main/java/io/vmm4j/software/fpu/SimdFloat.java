package io.vmm4j.software.fpu;

import static io.vmm4j.software.fpu.FpuExceptions.PRECISION;

/**
 * Scalar single and double precision arithmetic under MXCSR (Intel SDM volume 1, 10.2.3).
 *
 * <p>The JVM's own arithmetic gives the result where the rounding is to nearest, PE is masked and
 * operands and result are comfortably normal; whether it was inexact is then worked out only while
 * PE is not sticky yet. All else goes to {@link SoftFloat}. Nothing is allocated. The two paths are
 * compared with each other and with the host's processor in the tests.
 *
 * <p>Exceptions gather in {@link #exceptions} until the executor settles them for the whole
 * instruction.
 */
public final class SimdFloat {
  private static final int NEAREST_AND_PE_MASKED = 0x1000;
  private static final long PREDICATES = 0xF465_0B9A_7CED_8312L;

  private final SoftFloat single = SoftFloat.single();
  private final SoftFloat twice = SoftFloat.twice();
  private final SoftFloat half = SoftFloat.half();

  /** MXCSR. Change it through {@link #mxcsr(int)}. */
  private int mxcsr = 0x1f80;

  private boolean fast = true;

  /** Whether an inexact result need be noticed. */
  private boolean wantInexact = true;

  /** Exceptions raised since {@link #settle} or {@link #clear}. */
  private int exceptions;

  /** MXCSR. */
  public int mxcsr() {
    return mxcsr;
  }

  /** Sets MXCSR. */
  public void mxcsr(int value) {
    mxcsr = value;
    fast = (value & 0x7000) == NEAREST_AND_PE_MASKED;
    wantInexact = (value & PRECISION) == 0;
    single.control = value;
    twice.control = value;
  }

  /** Drops the exceptions gathered. */
  public void clear() {
    exceptions = 0;
  }

  /** Exceptions gathered since they were last settled. */
  public int exceptions() {
    return exceptions;
  }

  /**
   * Moves the exceptions gathered into MXCSR's sticky flags.
   *
   * @return whether one of them is unmasked, so that the instruction faults
   */
  public boolean settle() {
    int raised = exceptions;
    if (raised == 0) {
      return false;
    }
    exceptions = 0;
    int unmasked = raised & ~(mxcsr >> 7);
    if ((unmasked & FpuExceptions.BEFORE_RESULT) != 0) {
      raised &= FpuExceptions.BEFORE_RESULT;
    }
    mxcsr |= raised;
    wantInexact = (mxcsr & PRECISION) == 0;
    return unmasked != 0;
  }

  private static boolean plain(long a) {
    int exp = (int) (a >>> 52) & 0x7ff;
    return exp - 1 >>> 1 < 1022 || a << 1 == 0;
  }

  private static boolean plain(int a) {
    int exp = a >>> 23 & 0xff;
    return exp - 1 >>> 1 < 126 || a << 1 == 0;
  }

  /** Exponent between 2 and the last but one: neither tiny nor overflowing before or after. */
  private static boolean comfortable(long a) {
    return ((int) (a >>> 52) & 0x7ff) - 2 >>> 1 < 1021;
  }

  private static boolean comfortable(int a) {
    return (a >>> 23 & 0xff) - 2 >>> 1 < 125;
  }

  private long settled(long result, SoftFloat unit) {
    exceptions |= unit.exceptions;
    unit.exceptions = 0;
    return result;
  }

  /** a + b, double precision. */
  public long addDouble(long a, long b) {
    if (fast && plain(a) && plain(b)) {
      double x = Double.longBitsToDouble(a);
      double y = Double.longBitsToDouble(b);
      double sum = x + y;
      long result = Double.doubleToRawLongBits(sum);
      if (comfortable(result) || sum == 0) {
        if (wantInexact) {
          double second = sum - x;
          if (x - (sum - second) + (y - second) != 0) {
            exceptions |= PRECISION;
          }
        }
        return result;
      }
    }
    return settled(twice.add(a, b), twice);
  }

  /** a - b, double precision. */
  public long subtractDouble(long a, long b) {
    if (fast && plain(a) && plain(b)) {
      return addDouble(a, b ^ Long.MIN_VALUE);
    }
    return settled(twice.subtract(a, b), twice);
  }

  /** a × b, double precision. */
  public long multiplyDouble(long a, long b) {
    if (fast && plain(a) && plain(b)) {
      double x = Double.longBitsToDouble(a);
      double y = Double.longBitsToDouble(b);
      long result = Double.doubleToRawLongBits(x * y);
      if (comfortable(result) || x == 0 || y == 0) {
        if (wantInexact && x != 0 && y != 0 && !exactProduct(a, b, result)) {
          exceptions |= PRECISION;
        }
        return result;
      }
    }
    return settled(twice.multiply(a, b), twice);
  }

  /**
   * Whether two normal doubles multiply exactly to a normal result: their significands' product has
   * 105 or 106 bits, which the exponents tell, and must end in 52 or 53 zeros.
   */
  private static boolean exactProduct(long a, long b, long product) {
    int carried = exponent(product) - exponent(a) - exponent(b) + 1023;
    return trailingZeros(a) + trailingZeros(b) >= 52 + carried;
  }

  private static int exponent(long a) {
    return (int) (a >>> 52) & 0x7ff;
  }

  private static int trailingZeros(long a) {
    return Long.numberOfTrailingZeros(a | 1L << 52);
  }

  /** a ÷ b, double precision. */
  public long divideDouble(long a, long b) {
    if (fast && plain(a) && plain(b)) {
      double x = Double.longBitsToDouble(a);
      double y = Double.longBitsToDouble(b);
      double quotient = x / y;
      long result = Double.doubleToRawLongBits(quotient);
      if (comfortable(result) && y != 0 && x != 0) {
        if (wantInexact && !(quotient * y == x && exactProduct(result, b, a))) {
          exceptions |= PRECISION;
        }
        return result;
      }
    }
    return settled(twice.divide(a, b), twice);
  }

  /** ±a×b ± c in double precision, rounded once. */
  public long multiplyAddDouble(
      long a, long b, long c, boolean negateProduct, boolean negateAddend) {
    return settled(twice.multiplyAdd(a, b, c, negateProduct, negateAddend), twice);
  }

  /** ±a×b ± c in single precision, rounded once. */
  public int multiplyAddSingle(int a, int b, int c, boolean negateProduct, boolean negateAddend) {
    long result =
        single.multiplyAdd(
            a & 0xffff_ffffL, b & 0xffff_ffffL, c & 0xffff_ffffL, negateProduct, negateAddend);
    return (int) settled(result, single);
  }

  /** VCVTPH2PS, which knows neither denormals-are-zero nor the denormal exception. */
  public int halfToSingle(int a) {
    half.control = mxcsr & ~SoftFloat.DENORMALS_ARE_ZERO;
    long result = single.convert(half, a);
    single.exceptions &= ~FpuExceptions.DENORMAL;
    return (int) settled(result, single);
  }

  /** VCVTPS2PH with the rounding of its immediate byte; it does not know flush-to-zero. */
  public int singleToHalf(int a, int immediate) {
    int control = mxcsr & ~SoftFloat.FLUSH_TO_ZERO;
    half.control = (immediate & 4) != 0 ? control : control & ~0x6000 | (immediate & 3) << 13;
    return (int) settled(half.convert(single, a & 0xffff_ffffL), half);
  }

  /** √a, double precision. */
  public long squareRootDouble(long a) {
    if (fast && a > 0 && plain(a)) {
      double x = Double.longBitsToDouble(a);
      double root = Math.sqrt(x);
      long result = Double.doubleToRawLongBits(root);
      if (wantInexact && !(root * root == x && exactProduct(result, result, a))) {
        exceptions |= PRECISION;
      }
      return result;
    }
    return settled(twice.squareRoot(a), twice);
  }

  /** MINSD. */
  public long minimumDouble(long a, long b) {
    if (plain(a) && plain(b)) {
      return Double.longBitsToDouble(a) < Double.longBitsToDouble(b) ? a : b;
    }
    return settled(twice.minimum(a, b), twice);
  }

  /** MAXSD. */
  public long maximumDouble(long a, long b) {
    if (plain(a) && plain(b)) {
      return Double.longBitsToDouble(a) > Double.longBitsToDouble(b) ? a : b;
    }
    return settled(twice.maximum(a, b), twice);
  }

  /** -1, 0, 1, or 2 for unordered; {@code quiet} as UCOMISD, else as COMISD. */
  public int compareDouble(long a, long b, boolean quiet) {
    if (plain(a) && plain(b)) {
      double x = Double.longBitsToDouble(a);
      double y = Double.longBitsToDouble(b);
      return x < y ? -1 : x > y ? 1 : 0;
    }
    int result = twice.compare(a, b, quiet);
    settled(0, twice);
    return result;
  }

  /** CMPSD's answer to a predicate of 0 to 7, VCMPSD's to one of 0 to 31. */
  public boolean matchesDouble(long a, long b, int predicate) {
    return matches(compareDouble(a, b, isQuiet(predicate)), predicate);
  }

  /** a + b, single precision. */
  public int addSingle(int a, int b) {
    if (fast && plain(a) && plain(b)) {
      float x = Float.intBitsToFloat(a);
      float y = Float.intBitsToFloat(b);
      float sum = x + y;
      int result = Float.floatToRawIntBits(sum);
      if (comfortable(result) || sum == 0) {
        if (wantInexact) {
          float second = sum - x;
          if (x - (sum - second) + (y - second) != 0) {
            exceptions |= PRECISION;
          }
        }
        return result;
      }
    }
    return (int) settled(single.add(a & 0xffff_ffffL, b & 0xffff_ffffL), single);
  }

  /** a - b, single precision. */
  public int subtractSingle(int a, int b) {
    if (fast && plain(a) && plain(b)) {
      return addSingle(a, b ^ Integer.MIN_VALUE);
    }
    return (int) settled(single.subtract(a & 0xffff_ffffL, b & 0xffff_ffffL), single);
  }

  /** a × b, single precision. */
  public int multiplySingle(int a, int b) {
    if (fast && plain(a) && plain(b)) {
      double exact = (double) Float.intBitsToFloat(a) * Float.intBitsToFloat(b);
      float product = (float) exact;
      int result = Float.floatToRawIntBits(product);
      if (comfortable(result) || exact == 0) {
        if (product != exact) {
          exceptions |= PRECISION;
        }
        return result;
      }
    }
    return (int) settled(single.multiply(a & 0xffff_ffffL, b & 0xffff_ffffL), single);
  }

  /** a ÷ b, single precision. */
  public int divideSingle(int a, int b) {
    if (fast && plain(a) && plain(b)) {
      float x = Float.intBitsToFloat(a);
      float y = Float.intBitsToFloat(b);
      float quotient = x / y;
      int result = Float.floatToRawIntBits(quotient);
      if (comfortable(result) && y != 0) {
        if ((double) quotient * y != x) {
          exceptions |= PRECISION;
        }
        return result;
      }
    }
    return (int) settled(single.divide(a & 0xffff_ffffL, b & 0xffff_ffffL), single);
  }

  /** √a, single precision. */
  public int squareRootSingle(int a) {
    if (fast && a > 0 && plain(a)) {
      float x = Float.intBitsToFloat(a);
      float root = (float) Math.sqrt(x);
      if ((double) root * root != x) {
        exceptions |= PRECISION;
      }
      return Float.floatToRawIntBits(root);
    }
    return (int) settled(single.squareRoot(a & 0xffff_ffffL), single);
  }

  /** MINSS. */
  public int minimumSingle(int a, int b) {
    if (plain(a) && plain(b)) {
      return Float.intBitsToFloat(a) < Float.intBitsToFloat(b) ? a : b;
    }
    return (int) settled(single.minimum(a & 0xffff_ffffL, b & 0xffff_ffffL), single);
  }

  /** MAXSS. */
  public int maximumSingle(int a, int b) {
    if (plain(a) && plain(b)) {
      return Float.intBitsToFloat(a) > Float.intBitsToFloat(b) ? a : b;
    }
    return (int) settled(single.maximum(a & 0xffff_ffffL, b & 0xffff_ffffL), single);
  }

  /** -1, 0, 1, or 2 for unordered; {@code quiet} as UCOMISS, else as COMISS. */
  public int compareSingle(int a, int b, boolean quiet) {
    if (plain(a) && plain(b)) {
      float x = Float.intBitsToFloat(a);
      float y = Float.intBitsToFloat(b);
      return x < y ? -1 : x > y ? 1 : 0;
    }
    int result = single.compare(a & 0xffff_ffffL, b & 0xffff_ffffL, quiet);
    settled(0, single);
    return result;
  }

  /** CMPSS's answer to a predicate of 0 to 7, VCMPSS's to one of 0 to 31. */
  public boolean matchesSingle(int a, int b, int predicate) {
    return matches(compareSingle(a, b, isQuiet(predicate)), predicate);
  }

  /** Whether a quiet NaN is no invalid operand; bit 4 turns it round (SDM volume 2, table 3-1). */
  private static boolean isQuiet(int predicate) {
    boolean quiet = (predicate & 3) == 0 || (predicate & 3) == 3;
    return quiet == (predicate < 16);
  }

  /**
   * Whether a relation, -1 to 1 or 2 for unordered, is one of those that a predicate holds for:
   * four bits of the mask for each of 16 predicates, for less, equal, greater and unordered.
   */
  private static boolean matches(int relation, int predicate) {
    return (PREDICATES >>> 4 * (predicate & 15) + relation + 1 & 1) != 0;
  }

  /** CVTSD2SS. */
  public int doubleToSingle(long a) {
    if (fast && plain(a)) {
      double x = Double.longBitsToDouble(a);
      float narrowed = (float) x;
      int result = Float.floatToRawIntBits(narrowed);
      if (comfortable(result) || x == 0) {
        if (narrowed != x) {
          exceptions |= PRECISION;
        }
        return result;
      }
    }
    return (int) settled(single.convert(twice, a), single);
  }

  /** CVTSS2SD. */
  public long singleToDouble(int a) {
    if (plain(a)) {
      return Double.doubleToRawLongBits(Float.intBitsToFloat(a));
    }
    return settled(twice.convert(single, a & 0xffff_ffffL), twice);
  }

  /** CVTSI2SD. */
  public long integerToDouble(long value) {
    return value == (int) value
        ? Double.doubleToRawLongBits(value)
        : settled(twice.fromInteger(value), twice);
  }

  /** CVTSI2SS. */
  public int integerToSingle(long value) {
    return (int) settled(single.fromInteger(value), single);
  }

  /** CVTSD2SI to 32 or 64 bits, or CVTTSD2SI where {@code truncate}. */
  public long doubleToInteger(long a, int bits, boolean truncate) {
    if (truncate) {
      double x = Double.longBitsToDouble(a);
      long value = (long) x;
      if (value == x && value == (int) value) {
        return value;
      }
    }
    int mode = truncate ? FpuExceptions.TRUNCATE : twice.rounding();
    return settled(twice.toInteger(a, bits, mode), twice);
  }

  /** CVTSS2SI to 32 or 64 bits, or CVTTSS2SI where {@code truncate}. */
  public long singleToInteger(int a, int bits, boolean truncate) {
    int mode = truncate ? FpuExceptions.TRUNCATE : single.rounding();
    return settled(single.toInteger(a & 0xffff_ffffL, bits, mode), single);
  }

  /** ROUNDSD with the mode of its immediate byte. */
  public long roundDouble(long a, int immediate) {
    int mode = (immediate & 4) != 0 ? twice.rounding() : immediate & 3;
    long result = twice.roundToInteger(a, mode);
    twice.exceptions &= (immediate & 8) != 0 ? ~PRECISION : -1;
    return settled(result, twice);
  }

  /** ROUNDSS with the mode of its immediate byte. */
  public int roundSingle(int a, int immediate) {
    int mode = (immediate & 4) != 0 ? single.rounding() : immediate & 3;
    long result = single.roundToInteger(a & 0xffff_ffffL, mode);
    single.exceptions &= (immediate & 8) != 0 ? ~PRECISION : -1;
    return (int) settled(result, single);
  }
}

package io.vmm4j.software.fpu;

import static io.vmm4j.software.fpu.FpuExceptions.DENORMAL;
import static io.vmm4j.software.fpu.FpuExceptions.DOWN;
import static io.vmm4j.software.fpu.FpuExceptions.INVALID;
import static io.vmm4j.software.fpu.FpuExceptions.NEAREST;
import static io.vmm4j.software.fpu.FpuExceptions.OVERFLOW;
import static io.vmm4j.software.fpu.FpuExceptions.PRECISION;
import static io.vmm4j.software.fpu.FpuExceptions.UNDERFLOW;
import static io.vmm4j.software.fpu.FpuExceptions.UP;
import static io.vmm4j.software.fpu.FpuExceptions.ZERO_DIVIDE;

/**
 * Single or double precision the long way round: every rounding mode, every exception flag,
 * denormals-are-zero and flush-to-zero, as SSE has them (Intel SDM volume 1, 4.8, 4.9, 10.2.3 and
 * 11.5). {@link SimdFloat} comes here only where Java's own arithmetic will not do.
 *
 * <p>Numbers are their bits, in the low 32 bits of a long for single precision.
 */
final class SoftFloat {
  static final int DENORMALS_ARE_ZERO = 0x40;
  static final int FLUSH_TO_ZERO = 0x8000;

  /** MXCSR: masks, rounding control, DAZ, FZ. Its sticky flags are not touched here. */
  int control = 0x1f80;

  /** Exceptions since the caller last cleared it. */
  int exceptions;

  private final int fractionBits;
  private final int maxExponent;
  private final int bias;
  private final long signBit;
  private final long quietBit;
  private final long infinity;
  private final long fractionMask;

  /** Exponent that {@link #normalise} leaves. */
  private int exponent;

  private SoftFloat(int fractionBits, int exponentBits) {
    this.fractionBits = fractionBits;
    this.maxExponent = (1 << exponentBits) - 1;
    this.bias = maxExponent >> 1;
    this.signBit = 1L << (fractionBits + exponentBits);
    this.quietBit = 1L << (fractionBits - 1);
    this.infinity = (long) maxExponent << fractionBits;
    this.fractionMask = (1L << fractionBits) - 1;
  }

  /** IEEE 754 binary32. */
  static SoftFloat single() {
    return new SoftFloat(23, 8);
  }

  /** IEEE 754 binary16. */
  static SoftFloat half() {
    return new SoftFloat(10, 5);
  }

  /** IEEE 754 binary64. */
  static SoftFloat twice() {
    return new SoftFloat(52, 11);
  }

  int rounding() {
    return control >> 13 & 3;
  }

  boolean isNan(long a) {
    return (a & (signBit - 1)) > infinity;
  }

  boolean isSignalling(long a) {
    return isNan(a) && (a & quietBit) == 0;
  }

  private boolean isZero(long a) {
    return (a & (signBit - 1)) == 0;
  }

  private boolean isInfinite(long a) {
    return (a & (signBit - 1)) == infinity;
  }

  private boolean isDenormal(long a) {
    long magnitude = a & (signBit - 1);
    return magnitude != 0 && magnitude <= fractionMask;
  }

  /** The default NaN: negative and quiet. */
  long indefinite() {
    return signBit | infinity | quietBit;
  }

  private long invalid() {
    exceptions |= INVALID;
    return indefinite();
  }

  /** A denormal turned to zero where DAZ says so. */
  long input(long a) {
    return (control & DENORMALS_ARE_ZERO) != 0 && isDenormal(a) ? a & signBit : a;
  }

  private void noteDenormal(long a) {
    if (isDenormal(a)) {
      exceptions |= DENORMAL;
    }
  }

  /** The first operand if it is a NaN, else the second, made quiet. */
  private long propagate(long a, long b) {
    if (isSignalling(a) || isSignalling(b)) {
      exceptions |= INVALID;
    }
    return (isNan(a) ? a : b) | quietBit;
  }

  /** The significand with its top bit in bit 63, the exponent in {@link #exponent}. */
  private long normalise(long a) {
    int exp = (int) (a >>> fractionBits) & maxExponent;
    long fraction = a & fractionMask;
    if (exp == 0) {
      int shift = Long.numberOfLeadingZeros(fraction);
      exponent = 64 - fractionBits - shift;
      return fraction << shift;
    }
    exponent = exp;
    return (fraction | fractionMask + 1) << (63 - fractionBits);
  }

  /** a + b. */
  long add(long a, long b) {
    a = input(a);
    b = input(b);
    if (isNan(a) || isNan(b)) {
      return propagate(a, b);
    }
    if (isInfinite(a) && isInfinite(b) && a != b) {
      return invalid();
    }
    noteDenormal(a);
    noteDenormal(b);
    if (isInfinite(a)) {
      return a;
    }
    if (isInfinite(b)) {
      return b;
    }
    if (isZero(a) && isZero(b)) {
      return a == b ? a : rounding() == DOWN ? signBit : 0;
    }
    if (isZero(a)) {
      long sig = normalise(b);
      return round(b & signBit, exponent, sig);
    }
    if (isZero(b)) {
      long sig = normalise(a);
      return round(a & signBit, exponent, sig);
    }
    if ((a & (signBit - 1)) < (b & (signBit - 1))) {
      long swap = a;
      a = b;
      b = swap;
    }
    long large = normalise(a) >>> 1;
    int exp = exponent + 1;
    long small = shiftRightSticky(normalise(b) >>> 1, exp - 1 - exponent);
    long sum = ((a ^ b) & signBit) == 0 ? large + small : large - small;
    if (sum == 0) {
      return rounding() == DOWN ? signBit : 0;
    }
    int shift = Long.numberOfLeadingZeros(sum);
    return round(a & signBit, exp - shift, sum << shift);
  }

  /** a - b. */
  long subtract(long a, long b) {
    return add(a, isNan(b) ? b : b ^ signBit);
  }

  /** a × b. */
  long multiply(long a, long b) {
    a = input(a);
    b = input(b);
    if (isNan(a) || isNan(b)) {
      return propagate(a, b);
    }
    long sign = (a ^ b) & signBit;
    boolean infinite = isInfinite(a) || isInfinite(b);
    boolean zero = isZero(a) || isZero(b);
    if (infinite && zero) {
      return invalid();
    }
    noteDenormal(a);
    noteDenormal(b);
    if (infinite) {
      return sign | infinity;
    }
    if (zero) {
      return sign;
    }
    long sigA = normalise(a);
    int exp = exponent - bias + 1;
    long sigB = normalise(b);
    exp += exponent;
    long hi = Math.unsignedMultiplyHigh(sigA, sigB) | (sigA * sigB != 0 ? 1 : 0);
    if (hi >= 0) {
      // The lost half's top bit only ever matters as a sticky one.
      hi <<= 1;
      exp--;
    }
    return round(sign, exp, hi);
  }

  /** ±a×b ± c, rounded once (Intel SDM volume 1, 14.5). */
  long multiplyAdd(long a, long b, long c, boolean negateProduct, boolean negateAddend) {
    a = input(a);
    b = input(b);
    c = input(c);
    boolean infinite = isInfinite(a) || isInfinite(b);
    boolean zero = isZero(a) || isZero(b);
    if (isNan(a) || isNan(b) || isNan(c)) {
      if (isSignalling(c)) {
        exceptions |= INVALID;
      }
      return isNan(a) || isNan(b) ? propagate(a, b) : c | quietBit;
    }
    long sign = (a ^ b) & signBit ^ (negateProduct ? signBit : 0);
    c ^= negateAddend ? signBit : 0;
    if (infinite && (zero || isInfinite(c) && (c & signBit) != sign)) {
      return invalid();
    }
    noteDenormal(a);
    noteDenormal(b);
    noteDenormal(c);
    if (infinite) {
      return sign | infinity;
    }
    if (isInfinite(c)) {
      return c;
    }
    if (zero) {
      if (isZero(c)) {
        return (c & signBit) == sign ? c : rounding() == DOWN ? signBit : 0;
      }
      long sig = normalise(c);
      return round(c & signBit, exponent, sig);
    }
    long sigA = normalise(a);
    int exp = exponent - bias + 1;
    long sigB = normalise(b);
    exp += exponent;
    long hi = Math.unsignedMultiplyHigh(sigA, sigB);
    long lo = sigA * sigB;
    if (hi >= 0) {
      hi = hi << 1 | lo >>> 63;
      lo <<= 1;
      exp--;
    }
    if (isZero(c)) {
      return round(sign, exp, hi | (lo != 0 ? 1 : 0));
    }
    return sum(sign, exp, hi, lo, c);
  }

  /**
   * A product and a number, neither of them zero.
   *
   * @param hi the upper half of the product, bit 63 set
   * @param lo the lower half, whose lowest bits are zero
   */
  private long sum(long sign, int exp, long hi, long lo, long c) {
    long signC = c & signBit;
    long smallHi = normalise(c);
    long smallLo = 0;
    int distance = exp - exponent;
    if (distance < 0 || distance == 0 && Long.compareUnsigned(hi, smallHi) < 0) {
      long swap = hi;
      hi = smallHi;
      smallHi = swap;
      smallLo = lo;
      lo = 0;
      exp = exponent;
      distance = -distance;
      long other = sign;
      sign = signC;
      signC = other;
    }
    // One bit of room; both end in zeros.
    lo = lo >>> 1 | hi << 63;
    hi >>>= 1;
    smallLo = smallLo >>> 1 | smallHi << 63;
    smallHi >>>= 1;
    exp++;
    if (distance >= 64) {
      smallLo = shiftRightSticky(smallHi, distance - 64) | (smallLo != 0 ? 1 : 0);
      smallHi = 0;
    } else if (distance > 0) {
      boolean lost = smallLo << -distance != 0;
      smallLo = smallLo >>> distance | smallHi << -distance | (lost ? 1 : 0);
      smallHi >>>= distance;
    }
    if (sign == signC) {
      lo += smallLo;
      hi += smallHi + (Long.compareUnsigned(lo, smallLo) < 0 ? 1 : 0);
    } else {
      hi -= smallHi + (Long.compareUnsigned(lo, smallLo) < 0 ? 1 : 0);
      lo -= smallLo;
    }
    if (hi == 0) {
      if (lo == 0) {
        return rounding() == DOWN ? signBit : 0;
      }
      hi = lo;
      lo = 0;
      exp -= 64;
    }
    int shift = Long.numberOfLeadingZeros(hi);
    if (shift > 0) {
      hi = hi << shift | lo >>> -shift;
      lo <<= shift;
    }
    return round(sign, exp - shift, hi | (lo != 0 ? 1 : 0));
  }

  /** a ÷ b. */
  long divide(long a, long b) {
    a = input(a);
    b = input(b);
    if (isNan(a) || isNan(b)) {
      return propagate(a, b);
    }
    long sign = (a ^ b) & signBit;
    if (isInfinite(a) && isInfinite(b) || isZero(a) && isZero(b)) {
      return invalid();
    }
    if (isZero(b) && !isInfinite(a)) {
      exceptions |= ZERO_DIVIDE;
      return sign | infinity;
    }
    noteDenormal(a);
    noteDenormal(b);
    if (isInfinite(a)) {
      return sign | infinity;
    }
    if (isInfinite(b) || isZero(a)) {
      return sign;
    }
    long sigA = normalise(a);
    int exp = exponent + bias - 1;
    long sigB = normalise(b);
    exp -= exponent;
    if (Long.compareUnsigned(sigA, sigB) >= 0) {
      // Eleven and more low bits are zero: the shift is exact.
      sigA >>>= 1;
      exp++;
    }
    long quotient = Wide.divide(sigA, 0, sigB);
    return round(sign, exp, quotient | (quotient * sigB != 0 ? 1 : 0));
  }

  /** √a. */
  long squareRoot(long a) {
    a = input(a);
    if (isNan(a)) {
      return propagate(a, a);
    }
    if (isZero(a)) {
      return a;
    }
    if ((a & signBit) != 0) {
      return invalid();
    }
    noteDenormal(a);
    if (isInfinite(a)) {
      return a;
    }
    long sig = normalise(a);
    int unbiased = exponent - bias;
    long hi = (unbiased & 1) != 0 ? sig : sig >>> 1;
    long root = Wide.squareRoot(hi, 0);
    boolean exact = root * root == 0 && Math.unsignedMultiplyHigh(root, root) == hi;
    return round(0, (unbiased >> 1) + bias, root | (exact ? 0 : 1));
  }

  private static long shiftRightSticky(long value, int distance) {
    if (distance == 0) {
      return value;
    }
    if (distance > 63) {
      return value != 0 ? 1 : 0;
    }
    return value >>> distance | (value << -distance != 0 ? 1 : 0);
  }

  /**
   * Rounds to the format.
   *
   * @param sign 0 or the sign bit
   * @param exp biased exponent, of any size
   * @param sig significand, bit 63 set, bit 0 sticky
   */
  private long round(long sign, int exp, long sig) {
    int drop = 63 - fractionBits;
    boolean tiny = exp <= 0;
    if (tiny) {
      long kept = sig >>> drop;
      if (exp == 0 && kept == -1L >>> drop && increments(sign, true, sig << -drop)) {
        tiny = false;
      }
      if (tiny && (control >> 7 & UNDERFLOW) == 0) {
        exceptions |= UNDERFLOW;
        exceptions |= sig << -drop != 0 ? PRECISION : 0;
        return 0; // The exception is raised instead.
      }
      if (tiny && (control & FLUSH_TO_ZERO) != 0) {
        exceptions |= UNDERFLOW | PRECISION;
        return sign;
      }
      sig = shiftRightSticky(sig, 1 - exp);
      exp = 1;
    }
    long kept = sig >>> drop;
    long fraction = sig << -drop;
    if (fraction != 0) {
      exceptions |= tiny ? PRECISION | UNDERFLOW : PRECISION;
      if (increments(sign, (kept & 1) != 0, fraction)) {
        kept++;
      }
    }
    // The integer bit adds one to the exponent by itself, a carry another.
    long result = kept + ((long) (exp - 1) << fractionBits);
    if (exp >= maxExponent || result >= infinity) {
      exceptions |= OVERFLOW;
      exceptions |= (control >> 7 & OVERFLOW) != 0 ? PRECISION : 0;
      int mode = rounding();
      boolean infinite = mode == NEAREST || mode == (sign != 0 ? DOWN : UP);
      return sign | (infinite ? infinity : infinity - 1);
    }
    return sign | result;
  }

  private boolean increments(long sign, boolean odd, long fraction) {
    return increments(rounding(), sign != 0, odd, fraction);
  }

  private static boolean increments(int mode, boolean negative, boolean odd, long fraction) {
    return switch (mode) {
      case NEAREST -> fraction < 0 && (odd || fraction << 1 != 0);
      case DOWN -> negative && fraction != 0;
      case UP -> !negative && fraction != 0;
      default -> false;
    };
  }

  /** The smaller as MINPS has it: the second operand if either is a NaN or both are zeros. */
  long minimum(long a, long b) {
    a = input(a);
    b = input(b);
    return relation(a, b, false) == -1 ? a : b;
  }

  /** The larger as MAXPS has it. */
  long maximum(long a, long b) {
    a = input(a);
    b = input(b);
    return relation(a, b, false) == 1 ? a : b;
  }

  /** Compares: -1, 0, 1, or 2 for unordered, which is invalid for QNaNs unless quiet. */
  int compare(long a, long b, boolean quiet) {
    return relation(input(a), input(b), quiet);
  }

  private int relation(long a, long b, boolean quiet) {
    if (isNan(a) || isNan(b)) {
      if (!quiet || isSignalling(a) || isSignalling(b)) {
        exceptions |= INVALID;
      }
      return 2;
    }
    noteDenormal(a);
    noteDenormal(b);
    if (isZero(a) && isZero(b)) {
      return 0;
    }
    long x = (a & signBit) != 0 ? -(a & (signBit - 1)) : a;
    long y = (b & signBit) != 0 ? -(b & (signBit - 1)) : b;
    return Long.compare(x, y);
  }

  /**
   * Converts to a signed integer of 32 or 64 bits.
   *
   * @param mode rounding mode to use
   * @return the integer, or the integer indefinite
   */
  long toInteger(long a, int bits, int mode) {
    a = input(a);
    long indefinite = -1L << (bits - 1);
    if (isZero(a)) {
      return 0;
    }
    boolean negative = (a & signBit) != 0;
    int exp = ((int) (a >>> fractionBits) & maxExponent) - bias;
    if (exp > 63) {
      exceptions |= INVALID;
      return indefinite;
    }
    long sig = normalise(a);
    int shift = 63 - exp;
    long magnitude = shift < 64 ? sig >>> shift : 0;
    long fraction = shift == 0 ? 0 : shift < 64 ? sig << -shift : shift == 64 ? sig : 1;
    if (increments(mode, negative, (magnitude & 1) != 0, fraction)) {
      magnitude++;
    }
    long limit = negative ? -indefinite : ~indefinite;
    if (Long.compareUnsigned(magnitude, limit) > 0) {
      exceptions |= INVALID;
      return indefinite;
    }
    exceptions |= fraction != 0 ? PRECISION : 0;
    return negative ? -magnitude : magnitude;
  }

  /** Converts from a signed integer. */
  long fromInteger(long value) {
    if (value == 0) {
      return 0;
    }
    long magnitude = Math.abs(value);
    int shift = Long.numberOfLeadingZeros(magnitude);
    return round(value < 0 ? signBit : 0, bias + 63 - shift, magnitude << shift);
  }

  /**
   * Converts from another format.
   *
   * @param source the format that {@code a} is in; gets no exceptions
   */
  long convert(SoftFloat source, long a) {
    a = source.input(a);
    long sign = (a & source.signBit) != 0 ? signBit : 0;
    if (source.isNan(a)) {
      exceptions |= source.isSignalling(a) ? INVALID : 0;
      int distance = fractionBits - source.fractionBits;
      long fraction = a & source.fractionMask;
      return sign
          | infinity
          | quietBit
          | (distance > 0 ? fraction << distance : fraction >>> -distance);
    }
    if (source.isInfinite(a)) {
      return sign | infinity;
    }
    if (source.isZero(a)) {
      return sign;
    }
    if (source.isDenormal(a)) {
      exceptions |= DENORMAL;
    }
    long sig = source.normalise(a);
    return round(sign, source.exponent - source.bias + bias, sig);
  }

  /** Rounds to an integer in the same format (ROUNDPS and kin); reports PE. */
  long roundToInteger(long a, int mode) {
    a = input(a);
    if (isNan(a)) {
      return propagate(a, a);
    }
    int exp = ((int) (a >>> fractionBits) & maxExponent) - bias;
    if (exp >= fractionBits || isZero(a)) {
      return a;
    }
    long sign = a & signBit;
    long sig = normalise(a);
    int shift = 63 - exp;
    long magnitude = shift < 64 ? sig >>> shift : 0;
    long fraction = shift < 64 ? sig << -shift : shift == 64 ? sig : 1;
    if (fraction == 0) {
      return a;
    }
    exceptions |= PRECISION;
    if (increments(mode, sign != 0, (magnitude & 1) != 0, fraction)) {
      magnitude++;
    }
    if (magnitude == 0) {
      return sign;
    }
    int zeros = Long.numberOfLeadingZeros(magnitude);
    long top = magnitude << zeros >>> (63 - fractionBits);
    return sign | top + ((long) (bias + 63 - zeros - 1) << fractionBits);
  }
}

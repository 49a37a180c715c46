package io.vmm4j.software.fpu;

import java.math.BigInteger;

/**
 * A binary floating-point number with a significand of 128 bits, for what is computed in more
 * precision than the x87 shows. Operations work in place and are good to about 2^-124; they are not
 * correctly rounded. There are no NaNs or infinities here.
 */
final class Quad {
  /** Whether it is negative. */
  boolean negative;

  /** Exponent of the top bit of {@link #hi}. */
  int exponent;

  /** Upper half of the significand: bit 63 set, or the number is zero. */
  long hi;

  /** Lower half of the significand. */
  long lo;

  /** Upper half of what {@link #digit} has left. */
  long restHi;

  /** Lower half of it. */
  long restLo;

  /** Zero. */
  Quad() {}

  /** The constant numerator / denominator, both positive. */
  static Quad ratio(BigInteger numerator, BigInteger denominator) {
    int scale = 130 - numerator.bitLength() + denominator.bitLength();
    BigInteger scaled =
        scale >= 0
            ? numerator.shiftLeft(scale).divide(denominator)
            : numerator.divide(denominator.shiftLeft(-scale));
    int bits = scaled.bitLength();
    BigInteger significand = scaled.shiftRight(bits - 128);
    Quad q = new Quad();
    q.exponent = bits - 1 - scale;
    q.hi = significand.shiftRight(64).longValue();
    q.lo = significand.longValue();
    return q;
  }

  boolean isZero() {
    return hi == 0;
  }

  Quad set(Quad other) {
    negative = other.negative;
    exponent = other.exponent;
    hi = other.hi;
    lo = other.lo;
    return this;
  }

  /** Sets a finite 80-bit number. */
  Quad set(int se, long sig) {
    negative = (se & 0x8000) != 0;
    exponent = Math.max(se & Float80.MAX_EXPONENT, 1) - Float80.BIAS;
    hi = sig;
    lo = 0;
    return normalise();
  }

  Quad set(long integer) {
    negative = integer < 0;
    exponent = 63;
    hi = Math.abs(integer);
    lo = 0;
    return normalise();
  }

  /** Sets a significand not yet normalised, whose bit 127 would weigh 2^exponent. */
  Quad set(boolean newNegative, int newExponent, long newHi, long newLo) {
    negative = newNegative;
    exponent = newExponent;
    hi = newHi;
    lo = newLo;
    return normalise();
  }

  private Quad normalise() {
    if (hi == 0) {
      hi = lo;
      lo = 0;
      exponent -= 64;
      if (hi == 0) {
        return this;
      }
    }
    int shift = Long.numberOfLeadingZeros(hi);
    if (shift > 0) {
      hi = hi << shift | lo >>> -shift;
      lo <<= shift;
      exponent -= shift;
    }
    return this;
  }

  Quad negate() {
    negative = !negative;
    return this;
  }

  /** this × other. */
  Quad multiply(Quad other) {
    if (hi == 0 || other.hi == 0) {
      hi = 0;
      lo = 0;
      negative ^= other.negative;
      return this;
    }
    long high = Math.unsignedMultiplyHigh(hi, other.hi);
    long low = hi * other.hi;
    long cross = Math.unsignedMultiplyHigh(hi, other.lo);
    low += cross;
    high += Long.compareUnsigned(low, cross) < 0 ? 1 : 0;
    cross = Math.unsignedMultiplyHigh(lo, other.hi);
    low += cross;
    high += Long.compareUnsigned(low, cross) < 0 ? 1 : 0;
    negative ^= other.negative;
    exponent += other.exponent + 1;
    hi = high;
    lo = low;
    return normalise();
  }

  /** this + other. */
  Quad add(Quad other) {
    if (other.hi == 0) {
      return this;
    }
    if (hi == 0) {
      return set(other);
    }
    boolean swap =
        exponent < other.exponent
            || exponent == other.exponent
                && (Long.compareUnsigned(hi, other.hi) < 0
                    || hi == other.hi && Long.compareUnsigned(lo, other.lo) < 0);
    boolean subtracts = negative != other.negative;
    long largeHi = swap ? other.hi : hi;
    long largeLo = swap ? other.lo : lo;
    int distance = Math.abs(exponent - other.exponent);
    long smallHi = swap ? hi : other.hi;
    long smallLo = swap ? lo : other.lo;
    if (swap) {
      negative = other.negative;
      exponent = other.exponent;
    }
    if (distance >= 128) {
      smallHi = 0;
      smallLo = 0;
    } else if (distance >= 64) {
      smallLo = smallHi >>> distance;
      smallHi = 0;
    } else if (distance > 0) {
      smallLo = smallLo >>> distance | smallHi << -distance;
      smallHi >>>= distance;
    }
    if (subtracts) {
      lo = largeLo - smallLo;
      hi = largeHi - smallHi - (Long.compareUnsigned(largeLo, smallLo) < 0 ? 1 : 0);
      return normalise();
    }
    lo = largeLo + smallLo;
    long carry = Long.compareUnsigned(lo, smallLo) < 0 ? 1 : 0;
    long partial = largeHi + smallHi;
    hi = partial + carry;
    boolean over =
        Long.compareUnsigned(partial, largeHi) < 0 || Long.compareUnsigned(hi, partial) < 0;
    if (over) {
      lo = lo >>> 1 | hi << 63;
      hi = hi >>> 1 | Long.MIN_VALUE;
      exponent++;
    }
    return this;
  }

  /** this ÷ other: 128 bits of the quotient, chopped. */
  Quad divide(Quad other) {
    if (hi == 0) {
      return this;
    }
    // this · 2^127 by other, in two digits of 64 bits (Knuth's algorithm D).
    long next = lo << 63;
    long high = hi >>> 1;
    long middle = hi << 63 | lo >>> 1;
    long first = digit(high, middle, next, other);
    long second = digit(restHi, restLo, 0, other);
    negative ^= other.negative;
    exponent -= other.exponent;
    hi = first;
    lo = second;
    return normalise();
  }

  /**
   * The quotient of a number of three digits of 64 bits by a significand, if it has one digit; the
   * rest is left in {@link #restHi} and {@link #restLo}.
   */
  long digit(long u2, long u1, long u0, Quad divisor) {
    long v1 = divisor.hi;
    long v0 = divisor.lo;
    long digit = Long.compareUnsigned(u2, v1) >= 0 ? -1L : Wide.divide(u2, u1, v1);
    // u − digit·v, where the estimate is at most 2 too large.
    long p0 = digit * v0;
    long cross = Math.unsignedMultiplyHigh(digit, v0);
    long p1 = digit * v1 + cross;
    long p2 = Math.unsignedMultiplyHigh(digit, v1) + (Long.compareUnsigned(p1, cross) < 0 ? 1 : 0);
    long r0 = u0 - p0;
    long borrow = Long.compareUnsigned(u0, p0) < 0 ? 1 : 0;
    long r1 = u1 - p1;
    long r2 = u2 - p2 - (Long.compareUnsigned(u1, p1) < 0 ? 1 : 0);
    r2 -= Long.compareUnsigned(r1, borrow) < 0 ? 1 : 0;
    r1 -= borrow;
    while (r2 != 0) {
      digit--;
      r0 += v0;
      long carry = Long.compareUnsigned(r0, v0) < 0 ? 1 : 0;
      long sum = r1 + v1;
      r2 += Long.compareUnsigned(sum, v1) < 0 ? 1 : 0;
      r1 = sum + carry;
      r2 += Long.compareUnsigned(r1, carry) < 0 ? 1 : 0;
    }
    restHi = r1;
    restLo = r0;
    return digit;
  }

  /** coefficients[0] + this·coefficients[1] + this²·coefficients[2] ..., into {@code result}. */
  Quad polynomial(Quad[] coefficients, Quad result) {
    result.set(coefficients[coefficients.length - 1]);
    for (int i = coefficients.length - 2; i >= 0; i--) {
      result.multiply(this).add(coefficients[i]);
    }
    return result;
  }
}

package io.vmm4j.software.fpu;

import static io.vmm4j.software.fpu.Float80.BIAS;
import static io.vmm4j.software.fpu.Float80.INTEGER_BIT;
import static io.vmm4j.software.fpu.Float80.MAX_EXPONENT;

import java.math.BigInteger;

/**
 * The x87's transcendental functions (Intel SDM volume 1, 8.3.6 to 8.3.10), computed in 128 bits
 * and rounded once, so that results are within one unit in the last place; angles are reduced by
 * the 66-bit value of π that 8.3.8 prescribes. Results are left in the {@link Float80}.
 */
final class Transcendental {
  /** The 66-bit π of the manual, as an integer of 68 bits. */
  private static final long PI_TOP = 0xcL;

  private static final long PI_LOW = 0x90fd_aa22_168c_234cL;

  /** The same, with its top bit in the top bit of a significand. */
  private static final Quad PI_BY_MANUAL =
      new Quad().set(false, 0, PI_TOP << 60 | PI_LOW >>> 4, PI_LOW << 60);

  private static final Quad ONE = Quad.ratio(BigInteger.ONE, BigInteger.ONE);
  private static final Quad MINUS_ONE = new Quad().set(ONE).negate();
  private static final Quad TWO = Quad.ratio(BigInteger.TWO, BigInteger.ONE);
  private static final Quad[] SINE = new Quad[15];
  private static final Quad[] COSINE = new Quad[15];
  private static final Quad[] EXPONENTIAL = new Quad[27];
  private static final Quad[] ARCTANGENT = new Quad[12];
  private static final Quad[] LOGARITHM = new Quad[24];

  /** arctan(i/16). */
  private static final Quad[] ARCTANGENT_TABLE = new Quad[17];

  private static final Quad[] SIXTEENTHS = new Quad[17];
  private static final Quad[] MINUS_SIXTEENTHS = new Quad[17];
  private static final Quad LN2;
  private static final Quad TWO_OVER_LN2;
  private static final Quad PI;
  private static final Quad HALF_PI;

  static {
    int scale = 200;
    BigInteger one = BigInteger.ONE.shiftLeft(scale);
    BigInteger factorial = BigInteger.ONE;
    for (int n = 0; n < 30; n++) {
      factorial = n == 0 ? BigInteger.ONE : factorial.multiply(BigInteger.valueOf(n));
      Quad inverse = Quad.ratio(BigInteger.ONE, factorial);
      inverse.negative = (n >> 1 & 1) != 0;
      if ((n & 1) == 0) {
        COSINE[n / 2] = inverse;
      } else {
        SINE[n / 2] = inverse;
      }
      if (n >= 1 && n <= EXPONENTIAL.length) {
        EXPONENTIAL[n - 1] = Quad.ratio(BigInteger.ONE, factorial);
      }
    }
    for (int k = 0; k < LOGARITHM.length; k++) {
      LOGARITHM[k] = Quad.ratio(BigInteger.ONE, BigInteger.valueOf(2L * k + 1));
      if (k < ARCTANGENT.length) {
        ARCTANGENT[k] = new Quad().set(LOGARITHM[k]);
        ARCTANGENT[k].negative = (k & 1) != 0;
      }
    }
    // ln 2 = 2·artanh(1/3); arctangents by their series; π/4 = 4·arctan(1/5) − arctan(1/239).
    BigInteger ln2 = series(one, 1, 3, false).shiftLeft(1);
    LN2 = Quad.ratio(ln2, one);
    TWO_OVER_LN2 = Quad.ratio(one.shiftLeft(1), ln2);
    BigInteger quarterPi = series(one, 1, 5, true).shiftLeft(2).subtract(series(one, 1, 239, true));
    PI = Quad.ratio(quarterPi.shiftLeft(2), one);
    HALF_PI = Quad.ratio(quarterPi.shiftLeft(1), one);
    for (int i = 1; i <= 16; i++) {
      SIXTEENTHS[i] = Quad.ratio(BigInteger.valueOf(i), BigInteger.valueOf(16));
      MINUS_SIXTEENTHS[i] = new Quad().set(SIXTEENTHS[i]).negate();
      // arctan(t) = π/4 − arctan((1−t)/(1+t)) makes the series short for every t.
      BigInteger value =
          i <= 8 ? series(one, i, 16, true) : quarterPi.subtract(series(one, 16 - i, 16 + i, true));
      ARCTANGENT_TABLE[i] = Quad.ratio(value, one);
    }
  }

  private final Float80 f;
  private final Quad x = new Quad();
  private final Quad y = new Quad();
  private final Quad square = new Quad();
  private final Quad t = new Quad();
  private final Quad u = new Quad();
  private int quadrant;

  Transcendental(Float80 f) {
    this.f = f;
  }

  /** artanh or arctan of numerator/denominator, scaled. */
  private static BigInteger series(
      BigInteger scale, int numerator, int denominator, boolean alternating) {
    BigInteger n2 = BigInteger.valueOf((long) numerator * numerator);
    BigInteger d2 = BigInteger.valueOf((long) denominator * denominator);
    BigInteger power =
        scale.multiply(BigInteger.valueOf(numerator)).divide(BigInteger.valueOf(denominator));
    BigInteger sum = BigInteger.ZERO;
    for (int k = 0; power.signum() != 0; k++) {
      BigInteger term = power.divide(BigInteger.valueOf(2L * k + 1));
      sum = alternating && (k & 1) != 0 ? sum.subtract(term) : sum.add(term);
      power = power.multiply(n2).divide(d2);
    }
    return sum;
  }

  /** Rounds into the result; a result that is not exact, or is denormal, counts as inexact. */
  private void deliver(Quad q, boolean exact) {
    boolean sticky = !exact || q.exponent + BIAS <= 0;
    f.round(q.negative ? 0x8000 : 0, q.exponent + BIAS, q.hi, sticky ? q.lo | 1 : q.lo, 64);
  }

  /** Delivers a result whose true magnitude is a trifle below {@code q}. */
  private void deliverBelow(Quad q) {
    if (q.lo-- == 0 && q.hi-- == INTEGER_BIT) {
      q.hi = -1;
      q.exponent--;
    }
    deliver(q, false);
  }

  /** Whether FSIN, FCOS, FSINCOS and FPTAN leave the operand alone and set C2. */
  static boolean outOfRange(int se, long sig) {
    int exp = se & MAX_EXPONENT;
    return exp >= BIAS + 63 && exp != MAX_EXPONENT && sig < 0;
  }

  /** Settles NaN, infinity, zero; true if the result stands. */
  private boolean trigonometricSpecial(int se, long sig, boolean cosine) {
    if (f.settleNan(se, sig)) {
      return true;
    }
    if (Float80.isInfinity(se, sig)) {
      f.invalid();
      return true;
    }
    if (sig == 0) {
      f.set(cosine ? BIAS : se & 0x8000, cosine ? INTEGER_BIT : 0);
      return true;
    }
    return f.denormal(se, sig);
  }

  /** The angle modulo π/2 to within ±π/4 in {@link #x}, how many were taken in the quadrant. */
  private void reduce(int se, long sig) {
    x.set(se, sig);
    quadrant = 0;
    if (x.exponent < -1) {
      return;
    }
    // Integers: the remainder in (hi, lo), π/2 in (top, low); unit 2^-67, or 2^-68 below one.
    long top = PI_TOP;
    long low = PI_LOW;
    long hi;
    long lo;
    if (x.exponent > 0) {
      // Both shifted left by 60, for a divisor with its top bit set.
      int e = x.exponent;
      quadrant = (int) u.digit(x.hi >>> 64 - e, x.hi << e, 0, PI_BY_MANUAL);
      lo = u.restLo >>> 60 | u.restHi << 4;
      hi = u.restHi >>> 60;
    } else {
      if (x.exponent < 0) {
        top = top << 1 | low >>> 63;
        low <<= 1;
      }
      hi = x.hi >>> 60;
      lo = x.hi << 4;
      if (hi > top || hi == top && Long.compareUnsigned(lo, low) >= 0) {
        hi -= top + (Long.compareUnsigned(lo, low) < 0 ? 1 : 0);
        lo -= low;
        quadrant = 1;
      }
    }
    boolean flip = false;
    long twiceHi = hi << 1 | lo >>> 63;
    if (twiceHi > top || twiceHi == top && Long.compareUnsigned(lo << 1, low) > 0) {
      hi = top - hi - (Long.compareUnsigned(low, lo) < 0 ? 1 : 0);
      lo = low - lo;
      flip = true;
      quadrant++;
    }
    // Bit 127 of (hi, lo) would weigh 2^127 units.
    int exponent = x.exponent < 0 ? 127 - 68 : 127 - 67;
    x.set(flip, exponent, hi, lo);
    if ((se & 0x8000) != 0) {
      x.negate();
      quadrant = -quadrant;
    }
    quadrant &= 3;
  }

  /** sin or cos of the reduced angle into {@link #t}, with the sign of the quadrant. */
  private void wave(int turns) {
    square.set(x).multiply(x);
    if ((turns & 1) == 0) {
      square.polynomial(SINE, t).multiply(x);
    } else {
      square.polynomial(COSINE, t);
    }
    if ((turns & 2) != 0) {
      t.negate();
    }
  }

  /** FSIN. */
  void sine(int se, long sig) {
    if (trigonometricSpecial(se, sig, false)) {
      return;
    }
    reduce(se, sig);
    wave(quadrant);
    deliverBelow(t);
  }

  /** FCOS. */
  void cosine(int se, long sig) {
    if (trigonometricSpecial(se, sig, true)) {
      return;
    }
    reduce(se, sig);
    wave(quadrant + 1);
    deliver(t, false);
  }

  /** FPTAN's tangent; the 1.0 is pushed by the caller. */
  void tangent(int se, long sig) {
    if (trigonometricSpecial(se, sig, false)) {
      return;
    }
    reduce(se, sig);
    wave(quadrant);
    u.set(t);
    wave(quadrant + 1);
    u.divide(t);
    deliver(u, false);
  }

  /** FPATAN: the angle of the point (x, y). */
  void arctangent(int yse, long ysig, int xse, long xsig) {
    if (f.settleNan(yse, ysig, xse, xsig)) {
      return;
    }
    boolean negativeX = (xse & 0x8000) != 0;
    boolean negativeY = (yse & 0x8000) != 0;
    boolean xInfinite = Float80.isInfinity(xse, xsig);
    boolean yInfinite = Float80.isInfinity(yse, ysig);
    if (f.denormal(xse, xsig) | f.denormal(yse, ysig)) {
      return;
    }
    if (yInfinite) {
      // π/2, π/4 or 3π/4.
      t.set(HALF_PI);
      if (xInfinite) {
        t.exponent--;
        if (negativeX) {
          t.add(HALF_PI);
        }
      }
      t.negative = negativeY;
      deliver(t, false);
    } else if (xInfinite || ysig == 0) {
      if (negativeX) {
        t.set(PI);
        t.negative = negativeY;
        deliver(t, false);
      } else {
        f.set(yse & 0x8000, 0);
      }
    } else if (xsig == 0) {
      t.set(HALF_PI);
      t.negative = negativeY;
      deliver(t, false);
    } else {
      x.set(xse & 0x7fff, xsig);
      y.set(yse & 0x7fff, ysig);
      finiteArctangent(negativeX, negativeY);
    }
  }

  private void finiteArctangent(boolean negativeX, boolean negativeY) {
    boolean steep =
        y.exponent > x.exponent || y.exponent == x.exponent && Long.compareUnsigned(y.hi, x.hi) > 0;
    if (steep) {
      t.set(x);
      x.set(y);
      y.set(t);
    }
    t.set(y).divide(x);
    int index = t.exponent < -5 ? 0 : (int) (t.hi >>> 59 - (t.exponent + 1)) + 1 >> 1;
    if (index > 0) {
      // arctan t = arctan c + arctan((t − c) / (1 + t·c))
      u.set(t).multiply(SIXTEENTHS[index]).add(ONE);
      t.add(MINUS_SIXTEENTHS[index]).divide(u);
    }
    if (t.exponent > -70) {
      square.set(t).multiply(t);
      t.multiply(square.polynomial(ARCTANGENT, u));
    }
    if (index > 0) {
      t.add(ARCTANGENT_TABLE[index]);
    }
    if (steep) {
      t.negate().add(HALF_PI);
    }
    if (negativeX) {
      t.negate().add(PI);
    }
    t.negative = negativeY;
    deliverBelow(t);
  }

  /** F2XM1: 2^x − 1 for x from −1 to 1; others are returned unchanged, as undefined allows. */
  void twoToTheXMinusOne(int se, long sig) {
    if (f.settleNan(se, sig)) {
      return;
    }
    boolean negative = (se & 0x8000) != 0;
    if (Float80.isInfinity(se, sig)) {
      f.set(negative ? 0x8000 | BIAS : se, sig);
      return;
    }
    if (sig == 0) {
      f.set(se, sig);
      return;
    }
    if (f.denormal(se, sig)) {
      return;
    }
    if ((se & MAX_EXPONENT) >= BIAS) {
      // −1 gives −0.5; 1 gives 1; beyond is undefined.
      f.set(se == (0x8000 | BIAS) && sig == INTEGER_BIT ? se - 1 : se, sig);
      return;
    }
    x.set(se, sig).multiply(LN2);
    if (x.exponent > -130) {
      x.polynomial(EXPONENTIAL, t).multiply(x);
    } else {
      t.set(x);
    }
    deliver(t, false);
  }

  /** FYL2X: y·log2(x). */
  void yLog2(int yse, long ysig, int xse, long xsig) {
    if (f.settleNan(yse, ysig, xse, xsig)) {
      return;
    }
    int ysign = yse & 0x8000;
    boolean yInfinite = Float80.isInfinity(yse, ysig);
    boolean xZero = Float80.isZero(xse, xsig);
    if ((xse & 0x8000) != 0 && !xZero) {
      f.invalid();
      return;
    }
    boolean xInfinite = Float80.isInfinity(xse, xsig);
    boolean xOne = xse == BIAS && xsig == INTEGER_BIT;
    if ((xZero || xInfinite) && ysig == 0 || xOne && yInfinite) {
      f.invalid();
      return;
    }
    if (xZero && !yInfinite) {
      f.exceptions |= FpuExceptions.ZERO_DIVIDE;
      f.set(ysign ^ 0xffff, INTEGER_BIT);
      return;
    }
    if (f.denormal(xse, xsig) | f.denormal(yse, ysig)) {
      return;
    }
    boolean below = (xse & MAX_EXPONENT) < BIAS;
    if (yInfinite || xInfinite) {
      f.set((below ? ysign ^ 0x8000 : ysign) | MAX_EXPONENT, INTEGER_BIT);
      return;
    }
    if (xOne || ysig == 0) {
      f.set(below ? ysign ^ 0x8000 : ysign, 0);
      return;
    }
    x.set(xse, xsig);
    int exponent = x.exponent;
    x.exponent = 0;
    if (Long.compareUnsigned(x.hi, 0xb504_f333_f9de_6484L) > 0) {
      x.exponent = -1;
      exponent++;
    }
    boolean exact = x.hi == INTEGER_BIT;
    // s = (m − 1) / (m + 1); log2 m = 2·artanh(s) / ln 2
    u.set(x).add(ONE);
    x.add(MINUS_ONE);
    artanhOverLn2(x.divide(u));
    t.add(u.set(exponent));
    y.set(yse, ysig);
    deliver(t.multiply(y), exact);
  }

  /** FYL2XP1: y·log2(x + 1). */
  void yLog2Plus1(int yse, long ysig, int xse, long xsig) {
    if (f.settleNan(yse, ysig, xse, xsig)) {
      return;
    }
    int sign = (yse ^ xse) & 0x8000;
    boolean yInfinite = Float80.isInfinity(yse, ysig);
    boolean xInfinite = Float80.isInfinity(xse, xsig);
    if (xInfinite && ((xse & 0x8000) != 0 || ysig == 0) || xsig == 0 && yInfinite) {
      f.invalid();
      return;
    }
    if (f.denormal(xse, xsig) | f.denormal(yse, ysig)) {
      return;
    }
    if (xInfinite || yInfinite) {
      f.set(sign | MAX_EXPONENT, INTEGER_BIT);
      return;
    }
    if (xsig == 0 || ysig == 0) {
      f.set(sign, 0);
      return;
    }
    if (xse >= (0x8000 | BIAS)) {
      // At −1 and below: undefined.
      f.set(xse, xsig);
      return;
    }
    x.set(xse, xsig);
    u.set(x).add(TWO);
    if (x.exponent > 0) {
      logarithmOfLarge();
    } else {
      artanhOverLn2(x.divide(u));
    }
    y.set(yse, ysig);
    deliver(t.multiply(y), false);
  }

  /** log2(x + 1) for an x beyond the function's proper range. */
  private void logarithmOfLarge() {
    x.add(ONE);
    int exponent = x.exponent;
    x.exponent = 0;
    u.set(x).add(ONE);
    x.add(MINUS_ONE);
    artanhOverLn2(x.divide(u));
    t.add(u.set(exponent));
  }

  /** 2·artanh(s)/ln 2 into {@link #t}; s may be {@link #x}. */
  private void artanhOverLn2(Quad s) {
    if (s.isZero()) {
      t.set(s);
      return;
    }
    square.set(s).multiply(s);
    square.polynomial(LOGARITHM, t).multiply(s).multiply(TWO_OVER_LN2);
  }

  /** FSCALE: x·2^(y chopped to an integer). */
  void scale(int xse, long xsig, int yse, long ysig) {
    if (f.settleNan(xse, xsig, yse, ysig)) {
      return;
    }
    boolean xInfinite = Float80.isInfinity(xse, xsig);
    boolean yNegative = (yse & 0x8000) != 0;
    if (Float80.isInfinity(yse, ysig)) {
      if (yNegative ? xInfinite : xsig == 0) {
        f.invalid();
      } else if (!f.denormal(xse, xsig)) {
        f.set(yNegative ? xse & 0x8000 : xse | MAX_EXPONENT, yNegative ? 0 : INTEGER_BIT);
      }
      return;
    }
    if (f.denormal(xse, xsig) | f.denormal(yse, ysig)) {
      return;
    }
    if (xInfinite || xsig == 0) {
      f.set(xse, xsig);
      return;
    }
    int exp = yse & MAX_EXPONENT;
    int magnitude = exp < BIAS ? 0 : exp > BIAS + 15 ? 0x10000 : (int) (ysig >>> BIAS + 63 - exp);
    x.set(xse, xsig);
    int scaled = x.exponent + BIAS + (yNegative ? -magnitude : magnitude);
    f.round(xse & 0x8000, scaled, x.hi, 0, 64);
  }

  /** FXTRACT's exponent as a number; the significand is {@link #extractSignificand}. */
  void extractExponent(int se, long sig) {
    if (f.settleNan(se, sig)) {
      return;
    }
    if (Float80.isInfinity(se, sig)) {
      f.set(MAX_EXPONENT, INTEGER_BIT);
    } else if (sig == 0) {
      f.exceptions |= FpuExceptions.ZERO_DIVIDE;
      f.set(0xffff, INTEGER_BIT);
    } else if (!f.denormal(se, sig)) {
      Float80Conversion.fromLong(f, x.set(se, sig).exponent);
    }
  }

  /** FXTRACT's significand, with the exponent of 1. */
  void extractSignificand(int se, long sig) {
    if (f.settleNan(se, sig)) {
      return;
    }
    if (Float80.isInfinity(se, sig)) {
      f.set(se, sig);
    } else if (sig == 0) {
      f.exceptions |= FpuExceptions.ZERO_DIVIDE;
      f.set(se, sig);
    } else if (!f.denormal(se, sig)) {
      f.set(se & 0x8000 | BIAS, x.set(se, sig).hi);
    }
  }
}

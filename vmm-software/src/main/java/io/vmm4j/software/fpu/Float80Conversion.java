package io.vmm4j.software.fpu;

import static io.vmm4j.software.fpu.Float80.BIAS;
import static io.vmm4j.software.fpu.Float80.INTEGER_BIT;
import static io.vmm4j.software.fpu.Float80.MAX_EXPONENT;
import static io.vmm4j.software.fpu.FpuExceptions.DENORMAL;
import static io.vmm4j.software.fpu.FpuExceptions.DOWN;
import static io.vmm4j.software.fpu.FpuExceptions.INVALID;
import static io.vmm4j.software.fpu.FpuExceptions.NEAREST;
import static io.vmm4j.software.fpu.FpuExceptions.OVERFLOW;
import static io.vmm4j.software.fpu.FpuExceptions.PRECISION;
import static io.vmm4j.software.fpu.FpuExceptions.UNDERFLOW;
import static io.vmm4j.software.fpu.FpuExceptions.UP;

/**
 * Conversions between the 80-bit format and integers, packed decimal, single and double precision
 * (Intel SDM volume 1, 4.2, 4.7 and 8.1.5). Exceptions go to the {@link Float80} given.
 */
final class Float80Conversion {
  private static final long TEN_TO_18 = 1_000_000_000_000_000_000L;

  private Float80Conversion() {}

  /** Loads an integer, exactly. */
  static void fromLong(Float80 f, long value) {
    if (value == 0) {
      f.set(0, 0);
      return;
    }
    long magnitude = Math.abs(value);
    int shift = Long.numberOfLeadingZeros(magnitude);
    f.set((value < 0 ? 0x8000 : 0) | BIAS + 63 - shift, magnitude << shift);
  }

  /** Loads double precision: exact; a denormal or signalling NaN is reported. */
  static void fromDouble(Float80 f, long bits) {
    widen(f, (int) (bits >>> 48) & 0x8000, (int) (bits >>> 52) & 0x7ff, bits << 12, 0x7ff);
  }

  /** Loads single precision: exact; a denormal or signalling NaN is reported. */
  static void fromFloat(Float80 f, int bits) {
    widen(f, bits >>> 16 & 0x8000, bits >>> 23 & 0xff, (long) bits << 41, 0xff);
  }

  private static void widen(Float80 f, int sign, int exp, long fraction, int maxExponent) {
    if (exp == maxExponent) {
      if (fraction != 0 && fraction >= 0) {
        f.exceptions |= INVALID;
        fraction |= Long.MIN_VALUE;
      }
      f.set(sign | MAX_EXPONENT, fraction >>> 1 | INTEGER_BIT);
    } else if (exp != 0) {
      f.set(sign | exp - (maxExponent >> 1) + BIAS, fraction >>> 1 | INTEGER_BIT);
    } else if (fraction == 0) {
      f.set(sign, 0);
    } else {
      f.exceptions |= DENORMAL;
      int shift = Long.numberOfLeadingZeros(fraction);
      f.set(sign | BIAS - (maxExponent >> 1) - shift, fraction << shift);
    }
  }

  /**
   * Converts to a signed integer.
   *
   * @param bits 16, 32 or 64
   * @param truncate whether to chop whatever the rounding mode (FISTTP)
   * @return the integer, or the integer indefinite with an invalid operation reported
   */
  static long toInteger(Float80 f, int se, long sig, int bits, boolean truncate) {
    long indefinite = -1L << (bits - 1);
    int exp = se & MAX_EXPONENT;
    int sign = se & 0x8000;
    if (Float80.isUnsupported(se, sig) || exp > BIAS + 63) {
      f.exceptions |= INVALID;
      return indefinite;
    }
    int shift = BIAS + 63 - exp;
    long magnitude = shift == 0 ? sig : shift < 64 ? sig >>> shift : 0;
    long fraction =
        shift == 0 ? 0 : shift < 64 ? sig << -shift : shift == 64 ? sig : sig != 0 ? 1 : 0;
    boolean up = !truncate && f.roundsUp(sign, (magnitude & 1) != 0, fraction);
    if (up) {
      magnitude++;
      if (magnitude == 0) {
        f.exceptions |= INVALID;
        return indefinite;
      }
    }
    boolean tooLarge =
        sign != 0
            ? Long.compareUnsigned(magnitude, -indefinite) > 0
            : Long.compareUnsigned(magnitude, ~indefinite) > 0;
    if (tooLarge) {
      f.exceptions |= INVALID;
      return indefinite;
    }
    if (fraction != 0) {
      f.exceptions |= PRECISION;
      f.roundedUp = up;
    }
    return sign != 0 ? -magnitude : magnitude;
  }

  /** Converts to double precision bits (FST m64). */
  static long toDouble(Float80 f, int se, long sig) {
    return narrow(f, se, sig, 53, 1023);
  }

  /** Converts to single precision bits (FST m32). */
  static int toFloat(Float80 f, int se, long sig) {
    return (int) narrow(f, se, sig, 24, 127);
  }

  private static long narrow(Float80 f, int se, long sig, int precision, int bias) {
    int fractionBits = precision - 1;
    int maxExponent = 2 * bias + 1;
    long sign = (se & 0x8000) != 0 ? (long) (maxExponent + 1) << fractionBits : 0;
    long infinity = (long) maxExponent << fractionBits;
    if (Float80.isUnsupported(se, sig)) {
      f.exceptions |= INVALID;
      // The indefinite: negative, quiet, nothing else.
      return (long) (maxExponent + 1) << fractionBits | infinity | 1L << (fractionBits - 1);
    }
    if ((se & MAX_EXPONENT) == MAX_EXPONENT) {
      if (sig << 1 == 0) {
        return sign | infinity;
      }
      if (Float80.isSignallingNan(se, sig)) {
        f.exceptions |= INVALID;
      }
      return sign | infinity | 1L << (fractionBits - 1) | sig << 1 >>> (65 - precision);
    }
    if (sig == 0) {
      return sign;
    }
    int drop = 64 - precision;
    int shift = Long.numberOfLeadingZeros(sig);
    int exp = Math.max(se & MAX_EXPONENT, 1) - shift - BIAS + bias;
    return sign | pack(f, se & 0x8000, exp, sig << shift, drop, maxExponent);
  }

  /** Rounds a normalised significand to exponent and fraction, without the sign. */
  private static long pack(Float80 f, int sign, int exp, long sig, int drop, int maxExponent) {
    boolean tiny = exp <= 0;
    long kept = sig >>> drop;
    long fraction = sig << -drop;
    if (tiny) {
      if (exp == 0 && kept == -1L >>> drop && f.roundsUp(sign, true, fraction)) {
        tiny = false;
      }
      if (tiny && (f.control & UNDERFLOW) == 0) {
        f.exceptions |= UNDERFLOW;
        return 0; // Nothing will be stored.
      }
      int shift = 1 - exp + drop;
      kept = shift < 64 ? sig >>> shift : 0;
      fraction = shift < 64 ? sig << -shift : shift == 64 ? sig : 1;
      exp = 0;
    }
    int before = f.exceptions;
    boolean up = f.roundsUp(sign, (kept & 1) != 0, fraction);
    if (fraction != 0) {
      f.exceptions |= PRECISION;
      f.exceptions |= tiny ? UNDERFLOW : 0;
      f.roundedUp = up;
    }
    if (up) {
      kept++;
    }
    // The integer bit and a carry out of the significand add to the exponent by themselves.
    long packed = kept + ((long) Math.max(exp - 1, 0) << (63 - drop));
    if (packed >>> (63 - drop) < maxExponent && exp < maxExponent) {
      return packed;
    }
    f.exceptions |= OVERFLOW;
    if ((f.control & OVERFLOW) == 0) {
      f.exceptions = before | OVERFLOW; // Nothing will be stored.
      f.roundedUp = false;
      return packed;
    }
    f.exceptions |= PRECISION;
    int mode = f.rounding();
    boolean infinite = mode == NEAREST || mode == (sign != 0 ? DOWN : UP);
    f.roundedUp = infinite;
    return ((long) maxExponent << (63 - drop)) - (infinite ? 0 : 1);
  }

  /** Loads a packed decimal of 18 digits: nine bytes of digits, then the sign byte. */
  static void fromDecimal(Float80 f, long low, int high) {
    // Digits in pairs, fours and eights at once; a digit above 9 counts as what it says.
    long pairs = (low & 0x0f0f_0f0f_0f0f_0f0fL) + 10 * (low >>> 4 & 0x0f0f_0f0f_0f0f_0f0fL);
    long fours = (pairs & 0x00ff_00ff_00ff_00ffL) + 100 * (pairs >>> 8 & 0x00ff_00ff_00ff_00ffL);
    long eights = (fours & 0xffff_0000_ffffL) + 10_000 * (fours >>> 16 & 0xffff_0000_ffffL);
    long top = (high >>> 4 & 0xf) * 10L + (high & 0xf);
    long value =
        (eights & 0xffff_ffffL) + 100_000_000L * (eights >>> 32) + 10_000_000_000_000_000L * top;
    fromLong(f, value);
    if ((high & 0x8000) != 0) {
      f.signExponent |= 0x8000;
    }
  }

  /**
   * Converts to packed decimal (FBSTP).
   *
   * @return the low eight bytes; {@link #decimalHigh} gives the upper two
   */
  static long toDecimal(Float80 f, int se, long sig) {
    int before = f.exceptions;
    f.exceptions = 0;
    long value = toInteger(f, se, sig, 64, false);
    boolean valid = (f.exceptions & INVALID) == 0 && Math.abs(value) < TEN_TO_18;
    if (!valid || value == Long.MIN_VALUE) {
      f.exceptions = before | INVALID;
      f.roundedUp = false;
      f.set(0xffff, 0);
      return 0xc000_0000_0000_0000L;
    }
    f.exceptions |= before;
    long magnitude = Math.abs(value);
    long digits = magnitude % 10_000_000_000_000_000L;
    int top = (int) (magnitude / 10_000_000_000_000_000L);
    f.set(se & 0x8000 | decimalPair(top), 0);
    return eightDigits((int) (digits % 100_000_000)) & 0xffff_ffffL
        | (long) eightDigits((int) (digits / 100_000_000)) << 32;
  }

  /** A number below 100 as two decimal digits. */
  private static int decimalPair(int value) {
    return value + 6 * (value * 103 >>> 10);
  }

  /** A number below 10^8 as eight decimal digits. */
  private static int eightDigits(int value) {
    int upper = value / 10_000;
    int lower = value % 10_000;
    return decimalPair(upper / 100) << 24
        | decimalPair(upper % 100) << 16
        | decimalPair(lower / 100) << 8
        | decimalPair(lower % 100);
  }

  /** Sign byte and top two digits left by the last {@link #toDecimal}. */
  static int decimalHigh(Float80 f) {
    return f.signExponent;
  }
}

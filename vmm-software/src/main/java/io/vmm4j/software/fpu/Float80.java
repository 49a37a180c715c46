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
 * Arithmetic on the x87's 80-bit double extended-precision format, bit for bit (Intel SDM volume 1,
 * 4.2 and 8).
 *
 * <p>A number is two values: its significand, with the explicit integer bit in bit 63, and its sign
 * and biased exponent in 16 bits. An operation leaves its result in {@link #significand} and {@link
 * #signExponent}, adds what happened to {@link #exceptions} and says in {@link #roundedUp} what
 * belongs in C1, so that nothing is allocated. An operation that raises an unmasked exception of
 * {@link FpuExceptions#BEFORE_RESULT} leaves no meaningful result: see {@link #suppressed()}.
 *
 * <p>One object belongs to one vCPU's thread.
 */
public final class Float80 {
  /** Exponent of infinities and NaNs. */
  public static final int MAX_EXPONENT = 0x7fff;

  /** Exponent of 1.0. */
  public static final int BIAS = 0x3fff;

  /** The explicit integer bit. */
  public static final long INTEGER_BIT = Long.MIN_VALUE;

  private static final long QUIET_BIT = 0x4000_0000_0000_0000L;

  /** What an unmasked overflow or underflow adds to or takes from the exponent. */
  private static final int WRAP = 0x6000;

  /** Significand of the last result. */
  public long significand;

  /** Sign (bit 15) and exponent of the last result. */
  public int signExponent;

  /** Exceptions since the caller last cleared it. */
  public int exceptions;

  /** Whether the last result was rounded away from zero. */
  public boolean roundedUp;

  /** The x87 control word to obey: masks, precision control, rounding control. */
  public int control = 0x37f;

  /** Where {@link #normalise} leaves its second value. */
  private int exponent;

  /** Clears what the last operation reported. */
  public void begin() {
    exceptions = 0;
    roundedUp = false;
  }

  /** Whether an unmasked exception forbids to store the last result. */
  public boolean suppressed() {
    return (exceptions & ~control & FpuExceptions.BEFORE_RESULT) != 0;
  }

  /** The rounding mode in force. */
  public int rounding() {
    return control >> 10 & 3;
  }

  /** Significand bits by precision control: 24, 53 or 64 (the reserved value 1 acts as 64). */
  public int precision() {
    return switch (control >> 8 & 3) {
      case 0 -> 24;
      case 2 -> 53;
      default -> 64;
    };
  }

  /** Whether the encoding is one no x87 since the 387 accepts: unnormal, pseudo-infinity, -NaN. */
  public static boolean isUnsupported(int se, long sig) {
    return (se & MAX_EXPONENT) != 0 && sig >= 0;
  }

  /** Whether it is a NaN (of either kind). */
  public static boolean isNan(int se, long sig) {
    return (se & MAX_EXPONENT) == MAX_EXPONENT && sig << 1 != 0;
  }

  /** Whether it is a signalling NaN. */
  public static boolean isSignallingNan(int se, long sig) {
    return isNan(se, sig) && (sig & QUIET_BIT) == 0;
  }

  /** Whether it is an infinity (integer bit assumed set). */
  public static boolean isInfinity(int se, long sig) {
    return (se & MAX_EXPONENT) == MAX_EXPONENT && sig << 1 == 0;
  }

  /** Whether it is a zero. */
  public static boolean isZero(int se, long sig) {
    return (se & MAX_EXPONENT) == 0 && sig == 0;
  }

  /** Whether it is a denormal or pseudo-denormal. */
  public static boolean isDenormal(int se, long sig) {
    return (se & MAX_EXPONENT) == 0 && sig != 0;
  }

  /** Sets the result as it is. */
  public void set(int se, long sig) {
    signExponent = se;
    significand = sig;
  }

  /** The masked response to an invalid operation: the indefinite QNaN. */
  public void invalid() {
    exceptions |= INVALID;
    set(0xffff, 0xc000_0000_0000_0000L);
  }

  private void infinity(int sign) {
    set(sign | MAX_EXPONENT, INTEGER_BIT);
  }

  private void zero(int sign) {
    set(sign, 0);
  }

  /** Handles a NaN or unsupported single operand; true if that settled the result. */
  boolean settleNan(int se, long sig) {
    if (isUnsupported(se, sig)) {
      invalid();
      return true;
    }
    if (isNan(se, sig)) {
      if ((sig & QUIET_BIT) == 0) {
        exceptions |= INVALID;
      }
      set(se, sig | QUIET_BIT);
      return true;
    }
    return false;
  }

  /** Handles NaNs and unsupported operands (SDM volume 1, table 4-7); true if settled. */
  boolean settleNan(int ase, long asig, int bse, long bsig) {
    if (isUnsupported(ase, asig) || isUnsupported(bse, bsig)) {
      invalid();
      return true;
    }
    boolean aNan = isNan(ase, asig);
    boolean bNan = isNan(bse, bsig);
    if (!aNan && !bNan) {
      return false;
    }
    boolean aSignalling = aNan && (asig & QUIET_BIT) == 0;
    boolean bSignalling = bNan && (bsig & QUIET_BIT) == 0;
    if (aSignalling || bSignalling) {
      exceptions |= INVALID;
    }
    boolean takeA;
    if (!aNan || !bNan) {
      takeA = aNan;
    } else if (aSignalling != bSignalling) {
      takeA = bSignalling;
    } else {
      int order = Long.compareUnsigned(asig, bsig);
      takeA = order > 0 || order == 0 && ase < bse;
    }
    set(takeA ? ase : bse, (takeA ? asig : bsig) | QUIET_BIT);
    return true;
  }

  /** Records a denormal operand; true if that is unmasked, so that the operation ends here. */
  boolean denormal(int se, long sig) {
    if (isDenormal(se, sig)) {
      exceptions |= DENORMAL;
      return (control & DENORMAL) == 0;
    }
    return false;
  }

  private boolean denormal(int ase, long asig, int bse, long bsig) {
    return denormal(ase, asig) | denormal(bse, bsig);
  }

  /** The significand with its top bit set; {@link #exponent} becomes the matching exponent. */
  private long normalise(int se, long sig) {
    int exp = se & MAX_EXPONENT;
    if (exp == 0) {
      int shift = Long.numberOfLeadingZeros(sig);
      exponent = 1 - shift;
      return sig << shift;
    }
    exponent = exp;
    return sig;
  }

  /** a + b. */
  public void add(int ase, long asig, int bse, long bsig) {
    if (settleNan(ase, asig, bse, bsig)) {
      return;
    }
    int asign = ase & 0x8000;
    int bsign = bse & 0x8000;
    boolean aInf = isInfinity(ase, asig);
    boolean bInf = isInfinity(bse, bsig);
    if (aInf && bInf && asign != bsign) {
      invalid();
      return;
    }
    if (denormal(ase, asig, bse, bsig)) {
      return;
    }
    if (aInf || bInf) {
      infinity(aInf ? asign : bsign);
      return;
    }
    if (asig == 0 && bsig == 0) {
      zero(asign == bsign ? asign : rounding() == DOWN ? 0x8000 : 0);
      return;
    }
    if (asig == 0 || bsig == 0) {
      long sig = normalise(asig == 0 ? bse : ase, asig == 0 ? bsig : asig);
      round(asig == 0 ? bsign : asign, exponent, sig, 0, precision());
      return;
    }
    long hiA = normalise(ase, asig);
    int expA = exponent;
    long hiB = normalise(bse, bsig);
    int expB = exponent;
    if (expA < expB || expA == expB && Long.compareUnsigned(hiA, hiB) < 0) {
      addOrdered(bsign, expB, hiB, asign, expA, hiA);
    } else {
      addOrdered(asign, expA, hiA, bsign, expB, hiB);
    }
  }

  /** a - b. */
  public void subtract(int ase, long asig, int bse, long bsig) {
    // The sign of a NaN operand is not to be changed.
    add(ase, asig, isNan(bse, bsig) ? bse : bse ^ 0x8000, bsig);
  }

  private void addOrdered(int asign, int expA, long hiA, int bsign, int expB, long hiB) {
    int distance = expA - expB;
    long hi;
    long lo;
    if (distance == 0) {
      hi = hiB;
      lo = 0;
    } else if (distance < 64) {
      hi = hiB >>> distance;
      lo = hiB << -distance;
    } else if (distance == 64) {
      hi = 0;
      lo = hiB;
    } else {
      hi = 0;
      lo = distance < 128 ? hiB >>> distance | (hiB << -distance != 0 ? 1 : 0) : 1;
    }
    if (asign == bsign) {
      long sum = hiA + hi;
      if (Long.compareUnsigned(sum, hiA) < 0) {
        lo = sum << 63 | lo >>> 1 | lo & 1;
        sum = sum >>> 1 | INTEGER_BIT;
        expA++;
      }
      round(asign, expA, sum, lo, precision());
      return;
    }
    long difference = hiA - hi - (lo != 0 ? 1 : 0);
    lo = -lo;
    if (difference == 0 && lo == 0) {
      zero(rounding() == DOWN ? 0x8000 : 0);
      return;
    }
    if (difference == 0) {
      difference = lo;
      lo = 0;
      expA -= 64;
    }
    int shift = Long.numberOfLeadingZeros(difference);
    if (shift > 0) {
      difference = difference << shift | lo >>> -shift;
      lo <<= shift;
      expA -= shift;
    }
    round(asign, expA, difference, lo, precision());
  }

  /** a × b. */
  public void multiply(int ase, long asig, int bse, long bsig) {
    if (settleNan(ase, asig, bse, bsig)) {
      return;
    }
    int sign = (ase ^ bse) & 0x8000;
    boolean infinite = isInfinity(ase, asig) || isInfinity(bse, bsig);
    boolean zero = isZero(ase, asig) || isZero(bse, bsig);
    if (infinite && zero) {
      invalid();
      return;
    }
    if (denormal(ase, asig, bse, bsig)) {
      return;
    }
    if (infinite) {
      infinity(sign);
      return;
    }
    if (zero) {
      zero(sign);
      return;
    }
    long a = normalise(ase, asig);
    int exp = exponent;
    long b = normalise(bse, bsig);
    exp += exponent - BIAS + 1;
    long hi = Math.unsignedMultiplyHigh(a, b);
    long lo = a * b;
    if (hi >= 0) {
      hi = hi << 1 | lo >>> 63;
      lo <<= 1;
      exp--;
    }
    round(sign, exp, hi, lo, precision());
  }

  /** a ÷ b. */
  public void divide(int ase, long asig, int bse, long bsig) {
    if (settleNan(ase, asig, bse, bsig)) {
      return;
    }
    int sign = (ase ^ bse) & 0x8000;
    boolean aInf = isInfinity(ase, asig);
    boolean bInf = isInfinity(bse, bsig);
    boolean aZero = isZero(ase, asig);
    boolean bZero = isZero(bse, bsig);
    if (aInf && bInf || aZero && bZero) {
      invalid();
      return;
    }
    if (bZero && !aInf) {
      exceptions |= ZERO_DIVIDE;
      infinity(sign);
      return;
    }
    if (denormal(ase, asig, bse, bsig)) {
      return;
    }
    if (aInf) {
      infinity(sign);
      return;
    }
    if (bInf || aZero) {
      zero(sign);
      return;
    }
    long a = normalise(ase, asig);
    int exp = exponent;
    long b = normalise(bse, bsig);
    exp += BIAS - 1 - exponent;
    long low = 0;
    if (Long.compareUnsigned(a, b) >= 0) {
      low = a << 63;
      a >>>= 1;
      exp++;
    }
    long quotient = Wide.divide(a, low, b);
    long remainder = low - quotient * b;
    long more = Wide.divide(remainder, 0, b);
    round(sign, exp, quotient, more | (more * b != 0 ? 1 : 0), precision());
  }

  /** √a. */
  public void squareRoot(int se, long sig) {
    if (settleNan(se, sig)) {
      return;
    }
    if (isZero(se, sig)) {
      set(se, sig);
      return;
    }
    if ((se & 0x8000) != 0) {
      invalid();
      return;
    }
    if (denormal(se, sig)) {
      return;
    }
    if (isInfinity(se, sig)) {
      set(se, sig);
      return;
    }
    long a = normalise(se, sig);
    int unbiased = exponent - BIAS;
    // The radicand is a·2^63 for an even exponent, a·2^64 for an odd one: its root has 64 bits.
    boolean odd = (unbiased & 1) != 0;
    long hi = odd ? a : a >>> 1;
    long lo = odd ? 0 : a << 63;
    long root = Wide.squareRoot(hi, lo);
    long squareHigh = Math.unsignedMultiplyHigh(root, root);
    long squareLow = root * root;
    long restLow = lo - squareLow;
    long restHigh = hi - squareHigh - (Long.compareUnsigned(lo, squareLow) < 0 ? 1 : 0);
    long fraction = 0;
    if ((restHigh | restLow) != 0) {
      // Above one half exactly when the remainder exceeds the root; a tie cannot be.
      boolean aboveHalf = restHigh != 0 || Long.compareUnsigned(restLow, root) > 0;
      fraction = aboveHalf ? 0xc000_0000_0000_0000L : 0x4000_0000_0000_0000L;
    }
    round(0, (unbiased >> 1) + BIAS, root, fraction, precision());
  }

  /** Rounds to an integer by the rounding mode (FRNDINT). */
  public void roundToInteger(int se, long sig) {
    if (settleNan(se, sig)) {
      return;
    }
    if (denormal(se, sig)) {
      return;
    }
    int exp = se & MAX_EXPONENT;
    int sign = se & 0x8000;
    if (exp >= BIAS + 63 || sig == 0) {
      set(se, sig);
      return;
    }
    exceptions |= exp < BIAS && sig != 0 ? PRECISION : 0;
    if (exp < BIAS) {
      boolean up = roundsUp(sign, false, exp == BIAS - 1 ? sig : 1);
      roundedUp = up;
      set(up ? sign | BIAS : sign, up ? INTEGER_BIT : 0);
      return;
    }
    int shift = BIAS + 63 - exp;
    long integer = sig >>> shift;
    long fraction = sig << -shift;
    if (fraction == 0) {
      set(se, sig);
      return;
    }
    exceptions |= PRECISION;
    if (roundsUp(sign, (integer & 1) != 0, fraction)) {
      roundedUp = true;
      integer++;
    }
    long result = integer << shift;
    if (result >= 0) {
      set(se + 1, INTEGER_BIT);
    } else {
      set(se, result);
    }
  }

  /** Whether a discarded fraction (unsigned, in units of 2^-64) rounds the magnitude up. */
  boolean roundsUp(int sign, boolean odd, long fraction) {
    return switch (rounding()) {
      case NEAREST -> fraction < 0 && (odd || fraction << 1 != 0);
      case DOWN -> sign != 0 && fraction != 0;
      case UP -> sign == 0 && fraction != 0;
      default -> false;
    };
  }

  /**
   * Rounds an exact or sticky value to the given precision and the format's range, with all that
   * overflow and underflow entail.
   *
   * @param sign 0 or 0x8000
   * @param exp biased exponent, of any size
   * @param hi significand, bit 63 set
   * @param lo what lies below it; bit 0 may stand for anything smaller
   * @param precision 24, 53 or 64
   */
  void round(int sign, int exp, long hi, long lo, int precision) {
    int drop = 64 - precision;
    boolean tiny = exp <= 0;
    if (tiny) {
      if (exp == 0 && roundsOver(sign, hi, lo, drop)) {
        tiny = false;
      }
      if (tiny && (control & UNDERFLOW) == 0) {
        exceptions |= UNDERFLOW;
        exp += WRAP;
        if (exp <= 0) {
          // Beyond what the wrapped exponent can show: only FSCALE gets here.
          exceptions |= PRECISION;
          zero(sign);
          return;
        }
      } else {
        int shift = Math.min(1 - exp, 200);
        if (shift < 64) {
          lo = hi << -shift | lo >>> shift | (lo << -shift != 0 ? 1 : 0);
          hi >>>= shift;
        } else if (shift == 64) {
          lo = hi | (lo != 0 ? 1 : 0);
          hi = 0;
        } else {
          lo = shift < 128 ? hi >>> shift | ((hi << -shift | lo) != 0 ? 1 : 0) : 1;
          hi = 0;
        }
        exp = 0;
      }
    }
    long mask = (1L << drop) - 1;
    long fraction = drop == 0 ? lo : hi << precision | lo >>> drop | (lo << precision != 0 ? 1 : 0);
    hi &= ~mask;
    boolean inexact = fraction != 0;
    if (inexact) {
      exceptions |= PRECISION;
      if (tiny && exp == 0) {
        exceptions |= UNDERFLOW;
      }
      if (roundsUp(sign, (hi & (mask + 1)) != 0, fraction)) {
        roundedUp = true;
        hi += mask + 1;
        if (hi == 0) {
          hi = INTEGER_BIT;
          exp++;
        }
      }
    }
    if (exp == 0 && hi < 0) {
      exp = 1;
    }
    if (exp >= MAX_EXPONENT) {
      overflow(sign, exp, hi, mask);
    } else {
      set(sign | (hi == 0 ? 0 : exp), hi);
    }
  }

  private void overflow(int sign, int exp, long hi, long mask) {
    exceptions |= OVERFLOW;
    boolean unmasked = (control & OVERFLOW) == 0;
    if (unmasked && exp - WRAP < MAX_EXPONENT) {
      set(sign | exp - WRAP, hi);
      return;
    }
    exceptions |= PRECISION;
    int mode = rounding();
    // FSCALE can exceed even the wrapped exponent, and then gives infinity in every mode.
    if (unmasked || mode == NEAREST || mode == (sign != 0 ? DOWN : UP)) {
      roundedUp = true;
      infinity(sign);
    } else {
      roundedUp = false;
      set(sign | MAX_EXPONENT - 1, ~mask);
    }
  }

  /** Whether rounding with an unbounded exponent carries into the next power of two. */
  private boolean roundsOver(int sign, long hi, long lo, int drop) {
    long kept = hi >>> drop;
    long fraction = drop == 0 ? lo : hi << -drop | (lo != 0 ? 1 : 0);
    return kept == -1L >>> drop && roundsUp(sign, true, fraction);
  }

  /**
   * Compares, as FCOM and FUCOM do.
   *
   * @param quiet whether a QNaN operand is no invalid operation
   * @return -1, 0, 1, or 2 for unordered
   */
  public int compare(int ase, long asig, int bse, long bsig, boolean quiet) {
    if (isUnsupported(ase, asig) || isUnsupported(bse, bsig)) {
      exceptions |= INVALID;
      return 2;
    }
    if (isNan(ase, asig) || isNan(bse, bsig)) {
      if (!quiet || isSignallingNan(ase, asig) || isSignallingNan(bse, bsig)) {
        exceptions |= INVALID;
      }
      return 2;
    }
    // The condition codes are set even where this exception is unmasked.
    denormal(ase, asig, bse, bsig);
    if (asig == 0 && bsig == 0) {
      return 0;
    }
    int asign = ase & 0x8000;
    if (asig == 0) {
      return (bse & 0x8000) != 0 ? 1 : -1;
    }
    if (bsig == 0 || asign != (bse & 0x8000)) {
      return asign != 0 ? -1 : 1;
    }
    // A pseudo-denormal has the value of exponent 1.
    int aexp = Math.max(ase & MAX_EXPONENT, 1);
    int bexp = Math.max(bse & MAX_EXPONENT, 1);
    int order = aexp != bexp ? Integer.compare(aexp, bexp) : Long.compareUnsigned(asig, bsig);
    return Integer.signum(asign != 0 ? -order : order);
  }
}

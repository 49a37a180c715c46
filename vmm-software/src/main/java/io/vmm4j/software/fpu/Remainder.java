package io.vmm4j.software.fpu;

/** FPREM and FPREM1 (Intel SDM volume 2): exact remainders, in steps of up to 63 bits. */
final class Remainder {
  private Remainder() {}

  /**
   * The remainder of a and b.
   *
   * @param nearest whether the quotient is rounded to nearest (FPREM1) or chopped (FPREM)
   * @return the condition codes: C2 if incomplete, else the quotient's low bits in C0, C3 and C1
   */
  static int compute(Float80 f, int ase, long asig, int bse, long bsig, boolean nearest) {
    if (f.settleNan(ase, asig, bse, bsig)) {
      return 0;
    }
    if (Float80.isInfinity(ase, asig) || bsig == 0) {
      f.invalid();
      return 0;
    }
    if (f.denormal(ase, asig) | f.denormal(bse, bsig)) {
      return 0;
    }
    if (asig == 0) {
      f.set(ase, asig);
      return 0;
    }
    int aShift = Long.numberOfLeadingZeros(asig);
    int expA = Math.max(ase & Float80.MAX_EXPONENT, 1) - aShift;
    long rest = asig << aShift;
    int sign = ase & 0x8000;
    if (Float80.isInfinity(bse, bsig)) {
      f.round(sign, expA, rest, 0, 64);
      return 0;
    }
    int bShift = Long.numberOfLeadingZeros(bsig);
    int expB = Math.max(bse & Float80.MAX_EXPONENT, 1) - bShift;
    long b = bsig << bShift;
    int distance = expA - expB;
    if (distance < -1 || distance < 0 && !nearest) {
      f.round(sign, expA, rest, 0, 64);
      return 0;
    }
    long quotient = 0;
    boolean complete = distance < 64;
    if (distance < 0) {
      if (Long.compareUnsigned(rest, b) > 0) {
        rest = b - (rest - b);
        sign ^= 0x8000;
        quotient = 1;
      }
      expB--;
    } else {
      int steps = complete ? distance : distance & 31 | 32;
      if (Long.compareUnsigned(rest, b) >= 0) {
        rest -= b;
        quotient = 1;
      }
      if (steps > 0) {
        long low = rest << steps;
        long digits = Wide.divide(rest >>> 64 - steps, low, b);
        quotient = quotient << steps | digits;
        rest = low - digits * b;
      }
      expB += distance - steps;
      if (nearest && complete) {
        // rest against b - rest: neither overflows
        int order = Long.compareUnsigned(rest, b - rest);
        if (order > 0 || order == 0 && (quotient & 1) != 0) {
          rest = b - rest;
          sign ^= 0x8000;
          quotient++;
        }
      }
    }
    if (rest == 0) {
      f.set(ase & 0x8000, 0);
    } else {
      int shift = Long.numberOfLeadingZeros(rest);
      f.round(sign, expB - shift, rest << shift, 0, 64);
    }
    if (!complete) {
      return FpuState.C2;
    }
    return ((quotient & 4) != 0 ? FpuState.C0 : 0)
        | ((quotient & 2) != 0 ? FpuState.C3 : 0)
        | ((quotient & 1) != 0 ? FpuState.C1 : 0);
  }
}

package io.vmm4j.engine.software.fpu;

/** x87 instructions on ST(0), and on ST(0) with ST(1): D9 E0 to D9 FF. */
final class X87Unary {
  private X87Unary() {}

  /** FCHS, FABS, FTST, FXAM; false if the encoding is none of them. */
  static boolean simple(FpuState fpu, int modrm) {
    Float80 f = fpu.extended;
    f.begin();
    boolean missing = fpu.empty(0);
    switch (modrm) {
      case 0xe0, 0xe1 -> {
        if (missing) {
          X87.stackFault(fpu);
        } else {
          int se = fpu.stExponent(0);
          f.set(modrm == 0xe0 ? se ^ 0x8000 : se & 0x7fff, fpu.stSignificand(0));
        }
        store(fpu);
      }
      case 0xe4 -> X87.compareWith(fpu, missing, 0, 0, false, 0);
      case 0xe5 -> fpu.status = fpu.status & ~0x4700 | examine(fpu);
      default -> {
        return false;
      }
    }
    return true;
  }

  private static int examine(FpuState fpu) {
    int se = fpu.stExponent(0);
    long sig = fpu.stSignificand(0);
    int sign = (se & 0x8000) != 0 ? FpuState.C1 : 0;
    if (fpu.empty(0)) {
      return sign | FpuState.C3 | FpuState.C0;
    }
    if (Float80.isUnsupported(se, sig)) {
      return sign;
    }
    if (Float80.isNan(se, sig)) {
      return sign | FpuState.C0;
    }
    if (Float80.isInfinity(se, sig)) {
      return sign | FpuState.C2 | FpuState.C0;
    }
    if (Float80.isZero(se, sig)) {
      return sign | FpuState.C3;
    }
    return sign | (Float80.isDenormal(se, sig) ? FpuState.C3 | FpuState.C2 : FpuState.C2);
  }

  private static void store(FpuState fpu) {
    X87.report(fpu);
    if (!fpu.extended.suppressed()) {
      fpu.st(0, fpu.extended.signExponent, fpu.extended.significand);
    }
  }

  /** D9 F0 to D9 FF. */
  static void function(FpuState fpu, int modrm) {
    Float80 f = fpu.extended;
    if (modrm == 0xf6 || modrm == 0xf7) {
      // FDECSTP, FINCSTP
      fpu.top = fpu.top + (modrm == 0xf6 ? -1 : 1) & 7;
      fpu.status &= ~FpuState.C1;
      return;
    }
    f.begin();
    boolean two =
        modrm == 0xf1
            || modrm == 0xf3
            || modrm == 0xf5
            || modrm == 0xf8
            || modrm == 0xf9
            || modrm == 0xfd;
    if (fpu.empty(0) || two && fpu.empty(1)) {
      X87.stackFault(fpu);
      missing(fpu, modrm);
      return;
    }
    int se = fpu.stExponent(0);
    long sig = fpu.stSignificand(0);
    int yse = fpu.stExponent(1);
    long ysig = fpu.stSignificand(1);
    Transcendental t = fpu.transcendental;
    switch (modrm) {
      case 0xf0 -> t.twoToTheXMinusOne(se, sig);
      case 0xf1 -> t.yLog2(yse, ysig, se, sig);
      case 0xf3 -> t.arctangent(yse, ysig, se, sig);
      case 0xf4 -> {
        extract(fpu, se, sig);
        return;
      }
      case 0xf5, 0xf8 -> {
        int codes = Remainder.compute(f, se, sig, yse, ysig, modrm == 0xf5);
        boolean none = f.suppressed() || Float80.isNan(f.signExponent, f.significand);
        // Without a remainder C0 and C3 stay as they are.
        fpu.status &= none ? ~FpuState.C2 : ~0x4700;
        store(fpu);
        fpu.status |= codes;
        return;
      }
      case 0xf9 -> t.yLog2Plus1(yse, ysig, se, sig);
      case 0xfa -> f.squareRoot(se, sig);
      case 0xfc -> f.roundToInteger(se, sig);
      case 0xfd -> t.scale(se, sig, yse, ysig);
      default -> {
        trigonometric(fpu, modrm, se, sig);
        return;
      }
    }
    finish(fpu, modrm);
  }

  /** Stores where the result belongs: ST(1) with a pop for those that take two operands away. */
  private static void finish(FpuState fpu, int modrm) {
    boolean pops = modrm == 0xf1 || modrm == 0xf3 || modrm == 0xf9;
    X87.report(fpu);
    if (fpu.extended.suppressed()) {
      return;
    }
    fpu.st(pops ? 1 : 0, fpu.extended.signExponent, fpu.extended.significand);
    if (pops) {
      fpu.pop();
    }
  }

  private static void missing(FpuState fpu, int modrm) {
    boolean reportsReduction =
        modrm == 0xf2 || modrm == 0xf5 || modrm == 0xf8 || modrm == 0xfb || modrm >= 0xfe;
    fpu.status &= reportsReduction ? ~FpuState.C2 : -1;
    finish(fpu, modrm);
    if ((modrm == 0xf2 || modrm == 0xf4 || modrm == 0xfb) && !fpu.extended.suppressed()) {
      X87.push(fpu);
    }
  }

  private static void extract(FpuState fpu, int se, long sig) {
    Float80 f = fpu.extended;
    if (!fpu.empty(7)) {
      X87.stackFault(fpu);
      f.roundedUp = true;
      finish(fpu, 0xf4);
      if (!f.suppressed()) {
        fpu.top = fpu.top - 1 & 7;
        fpu.st(0, f.signExponent, f.significand);
      }
      return;
    }
    fpu.transcendental.extractExponent(se, sig);
    X87.report(fpu);
    if (f.suppressed()) {
      return;
    }
    fpu.st(0, f.signExponent, f.significand);
    fpu.transcendental.extractSignificand(se, sig);
    fpu.top = fpu.top - 1 & 7;
    fpu.st(0, f.signExponent, f.significand);
  }

  /** FPTAN, FSINCOS, FSIN, FCOS. */
  private static void trigonometric(FpuState fpu, int modrm, int se, long sig) {
    Float80 f = fpu.extended;
    Transcendental t = fpu.transcendental;
    boolean pushes = modrm == 0xf2 || modrm == 0xfb;
    fpu.status &= ~FpuState.C2;
    if (pushes && !fpu.empty(7)) {
      X87.stackFault(fpu);
      f.roundedUp = true;
      finish(fpu, modrm);
      if (!f.suppressed()) {
        fpu.top = fpu.top - 1 & 7;
        fpu.st(0, f.signExponent, f.significand);
      }
      return;
    }
    if (Transcendental.outOfRange(se, sig)) {
      fpu.status |= FpuState.C2;
      X87.report(fpu);
      return;
    }
    switch (modrm) {
      case 0xf2 -> t.tangent(se, sig);
      case 0xff -> t.cosine(se, sig);
      default -> t.sine(se, sig);
    }
    finish(fpu, modrm);
    if (!pushes || f.suppressed()) {
      return;
    }
    int firstExponent = f.signExponent;
    long firstSignificand = f.significand;
    if (modrm == 0xfb) {
      f.begin();
      t.cosine(se, sig);
      fpu.status |= f.exceptions;
    } else if (!Float80.isNan(firstExponent, firstSignificand)) {
      f.set(Float80.BIAS, Float80.INTEGER_BIT);
    }
    fpu.top = fpu.top - 1 & 7;
    fpu.st(0, f.signExponent, f.significand);
  }
}

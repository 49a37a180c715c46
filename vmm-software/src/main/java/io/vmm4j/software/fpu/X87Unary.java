package io.vmm4j.software.fpu;

import static io.vmm4j.software.cpu.Mnemonic.F2XM1;
import static io.vmm4j.software.cpu.Mnemonic.FABS;
import static io.vmm4j.software.cpu.Mnemonic.FCHS;
import static io.vmm4j.software.cpu.Mnemonic.FCOS;
import static io.vmm4j.software.cpu.Mnemonic.FDECSTP;
import static io.vmm4j.software.cpu.Mnemonic.FINCSTP;
import static io.vmm4j.software.cpu.Mnemonic.FPATAN;
import static io.vmm4j.software.cpu.Mnemonic.FPREM;
import static io.vmm4j.software.cpu.Mnemonic.FPREM1;
import static io.vmm4j.software.cpu.Mnemonic.FPTAN;
import static io.vmm4j.software.cpu.Mnemonic.FRNDINT;
import static io.vmm4j.software.cpu.Mnemonic.FSCALE;
import static io.vmm4j.software.cpu.Mnemonic.FSIN;
import static io.vmm4j.software.cpu.Mnemonic.FSINCOS;
import static io.vmm4j.software.cpu.Mnemonic.FSQRT;
import static io.vmm4j.software.cpu.Mnemonic.FTST;
import static io.vmm4j.software.cpu.Mnemonic.FXAM;
import static io.vmm4j.software.cpu.Mnemonic.FXTRACT;
import static io.vmm4j.software.cpu.Mnemonic.FYL2X;
import static io.vmm4j.software.cpu.Mnemonic.FYL2XP1;

/** x87 instructions on ST(0), and on ST(0) with ST(1). */
final class X87Unary {
  private X87Unary() {}

  /** Executes. */
  static void execute(FpuState fpu, int mnemonic) {
    Float80 f = fpu.extended;
    switch (mnemonic) {
      case FCHS, FABS -> {
        f.begin();
        if (fpu.empty(0)) {
          X87.stackFault(fpu);
        } else {
          int se = fpu.stExponent(0);
          f.set(mnemonic == FCHS ? se ^ 0x8000 : se & 0x7fff, fpu.stSignificand(0));
        }
        store(fpu);
      }
      case FTST -> {
        f.begin();
        X87.compareWith(fpu, fpu.empty(0), 0, 0, false, 0);
      }
      case FXAM -> {
        f.begin();
        fpu.status = fpu.status & ~0x4700 | examine(fpu);
      }
      case FDECSTP -> rotate(fpu, -1);
      case FINCSTP -> rotate(fpu, 1);
      default -> function(fpu, mnemonic);
    }
  }

  private static void rotate(FpuState fpu, int by) {
    fpu.top = fpu.top + by & 7;
    fpu.status &= ~FpuState.C1;
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

  /** F2XM1 to FCOS. */
  private static void function(FpuState fpu, int mnemonic) {
    Float80 f = fpu.extended;
    f.begin();
    boolean two =
        mnemonic == FYL2X
            || mnemonic == FPATAN
            || mnemonic == FPREM1
            || mnemonic == FPREM
            || mnemonic == FYL2XP1
            || mnemonic == FSCALE;
    if (fpu.empty(0) || two && fpu.empty(1)) {
      X87.stackFault(fpu);
      missing(fpu, mnemonic);
      return;
    }
    int se = fpu.stExponent(0);
    long sig = fpu.stSignificand(0);
    int yse = fpu.stExponent(1);
    long ysig = fpu.stSignificand(1);
    Transcendental t = fpu.transcendental;
    switch (mnemonic) {
      case F2XM1 -> t.twoToTheXMinusOne(se, sig);
      case FYL2X -> t.yLog2(yse, ysig, se, sig);
      case FPATAN -> t.arctangent(yse, ysig, se, sig);
      case FXTRACT -> {
        extract(fpu, se, sig);
        return;
      }
      case FPREM1, FPREM -> {
        int codes = Remainder.compute(f, se, sig, yse, ysig, mnemonic == FPREM1);
        boolean none = f.suppressed() || Float80.isNan(f.signExponent, f.significand);
        // Without a remainder C0 and C3 stay as they are.
        fpu.status &= none ? ~FpuState.C2 : ~0x4700;
        store(fpu);
        fpu.status |= codes;
        return;
      }
      case FYL2XP1 -> t.yLog2Plus1(yse, ysig, se, sig);
      case FSQRT -> f.squareRoot(se, sig);
      case FRNDINT -> f.roundToInteger(se, sig);
      case FSCALE -> t.scale(se, sig, yse, ysig);
      default -> {
        trigonometric(fpu, mnemonic, se, sig);
        return;
      }
    }
    finish(fpu, mnemonic);
  }

  /** Stores where the result belongs: ST(1) with a pop for those that take two operands away. */
  private static void finish(FpuState fpu, int mnemonic) {
    boolean pops = mnemonic == FYL2X || mnemonic == FPATAN || mnemonic == FYL2XP1;
    X87.report(fpu);
    if (fpu.extended.suppressed()) {
      return;
    }
    fpu.st(pops ? 1 : 0, fpu.extended.signExponent, fpu.extended.significand);
    if (pops) {
      fpu.pop();
    }
  }

  private static void missing(FpuState fpu, int mnemonic) {
    boolean reportsReduction =
        mnemonic == FPTAN
            || mnemonic == FPREM1
            || mnemonic == FPREM
            || mnemonic == FSINCOS
            || mnemonic == FSIN
            || mnemonic == FCOS;
    fpu.status &= reportsReduction ? ~FpuState.C2 : -1;
    finish(fpu, mnemonic);
    if ((mnemonic == FPTAN || mnemonic == FXTRACT || mnemonic == FSINCOS)
        && !fpu.extended.suppressed()) {
      X87.push(fpu);
    }
  }

  private static void extract(FpuState fpu, int se, long sig) {
    Float80 f = fpu.extended;
    if (!fpu.empty(7)) {
      X87.stackFault(fpu);
      f.roundedUp = true;
      finish(fpu, FXTRACT);
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
  private static void trigonometric(FpuState fpu, int mnemonic, int se, long sig) {
    Float80 f = fpu.extended;
    Transcendental t = fpu.transcendental;
    boolean pushes = mnemonic == FPTAN || mnemonic == FSINCOS;
    fpu.status &= ~FpuState.C2;
    if (pushes && !fpu.empty(7)) {
      X87.stackFault(fpu);
      f.roundedUp = true;
      finish(fpu, mnemonic);
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
    switch (mnemonic) {
      case FPTAN -> t.tangent(se, sig);
      case FCOS -> t.cosine(se, sig);
      default -> t.sine(se, sig);
    }
    finish(fpu, mnemonic);
    if (!pushes || f.suppressed()) {
      return;
    }
    int firstExponent = f.signExponent;
    long firstSignificand = f.significand;
    if (mnemonic == FSINCOS) {
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

package io.vmm4j.software.fpu;

import static io.vmm4j.software.cpu.Mnemonic.FADD;
import static io.vmm4j.software.cpu.Mnemonic.FADDP;
import static io.vmm4j.software.cpu.Mnemonic.FCMOVB;
import static io.vmm4j.software.cpu.Mnemonic.FCMOVBE;
import static io.vmm4j.software.cpu.Mnemonic.FCMOVE;
import static io.vmm4j.software.cpu.Mnemonic.FCMOVNB;
import static io.vmm4j.software.cpu.Mnemonic.FCMOVNBE;
import static io.vmm4j.software.cpu.Mnemonic.FCMOVNE;
import static io.vmm4j.software.cpu.Mnemonic.FCMOVNU;
import static io.vmm4j.software.cpu.Mnemonic.FCMOVU;
import static io.vmm4j.software.cpu.Mnemonic.FCOM;
import static io.vmm4j.software.cpu.Mnemonic.FCOMI;
import static io.vmm4j.software.cpu.Mnemonic.FCOMIP;
import static io.vmm4j.software.cpu.Mnemonic.FCOMP;
import static io.vmm4j.software.cpu.Mnemonic.FCOMPP;
import static io.vmm4j.software.cpu.Mnemonic.FDIV;
import static io.vmm4j.software.cpu.Mnemonic.FDIVP;
import static io.vmm4j.software.cpu.Mnemonic.FDIVR;
import static io.vmm4j.software.cpu.Mnemonic.FDIVRP;
import static io.vmm4j.software.cpu.Mnemonic.FFREE;
import static io.vmm4j.software.cpu.Mnemonic.FFREEP;
import static io.vmm4j.software.cpu.Mnemonic.FLD;
import static io.vmm4j.software.cpu.Mnemonic.FLD1;
import static io.vmm4j.software.cpu.Mnemonic.FLDENV;
import static io.vmm4j.software.cpu.Mnemonic.FLDL2E;
import static io.vmm4j.software.cpu.Mnemonic.FLDL2T;
import static io.vmm4j.software.cpu.Mnemonic.FLDLG2;
import static io.vmm4j.software.cpu.Mnemonic.FLDLN2;
import static io.vmm4j.software.cpu.Mnemonic.FLDPI;
import static io.vmm4j.software.cpu.Mnemonic.FLDZ;
import static io.vmm4j.software.cpu.Mnemonic.FMUL;
import static io.vmm4j.software.cpu.Mnemonic.FMULP;
import static io.vmm4j.software.cpu.Mnemonic.FNOP;
import static io.vmm4j.software.cpu.Mnemonic.FST;
import static io.vmm4j.software.cpu.Mnemonic.FSTP;
import static io.vmm4j.software.cpu.Mnemonic.FSTPNCE;
import static io.vmm4j.software.cpu.Mnemonic.FSUB;
import static io.vmm4j.software.cpu.Mnemonic.FSUBP;
import static io.vmm4j.software.cpu.Mnemonic.FSUBR;
import static io.vmm4j.software.cpu.Mnemonic.FSUBRP;
import static io.vmm4j.software.cpu.Mnemonic.FUCOM;
import static io.vmm4j.software.cpu.Mnemonic.FUCOMI;
import static io.vmm4j.software.cpu.Mnemonic.FUCOMIP;
import static io.vmm4j.software.cpu.Mnemonic.FUCOMP;
import static io.vmm4j.software.cpu.Mnemonic.FUCOMPP;
import static io.vmm4j.software.cpu.Mnemonic.FXCH;
import static io.vmm4j.software.cpu.Mnemonic.WAIT;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Flags;
import io.vmm4j.software.cpu.Instruction;
import io.vmm4j.software.cpu.OperandPlace;
import io.vmm4j.x86.ControlBits;

/** The x87 instructions, opcodes D8 to DF, and WAIT (Intel SDM volume 1, 8; volume 2). */
public final class X87 {
  private static final int CONDITIONS = 0x4700;

  /** FLD1, FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2: rounded down, and how they round. */
  private static final long[] CONSTANTS = {
    0x8000_0000_0000_0000L,
    0xd49a_784b_cd1b_8afeL,
    0xb8aa_3b29_5c17_f0bbL,
    0xc90f_daa2_2168_c234L,
    0x9a20_9a84_fbcf_f798L,
    0xb172_17f7_d1cf_79abL
  };

  private static final int[] CONSTANT_EXPONENTS = {0x3fff, 0x4000, 0x3fff, 0x4000, 0x3ffd, 0x3ffe};

  /** Whether the nearest value is the next one up. */
  private static final boolean[] NEAREST_IS_UP = {false, false, true, true, true, true};

  private X87() {}

  /** Executes an instruction. */
  public static void execute(Cpu cpu, Instruction in) {
    if (in.mnemonic == WAIT) {
      long waits = ControlBits.CR0_MP | ControlBits.CR0_TS;
      if ((cpu.cr0 & waits) == waits) {
        throw cpu.raise(Cpu.NM);
      }
      Operands.requireNoPending(cpu);
      return;
    }
    Operands.requireX87(cpu);
    if (in.mnemonic >= FLDENV) {
      X87Control.execute(cpu, in);
      return;
    }
    Operands.requireNoPending(cpu);
    if (in.isMemory) {
      X87Memory.execute(cpu, in);
      note(cpu, in);
      cpu.fpu.lastData = cpu.effectiveAddress(in);
      cpu.fpu.lastDataSelector = cpu.seg[in.segment].selector;
    } else {
      register(cpu, in);
      note(cpu, in);
    }
  }

  private static void note(Cpu cpu, Instruction in) {
    FpuState fpu = cpu.fpu;
    fpu.lastOpcode = (in.opcode & 7) << 8 | in.modrm;
    fpu.lastInstruction = cpu.currentRip;
    fpu.lastCodeSelector = cpu.seg[Cpu.CS].selector;
  }

  private static void register(Cpu cpu, Instruction in) {
    FpuState fpu = cpu.fpu;
    int i = in.modrm & 7;
    int to = in.form.first == OperandPlace.ST0 ? 0 : i;
    switch (in.mnemonic) {
      case FADD, FMUL, FSUB, FSUBR, FDIV, FDIVR -> arithmetic(fpu, in.mnemonic, to, i - to, false);
      case FADDP -> arithmetic(fpu, FADD, i, 0, true);
      case FMULP -> arithmetic(fpu, FMUL, i, 0, true);
      case FSUBP -> arithmetic(fpu, FSUB, i, 0, true);
      case FSUBRP -> arithmetic(fpu, FSUBR, i, 0, true);
      case FDIVP -> arithmetic(fpu, FDIV, i, 0, true);
      case FDIVRP -> arithmetic(fpu, FDIVR, i, 0, true);
      case FCOM -> compare(fpu, i, false, 0);
      case FCOMP -> compare(fpu, i, false, 1);
      case FCOMPP -> compare(fpu, 1, false, 2);
      case FUCOM -> compare(fpu, i, true, 0);
      case FUCOMP -> compare(fpu, i, true, 1);
      case FUCOMPP -> compare(fpu, 1, true, 2);
      case FCOMI -> compareToFlags(cpu, fpu, i, false, false);
      case FCOMIP -> compareToFlags(cpu, fpu, i, false, true);
      case FUCOMI -> compareToFlags(cpu, fpu, i, true, false);
      case FUCOMIP -> compareToFlags(cpu, fpu, i, true, true);
      case FCMOVB, FCMOVE, FCMOVBE, FCMOVU -> conditionalMove(cpu, in, i, false);
      case FCMOVNB, FCMOVNE, FCMOVNBE, FCMOVNU -> conditionalMove(cpu, in, i, true);
      case FLD -> loadRegister(fpu, i);
      case FST -> storeRegister(fpu, i, false);
      case FSTP -> storeRegister(fpu, i, true);
      case FSTPNCE -> copyAndPop(fpu, i);
      case FXCH -> exchange(fpu, i);
      case FFREE -> free(fpu, i);
      case FFREEP -> {
        free(fpu, i);
        fpu.pop();
      }
      case FNOP -> {}
      case FLD1, FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2, FLDZ -> constant(fpu, in.mnemonic - FLD1);
      default -> X87Unary.execute(fpu, in.mnemonic);
    }
  }

  private static void free(FpuState fpu, int i) {
    fpu.used &= ~(1 << (fpu.top + i & 7));
    fpu.status &= ~FpuState.C1;
  }

  private static void loadRegister(FpuState fpu, int i) {
    fpu.extended.begin();
    if (fpu.empty(i)) {
      stackFault(fpu);
    } else {
      fpu.extended.set(fpu.stExponent(i), fpu.stSignificand(i));
    }
    push(fpu);
  }

  /** The exceptions and C1 of the last operation into the status word. */
  static void report(FpuState fpu) {
    Float80 f = fpu.extended;
    fpu.status = fpu.status & ~FpuState.C1 | f.exceptions | (f.roundedUp ? FpuState.C1 : 0);
  }

  /** An empty register was to be read: invalid, with the stack fault flag and C1 clear. */
  static void stackFault(FpuState fpu) {
    fpu.extended.invalid();
    fpu.extended.exceptions |= FpuExceptions.STACK_FAULT;
  }

  /** Pushes the result, unless an exception forbids it; reports. */
  static void push(FpuState fpu) {
    Float80 f = fpu.extended;
    if (!fpu.empty(7) && (f.exceptions & FpuExceptions.STACK_FAULT) == 0) {
      f.exceptions = 0;
      stackFault(fpu);
      f.roundedUp = true;
    }
    report(fpu);
    // A denormal that is loaded is pushed even where that exception is unmasked.
    if ((f.exceptions & ~f.control & FpuExceptions.INVALID) == 0) {
      fpu.top = fpu.top - 1 & 7;
      fpu.st(0, f.signExponent, f.significand);
    }
  }

  private static void constant(FpuState fpu, int which) {
    Float80 f = fpu.extended;
    f.begin();
    if (which == 6) {
      f.set(0, 0);
    } else {
      int mode = f.rounding();
      boolean up =
          which != 0
              && (mode == FpuExceptions.UP
                  || mode == FpuExceptions.NEAREST && NEAREST_IS_UP[which]);
      f.set(CONSTANT_EXPONENTS[which], CONSTANTS[which] + (up ? 1 : 0));
    }
    push(fpu);
  }

  /** FADD, FMUL, FSUB, FSUBR, FDIV or FDIVR. */
  static void operate(Float80 f, int operation, int ase, long asig, int bse, long bsig) {
    switch (operation) {
      case FADD -> f.add(ase, asig, bse, bsig);
      case FMUL -> f.multiply(ase, asig, bse, bsig);
      case FSUB -> f.subtract(ase, asig, bse, bsig);
      case FSUBR -> f.subtract(bse, bsig, ase, asig);
      case FDIV -> f.divide(ase, asig, bse, bsig);
      default -> f.divide(bse, bsig, ase, asig);
    }
  }

  private static void arithmetic(FpuState fpu, int operation, int to, int from, boolean pop) {
    Float80 f = fpu.extended;
    f.begin();
    if (fpu.empty(to) || fpu.empty(from)) {
      stackFault(fpu);
    } else {
      operate(
          f,
          operation,
          fpu.stExponent(to),
          fpu.stSignificand(to),
          fpu.stExponent(from),
          fpu.stSignificand(from));
    }
    report(fpu);
    if (!f.suppressed()) {
      fpu.st(to, f.signExponent, f.significand);
      if (pop) {
        fpu.pop();
      }
    }
  }

  /** C3, C2 and C0 of a relation. */
  static int conditions(int relation) {
    return relation == 2 ? 0x4500 : relation == 0 ? 0x4000 : relation < 0 ? 0x100 : 0;
  }

  private static void compare(FpuState fpu, int i, boolean quiet, int pops) {
    fpu.extended.begin();
    boolean missing = fpu.empty(0) || fpu.empty(i);
    compareWith(fpu, missing, fpu.stExponent(i), fpu.stSignificand(i), quiet, pops);
  }

  /** Compares ST(0); the caller has begun the operation. */
  static void compareWith(
      FpuState fpu, boolean missing, int se, long sig, boolean quiet, int pops) {
    Float80 f = fpu.extended;
    int relation = 2;
    if (missing) {
      stackFault(fpu);
    } else {
      relation = f.compare(fpu.stExponent(0), fpu.stSignificand(0), se, sig, quiet);
    }
    report(fpu);
    fpu.status = fpu.status & ~CONDITIONS | conditions(relation);
    if (!f.suppressed()) {
      for (int i = 0; i < pops; i++) {
        fpu.pop();
      }
    }
  }

  private static void compareToFlags(Cpu cpu, FpuState fpu, int i, boolean quiet, boolean pop) {
    Float80 f = fpu.extended;
    f.begin();
    int relation = 2;
    if (fpu.empty(0) || fpu.empty(i)) {
      stackFault(fpu);
    } else {
      relation =
          f.compare(
              fpu.stExponent(0),
              fpu.stSignificand(0),
              fpu.stExponent(i),
              fpu.stSignificand(i),
              quiet);
    }
    // On AMD C1 changes only for an empty register; the flags are set even before a fault.
    fpu.status |= f.exceptions;
    if ((f.exceptions & FpuExceptions.STACK_FAULT) != 0 || !cpu.system.cpuid.isAmd()) {
      fpu.status &= ~FpuState.C1;
    }
    cpu.setArithmeticFlags(
        relation == 2
            ? Flags.ZF | Flags.PF | Flags.CF
            : relation == 0 ? Flags.ZF : relation < 0 ? Flags.CF : 0);
    if (pop && !f.suppressed()) {
      fpu.pop();
    }
  }

  /** FCMOVB, E, BE, U and their negations. */
  private static void conditionalMove(Cpu cpu, Instruction in, int i, boolean negated) {
    FpuState fpu = cpu.fpu;
    int flags = cpu.eflags();
    int mask = in.form.flagsRead;
    Float80 f = fpu.extended;
    f.begin();
    if (fpu.empty(0) || fpu.empty(i)) {
      stackFault(fpu);
    } else if ((flags & mask) != 0 != negated) {
      f.set(fpu.stExponent(i), fpu.stSignificand(i));
    } else {
      f.set(fpu.stExponent(0), fpu.stSignificand(0));
    }
    if (f.exceptions != 0) {
      report(fpu); // Else even C1 stays as it is.
    }
    if (!f.suppressed()) {
      fpu.st(0, f.signExponent, f.significand);
    }
  }

  private static void exchange(FpuState fpu, int i) {
    Float80 f = fpu.extended;
    f.begin();
    boolean emptyTop = fpu.empty(0);
    boolean emptyOther = fpu.empty(i);
    if (emptyTop || emptyOther) {
      stackFault(fpu);
    }
    report(fpu);
    if (f.suppressed()) {
      return;
    }
    int se = emptyTop ? f.signExponent : fpu.stExponent(0);
    long sig = emptyTop ? f.significand : fpu.stSignificand(0);
    int otherSe = emptyOther ? f.signExponent : fpu.stExponent(i);
    long otherSig = emptyOther ? f.significand : fpu.stSignificand(i);
    fpu.st(0, otherSe, otherSig);
    fpu.st(i, se, sig);
  }

  /** D9 /3, which manuals leave out: FSTP, but an empty ST(0) is no fault and is not copied. */
  private static void copyAndPop(FpuState fpu, int i) {
    if (!fpu.empty(0)) {
      fpu.st(i, fpu.stExponent(0), fpu.stSignificand(0));
    }
    fpu.status &= ~FpuState.C1;
    fpu.pop();
  }

  private static void storeRegister(FpuState fpu, int i, boolean pop) {
    Float80 f = fpu.extended;
    f.begin();
    if (fpu.empty(0)) {
      stackFault(fpu);
    } else {
      f.set(fpu.stExponent(0), fpu.stSignificand(0));
    }
    report(fpu);
    if (!f.suppressed()) {
      fpu.st(i, f.signExponent, f.significand);
      if (pop) {
        fpu.pop();
      }
    }
  }
}

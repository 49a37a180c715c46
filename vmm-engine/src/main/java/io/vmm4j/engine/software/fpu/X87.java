package io.vmm4j.engine.software.fpu;

import io.vmm4j.engine.software.cpu.Cpu;
import io.vmm4j.engine.software.cpu.Flags;
import io.vmm4j.engine.software.cpu.Instruction;

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
    int op = in.opcode & 0xff;
    if (op == 0x9b) {
      if ((cpu.cr0 & 0xa) == 0xa) {
        throw cpu.raise(Cpu.NM);
      }
      Operands.requireNoPending(cpu);
      return;
    }
    Operands.requireX87(cpu);
    FpuState fpu = cpu.fpu;
    if (in.isMemory) {
      int key = (op & 7) << 3 | in.extension();
      boolean control =
          key == 0x0c
              || key == 0x0d
              || key == 0x0e
              || key == 0x0f
              || key >= 0x2c && key <= 0x2f && key != 0x2d;
      boolean waits = key != 0x0e && key != 0x0f && key != 0x2e && key != 0x2f;
      if (waits) {
        Operands.requireNoPending(cpu);
      }
      if (control) {
        X87Control.memory(cpu, in, key);
      } else {
        X87Memory.execute(cpu, in, key);
        note(cpu, in, op);
        fpu.lastData = cpu.effectiveAddress(in);
        fpu.lastDataSelector = cpu.seg[in.segment].selector;
      }
      return;
    }
    if (op == 0xdb && in.extension() == 4 || op == 0xdf && (in.modrm & 0xff) == 0xe0) {
      X87Control.register(cpu, in);
      return;
    }
    Operands.requireNoPending(cpu);
    register(cpu, in, op);
    note(cpu, in, op);
  }

  private static void note(Cpu cpu, Instruction in, int op) {
    FpuState fpu = cpu.fpu;
    fpu.lastOpcode = (op & 7) << 8 | in.modrm & 0xff;
    fpu.lastInstruction = cpu.currentRip;
    fpu.lastCodeSelector = cpu.seg[Cpu.CS].selector;
  }

  private static void register(Cpu cpu, Instruction in, int op) {
    FpuState fpu = cpu.fpu;
    int i = in.modrm & 7;
    int extension = in.extension();
    switch (op) {
      case 0xd8 -> {
        if ((extension & 6) == 2) {
          compare(fpu, i, false, extension - 2);
        } else {
          arithmetic(fpu, extension, 0, i, false);
        }
      }
      case 0xd9 -> nine(cpu, in, fpu, extension, i);
      case 0xda -> {
        if (extension < 4) {
          conditionalMove(cpu, fpu, extension, false, i);
        } else if (in.modrm == 0xe9) {
          compare(fpu, 1, true, 2);
        } else {
          throw cpu.undefined(in);
        }
      }
      case 0xdb -> {
        if (extension < 4) {
          conditionalMove(cpu, fpu, extension, true, i);
        } else if (extension < 7) {
          compareToFlags(cpu, fpu, i, extension == 5, false);
        } else {
          throw cpu.undefined(in);
        }
      }
      case 0xdc, 0xde -> {
        if (op == 0xde && in.modrm == 0xd9) {
          compare(fpu, 1, false, 2);
        } else if (op == 0xde && extension == 3) {
          throw cpu.undefined(in);
        } else if ((extension & 6) == 2) {
          compare(fpu, i, false, op == 0xde ? 1 : extension - 2);
        } else {
          // The reversed forms change places where ST(i) is the destination.
          arithmetic(fpu, extension >= 4 ? extension ^ 1 : extension, i, 0, op == 0xde);
        }
      }
      case 0xdd -> {
        switch (extension) {
          case 0 -> {
            fpu.used &= ~(1 << (fpu.top + i & 7));
            fpu.status &= ~FpuState.C1;
          }
          case 1 -> exchange(fpu, i);
          case 2, 3 -> storeRegister(fpu, i, extension == 3);
          case 4, 5 -> compare(fpu, i, true, extension - 4);
          default -> throw cpu.undefined(in);
        }
      }
      default -> {
        switch (extension) {
          case 0 -> {
            fpu.used &= ~(1 << (fpu.top + i & 7));
            fpu.status &= ~FpuState.C1;
            fpu.pop();
          }
          case 1 -> exchange(fpu, i);
          case 2, 3 -> storeRegister(fpu, i, true);
          case 5, 6 -> compareToFlags(cpu, fpu, i, extension == 5, true);
          default -> throw cpu.undefined(in);
        }
      }
    }
  }

  private static void nine(Cpu cpu, Instruction in, FpuState fpu, int extension, int i) {
    switch (extension) {
      case 0 -> {
        fpu.extended.begin();
        if (fpu.empty(i)) {
          stackFault(fpu);
        } else {
          fpu.extended.set(fpu.stExponent(i), fpu.stSignificand(i));
        }
        push(fpu);
      }
      case 1 -> exchange(fpu, i);
      case 2 -> {
        if (i != 0) {
          throw cpu.undefined(in);
        }
      }
      case 3 -> copyAndPop(fpu, i);
      case 4, 5 -> {
        if (in.modrm >= 0xe8 && in.modrm <= 0xee) {
          constant(fpu, i);
        } else if (!X87Unary.simple(fpu, in.modrm)) {
          throw cpu.undefined(in);
        }
      }
      default -> X87Unary.function(fpu, in.modrm);
    }
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

  /** An operation by its extension: 0 add, 1 multiply, 4 subtract, 5 reversed, 6 divide, 7. */
  static void operate(Float80 f, int operation, int ase, long asig, int bse, long bsig) {
    switch (operation) {
      case 0 -> f.add(ase, asig, bse, bsig);
      case 1 -> f.multiply(ase, asig, bse, bsig);
      case 4 -> f.subtract(ase, asig, bse, bsig);
      case 5 -> f.subtract(bse, bsig, ase, asig);
      case 6 -> f.divide(ase, asig, bse, bsig);
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
  private static void conditionalMove(Cpu cpu, FpuState fpu, int which, boolean negated, int i) {
    int flags = cpu.eflags();
    int mask =
        switch (which) {
          case 0 -> Flags.CF;
          case 1 -> Flags.ZF;
          case 2 -> Flags.CF | Flags.ZF;
          default -> Flags.PF;
        };
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

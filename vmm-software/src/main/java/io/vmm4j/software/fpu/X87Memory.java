package io.vmm4j.software.fpu;

import static io.vmm4j.software.cpu.Mnemonic.FADD;
import static io.vmm4j.software.cpu.Mnemonic.FBLD;
import static io.vmm4j.software.cpu.Mnemonic.FBSTP;
import static io.vmm4j.software.cpu.Mnemonic.FCOM;
import static io.vmm4j.software.cpu.Mnemonic.FCOMP;
import static io.vmm4j.software.cpu.Mnemonic.FDIV;
import static io.vmm4j.software.cpu.Mnemonic.FDIVR;
import static io.vmm4j.software.cpu.Mnemonic.FIADD;
import static io.vmm4j.software.cpu.Mnemonic.FICOM;
import static io.vmm4j.software.cpu.Mnemonic.FICOMP;
import static io.vmm4j.software.cpu.Mnemonic.FIDIV;
import static io.vmm4j.software.cpu.Mnemonic.FIDIVR;
import static io.vmm4j.software.cpu.Mnemonic.FILD;
import static io.vmm4j.software.cpu.Mnemonic.FIMUL;
import static io.vmm4j.software.cpu.Mnemonic.FIST;
import static io.vmm4j.software.cpu.Mnemonic.FISTP;
import static io.vmm4j.software.cpu.Mnemonic.FISTTP;
import static io.vmm4j.software.cpu.Mnemonic.FISUB;
import static io.vmm4j.software.cpu.Mnemonic.FISUBR;
import static io.vmm4j.software.cpu.Mnemonic.FLD;
import static io.vmm4j.software.cpu.Mnemonic.FMUL;
import static io.vmm4j.software.cpu.Mnemonic.FST;
import static io.vmm4j.software.cpu.Mnemonic.FSTP;
import static io.vmm4j.software.cpu.Mnemonic.FSUB;
import static io.vmm4j.software.cpu.Mnemonic.FSUBR;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Flags;
import io.vmm4j.software.cpu.Instruction;
import io.vmm4j.software.cpu.Mmu;

/** x87 arithmetic, loads and stores with a memory operand. */
final class X87Memory {
  private static final int STORE_FORBIDDEN =
      FpuExceptions.INVALID | FpuExceptions.OVERFLOW | FpuExceptions.UNDERFLOW;

  private X87Memory() {}

  static void execute(Cpu cpu, Instruction in) {
    switch (in.mnemonic) {
      case FADD, FIADD -> arithmetic(cpu, in, FADD);
      case FMUL, FIMUL -> arithmetic(cpu, in, FMUL);
      case FSUB, FISUB -> arithmetic(cpu, in, FSUB);
      case FSUBR, FISUBR -> arithmetic(cpu, in, FSUBR);
      case FDIV, FIDIV -> arithmetic(cpu, in, FDIV);
      case FDIVR, FIDIVR -> arithmetic(cpu, in, FDIVR);
      case FCOM, FICOM -> compare(cpu, in, 0);
      case FCOMP, FICOMP -> compare(cpu, in, 1);
      case FLD -> {
        cpu.fpu.extended.begin();
        loadNumber(cpu, in);
        X87.push(cpu.fpu);
      }
      case FILD -> {
        cpu.fpu.extended.begin();
        loadInteger(cpu, in);
        X87.push(cpu.fpu);
      }
      case FBLD -> {
        cpu.fpu.extended.begin();
        loadTen(cpu, in);
        X87.push(cpu.fpu);
      }
      case FST, FIST -> store(cpu, in, false);
      case FISTP, FISTTP -> store(cpu, in, true);
      case FSTP -> {
        if (in.form.fixedOperandBytes() == 10) {
          storeExtended(cpu, in);
        } else {
          store(cpu, in, true);
        }
      }
      case FBSTP -> storeDecimal(cpu, in);
      default -> throw cpu.undefined(in);
    }
  }

  /** A floating-point operand. */
  private static void loadNumber(Cpu cpu, Instruction in) {
    Float80 f = cpu.fpu.extended;
    switch (in.form.fixedOperandBytes()) {
      case 4 -> Float80Conversion.fromFloat(f, cpu.mmu.read32(cpu.linearAddress(in, 4, false)));
      case 8 -> Float80Conversion.fromDouble(f, cpu.mmu.read64(cpu.linearAddress(in, 8, false)));
      default -> loadTen(cpu, in);
    }
  }

  private static void loadInteger(Cpu cpu, Instruction in) {
    int size = in.form.fixedOperandBytes();
    long value = cpu.mmu.read(cpu.linearAddress(in, size, false), size);
    Float80Conversion.fromLong(cpu.fpu.extended, Flags.signExtend(value, size));
  }

  private static void loadTen(Cpu cpu, Instruction in) {
    long linear = cpu.linearAddress(in, 10, false);
    long low = cpu.mmu.read64(linear);
    int high = cpu.mmu.read16(linear + 8);
    if (in.mnemonic == FBLD) {
      Float80Conversion.fromDecimal(cpu.fpu.extended, low, high);
    } else {
      cpu.fpu.extended.set(high, low);
    }
  }

  /** The operand of arithmetic and comparison; gives whether it is a denormal. */
  private static boolean loadSource(Cpu cpu, Instruction in) {
    Float80 f = cpu.fpu.extended;
    f.begin();
    if (in.mnemonic >= FIADD && in.mnemonic <= FIDIVR) {
      loadInteger(cpu, in);
    } else {
      loadNumber(cpu, in);
    }
    boolean wasDenormal = (f.exceptions & FpuExceptions.DENORMAL) != 0;
    if ((f.exceptions & FpuExceptions.INVALID) != 0) {
      // Which NaN wins depends on its having been a signalling one.
      f.significand &= ~0x4000_0000_0000_0000L;
      wasDenormal = false;
    }
    f.exceptions = 0;
    return wasDenormal;
  }

  private static void compare(Cpu cpu, Instruction in, int pops) {
    FpuState fpu = cpu.fpu;
    Float80 f = fpu.extended;
    boolean denormal = loadSource(cpu, in) && !nanOnTop(fpu);
    f.exceptions = denormal ? FpuExceptions.DENORMAL : 0;
    X87.compareWith(fpu, fpu.empty(0), f.signExponent, f.significand, false, pops);
  }

  /** Whether ST(0) is empty or no number. */
  private static boolean nanOnTop(FpuState fpu) {
    int se = fpu.stExponent(0);
    long sig = fpu.stSignificand(0);
    return fpu.empty(0) || Float80.isNan(se, sig) || Float80.isUnsupported(se, sig);
  }

  private static void arithmetic(Cpu cpu, Instruction in, int operation) {
    FpuState fpu = cpu.fpu;
    Float80 f = fpu.extended;
    boolean denormal = loadSource(cpu, in) && !nanOnTop(fpu);
    if (fpu.empty(0)) {
      X87.stackFault(fpu);
    } else {
      X87.operate(
          f, operation, fpu.stExponent(0), fpu.stSignificand(0), f.signExponent, f.significand);
      int stronger = FpuExceptions.INVALID | FpuExceptions.ZERO_DIVIDE;
      if (denormal && (f.exceptions & stronger) == 0) {
        f.exceptions |= FpuExceptions.DENORMAL;
        if (f.suppressed()) {
          // Raised before the operation: what that would have raised does not count.
          f.exceptions &= FpuExceptions.BEFORE_RESULT;
          f.roundedUp = false;
        }
      }
    }
    X87.report(fpu);
    if (!f.suppressed()) {
      fpu.st(0, f.signExponent, f.significand);
    }
  }

  /** FST, FSTP, FIST, FISTP and FISTTP. */
  private static void store(Cpu cpu, Instruction in, boolean pops) {
    FpuState fpu = cpu.fpu;
    Float80 f = fpu.extended;
    f.begin();
    int size = in.form.fixedOperandBytes();
    long linear = cpu.linearAddress(in, size, true);
    boolean missing = fpu.empty(0);
    if (missing) {
      X87.stackFault(fpu);
    }
    // Unnormal: every conversion makes the indefinite of it.
    int se = missing ? 0x7ffe : fpu.stExponent(0);
    long sig = missing ? 0 : fpu.stSignificand(0);
    boolean truncates = in.mnemonic == FISTTP;
    long value =
        switch (in.mnemonic) {
          case FST, FSTP ->
              size == 4
                  ? Float80Conversion.toFloat(f, se, sig)
                  : Float80Conversion.toDouble(f, se, sig);
          default -> Float80Conversion.toInteger(f, se, sig, 8 * size, truncates);
        };
    boolean stores = (f.exceptions & ~f.control & STORE_FORBIDDEN) == 0;
    if (stores) {
      cpu.mmu.write(linear, size, value);
    } else {
      cpu.mmu.checkAlignment(linear, size);
      cpu.mmu.probe(linear, size, Mmu.WRITE);
    }
    X87.report(fpu);
    if (stores && pops) {
      fpu.pop();
    }
  }

  private static void storeExtended(Cpu cpu, Instruction in) {
    FpuState fpu = cpu.fpu;
    Float80 f = fpu.extended;
    f.begin();
    if (fpu.empty(0)) {
      X87.stackFault(fpu);
    } else {
      f.set(fpu.stExponent(0), fpu.stSignificand(0));
    }
    storeTen(cpu, in, f.signExponent, f.significand);
  }

  private static void storeDecimal(Cpu cpu, Instruction in) {
    FpuState fpu = cpu.fpu;
    Float80 f = fpu.extended;
    f.begin();
    boolean missing = fpu.empty(0);
    if (missing) {
      X87.stackFault(fpu);
    }
    int se = missing ? 0x7ffe : fpu.stExponent(0);
    long sig = missing ? 0 : fpu.stSignificand(0);
    long low = Float80Conversion.toDecimal(f, se, sig);
    storeTen(cpu, in, Float80Conversion.decimalHigh(f), low);
  }

  private static void storeTen(Cpu cpu, Instruction in, int high, long low) {
    FpuState fpu = cpu.fpu;
    long linear = cpu.linearAddress(in, 10, true);
    cpu.mmu.checkAlignment(linear, 8);
    cpu.mmu.probe(linear, 10, Mmu.WRITE);
    boolean stores = !fpu.extended.suppressed();
    if (stores) {
      cpu.mmu.write64(linear, low);
      cpu.mmu.write16(linear + 8, high);
    }
    X87.report(fpu);
    if (stores) {
      fpu.pop();
    }
  }
}

package io.vmm4j.engine.software.fpu;

import io.vmm4j.engine.software.cpu.Cpu;
import io.vmm4j.engine.software.cpu.Instruction;
import io.vmm4j.engine.software.cpu.Mmu;

/** x87 arithmetic, loads and stores with a memory operand. */
final class X87Memory {
  private static final int STORE_FORBIDDEN =
      FpuExceptions.INVALID | FpuExceptions.OVERFLOW | FpuExceptions.UNDERFLOW;

  private X87Memory() {}

  /** Executes; key: low three bits of the opcode, then the extension. */
  static void execute(Cpu cpu, Instruction in, int key) {
    int group = key >> 3;
    int extension = key & 7;
    if ((group & 1) == 0) {
      arithmetic(cpu, in, group, extension);
      return;
    }
    switch (key) {
      case 0x08, 0x28, 0x18, 0x38, 0x3d, 0x1d, 0x3c -> {
        cpu.fpu.extended.begin();
        load(cpu, in, key);
        X87.push(cpu.fpu);
      }
      case 0x0a, 0x0b, 0x2a, 0x2b, 0x1a, 0x1b, 0x3a, 0x3b, 0x3f, 0x19, 0x39, 0x29 ->
          store(cpu, in, key);
      case 0x1f -> storeExtended(cpu, in);
      case 0x3e -> storeDecimal(cpu, in);
      default -> throw cpu.undefined(in);
    }
  }

  private static void load(Cpu cpu, Instruction in, int key) {
    Float80 f = cpu.fpu.extended;
    switch (key) {
      case 0x08 -> Float80Conversion.fromFloat(f, cpu.mmu.read32(cpu.linearAddress(in, 4, false)));
      case 0x28 -> Float80Conversion.fromDouble(f, cpu.mmu.read64(cpu.linearAddress(in, 8, false)));
      case 0x18 -> Float80Conversion.fromLong(f, cpu.mmu.read32(cpu.linearAddress(in, 4, false)));
      case 0x38 ->
          Float80Conversion.fromLong(f, (short) cpu.mmu.read16(cpu.linearAddress(in, 2, false)));
      case 0x3d -> Float80Conversion.fromLong(f, cpu.mmu.read64(cpu.linearAddress(in, 8, false)));
      default -> {
        long linear = cpu.linearAddress(in, 10, false);
        long low = cpu.mmu.read64(linear);
        int high = cpu.mmu.read16(linear + 8);
        if (key == 0x1d) {
          f.set(high, low);
        } else {
          Float80Conversion.fromDecimal(f, low, high);
        }
      }
    }
  }

  private static void arithmetic(Cpu cpu, Instruction in, int group, int extension) {
    FpuState fpu = cpu.fpu;
    Float80 f = fpu.extended;
    f.begin();
    switch (group) {
      case 0 -> load(cpu, in, 0x08);
      case 2 -> load(cpu, in, 0x18);
      case 4 -> load(cpu, in, 0x28);
      default -> load(cpu, in, 0x38);
    }
    int se = f.signExponent;
    long sig = f.significand;
    if ((f.exceptions & FpuExceptions.INVALID) != 0) {
      // Which NaN wins depends on its having been a signalling one.
      sig &= ~0x4000_0000_0000_0000L;
      f.exceptions = 0;
    }
    boolean missing = fpu.empty(0);
    int ase = fpu.stExponent(0);
    long asig = fpu.stSignificand(0);
    boolean wasDenormal = (f.exceptions & FpuExceptions.DENORMAL) != 0;
    boolean nan = missing || Float80.isNan(ase, asig) || Float80.isUnsupported(ase, asig);
    f.exceptions = 0;
    if ((extension & 6) == 2) {
      f.exceptions = wasDenormal && !nan ? FpuExceptions.DENORMAL : 0;
      X87.compareWith(fpu, missing, se, sig, false, extension - 2);
      return;
    }
    if (missing) {
      X87.stackFault(fpu);
    } else {
      X87.operate(f, extension, ase, asig, se, sig);
      int stronger = FpuExceptions.INVALID | FpuExceptions.ZERO_DIVIDE;
      if (wasDenormal && !nan && (f.exceptions & stronger) == 0) {
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
  private static void store(Cpu cpu, Instruction in, int key) {
    FpuState fpu = cpu.fpu;
    Float80 f = fpu.extended;
    f.begin();
    int size =
        switch (key) {
          case 0x3a, 0x3b, 0x39 -> 2;
          case 0x0a, 0x0b, 0x1a, 0x1b, 0x19 -> 4;
          default -> 8;
        };
    long linear = cpu.linearAddress(in, size, true);
    boolean missing = fpu.empty(0);
    if (missing) {
      X87.stackFault(fpu);
    }
    // Unnormal: every conversion makes the indefinite of it.
    int se = missing ? 0x7ffe : fpu.stExponent(0);
    long sig = missing ? 0 : fpu.stSignificand(0);
    boolean truncates = key == 0x19 || key == 0x39 || key == 0x29;
    long value =
        switch (key) {
          case 0x0a, 0x0b -> Float80Conversion.toFloat(f, se, sig);
          case 0x2a, 0x2b -> Float80Conversion.toDouble(f, se, sig);
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
    boolean pops = (key & 7) != 2;
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

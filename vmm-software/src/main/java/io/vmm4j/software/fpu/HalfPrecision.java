package io.vmm4j.software.fpu;

import static io.vmm4j.software.cpu.Mnemonic.VCVTPH2PS;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Instruction;
import io.vmm4j.software.cpu.Mmu;

/** VCVTPH2PS and VCVTPS2PH (Intel SDM volume 2). */
final class HalfPrecision {
  private HalfPrecision() {}

  static void execute(Cpu cpu, Instruction in) {
    Operands.requireAvx(cpu);
    cpu.fpu.simd.clear();
    if (in.mnemonic == VCVTPH2PS) {
      widen(cpu, in);
    } else {
      narrow(cpu, in);
    }
  }

  private static void widen(Cpu cpu, Instruction in) {
    SimdFloat simd = cpu.fpu.simd;
    long[] s = cpu.fpu.source;
    Operands.loadVector(cpu, in);
    long a = singles(simd, (int) s[0]);
    long b = singles(simd, (int) (s[0] >>> 32));
    long c = in.vexL ? singles(simd, (int) s[1]) : 0;
    long d = in.vexL ? singles(simd, (int) (s[1] >>> 32)) : 0;
    Operands.settle(cpu);
    Avx.set(cpu.fpu, in.reg, a, b, c, d);
  }

  private static long singles(SimdFloat simd, int halves) {
    int low = simd.halfToSingle(halves & 0xffff);
    return Packed.pair(low, simd.halfToSingle(halves >>> 16));
  }

  private static void narrow(Cpu cpu, Instruction in) {
    FpuState fpu = cpu.fpu;
    SimdFloat simd = fpu.simd;
    int r = 2 * in.reg;
    int control = (int) in.imm;
    long low = halves(simd, fpu.xmm[r], control) | halves(simd, fpu.xmm[r + 1], control) << 32;
    long high = 0;
    if (in.vexL) {
      high = halves(simd, fpu.ymmHigh[r], control);
      high |= halves(simd, fpu.ymmHigh[r + 1], control) << 32;
    }
    if (!in.isMemory) {
      Operands.settle(cpu);
      Avx.set(fpu, in.rm, low, high, 0, 0);
      return;
    }
    int bytes = in.form.operandBytes(in);
    long linear = cpu.linearAddress(in, bytes, true);
    cpu.mmu.checkAlignment(linear, bytes);
    cpu.mmu.probe(linear, bytes, Mmu.WRITE);
    Operands.settle(cpu);
    cpu.mmu.write64(linear, low);
    if (bytes == 16) {
      cpu.mmu.write64(linear + 8, high);
    }
  }

  private static long halves(SimdFloat simd, long pair, int control) {
    long low = simd.singleToHalf((int) pair, control);
    return low | (long) simd.singleToHalf((int) (pair >>> 32), control) << 16;
  }
}

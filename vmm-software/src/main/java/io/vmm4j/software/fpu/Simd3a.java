package io.vmm4j.software.fpu;

import static io.vmm4j.software.cpu.Mnemonic.BLENDPD;
import static io.vmm4j.software.cpu.Mnemonic.BLENDPS;
import static io.vmm4j.software.cpu.Mnemonic.DPPD;
import static io.vmm4j.software.cpu.Mnemonic.DPPS;
import static io.vmm4j.software.cpu.Mnemonic.EXTRACTPS;
import static io.vmm4j.software.cpu.Mnemonic.INSERTPS;
import static io.vmm4j.software.cpu.Mnemonic.MPSADBW;
import static io.vmm4j.software.cpu.Mnemonic.PALIGNR;
import static io.vmm4j.software.cpu.Mnemonic.PBLENDW;
import static io.vmm4j.software.cpu.Mnemonic.PCMPESTRI;
import static io.vmm4j.software.cpu.Mnemonic.PCMPESTRM;
import static io.vmm4j.software.cpu.Mnemonic.PCMPISTRI;
import static io.vmm4j.software.cpu.Mnemonic.PCMPISTRM;
import static io.vmm4j.software.cpu.Mnemonic.PEXTRB;
import static io.vmm4j.software.cpu.Mnemonic.PEXTRD;
import static io.vmm4j.software.cpu.Mnemonic.PINSRB;
import static io.vmm4j.software.cpu.Mnemonic.PINSRD;
import static io.vmm4j.software.cpu.Mnemonic.ROUNDPD;
import static io.vmm4j.software.cpu.Mnemonic.ROUNDPS;
import static io.vmm4j.software.cpu.Mnemonic.ROUNDSD;
import static io.vmm4j.software.cpu.Mnemonic.ROUNDSS;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Instruction;
import io.vmm4j.software.cpu.OperandPlace;

/** SSSE3, SSE4.1 and SSE4.2 with an immediate: the map 0F3A. */
final class Simd3a {
  private Simd3a() {}

  static void execute(Cpu cpu, Instruction in) {
    if (in.form.first == OperandPlace.MMX_REG) { // PALIGNR
      Operands.requireMmx(cpu);
      long b = Operands.loadMmx(cpu, in);
      long a = cpu.fpu.significand[in.reg & 7];
      cpu.fpu.enterMmx();
      cpu.fpu.mmx(in.reg & 7, SimdAlign.extract(b, a, 0, 0, (int) in.imm & 0xff));
      return;
    }
    Operands.requireSse(cpu);
    cpu.fpu.simd.clear();
    int op = in.mnemonic;
    switch (op) {
      case ROUNDSS, ROUNDSD -> {
        long al = cpu.fpu.xmm[2 * in.reg];
        long bl = op == ROUNDSS ? Operands.load32(cpu, in) : Operands.load64(cpu, in);
        set(cpu, in, roundScalar(cpu.fpu.simd, in, al, bl), cpu.fpu.xmm[2 * in.reg + 1]);
      }
      case ROUNDPS, ROUNDPD, BLENDPS, BLENDPD, PBLENDW, PALIGNR, DPPS, DPPD, MPSADBW ->
          twoSources(cpu, in);
      case PEXTRB, PEXTRD, EXTRACTPS -> extract(cpu, in);
      case PINSRB, PINSRD -> insert(cpu, in);
      case INSERTPS -> insertSingle(cpu, in);
      case PCMPESTRM, PCMPESTRI, PCMPISTRM, PCMPISTRI -> StringCompare.execute(cpu, in);
      default -> throw cpu.undefined(in);
    }
  }

  private static void set(Cpu cpu, Instruction in, long low, long high) {
    Operands.settle(cpu);
    cpu.fpu.xmm[2 * in.reg] = low;
    cpu.fpu.xmm[2 * in.reg + 1] = high;
  }

  /** The low half of ROUNDSS or ROUNDSD. */
  static long roundScalar(SimdFloat simd, Instruction in, long al, long bl) {
    int mode = (int) in.imm;
    return in.mnemonic == ROUNDSS
        ? Packed.pair(simd.roundSingle((int) bl, mode), al >>> 32)
        : simd.roundDouble(bl, mode);
  }

  private static long roundPair(SimdFloat simd, long pair, int mode) {
    int low = simd.roundSingle((int) pair, mode);
    return Packed.pair(low, simd.roundSingle((int) (pair >>> 32), mode));
  }

  private static void twoSources(Cpu cpu, Instruction in) {
    long bl = Operands.load128(cpu, in);
    long bh = cpu.fpu.operandHigh;
    long al = cpu.fpu.xmm[2 * in.reg];
    long ah = cpu.fpu.xmm[2 * in.reg + 1];
    long low = lane(cpu, in, al, ah, bl, bh, (int) in.imm & 0xff);
    set(cpu, in, low, cpu.fpu.resultHigh);
  }

  /** The result in 128 bits of two operands: roundings, blends, PALIGNR, DPPx and MPSADBW. */
  static long lane(Cpu cpu, Instruction in, long al, long ah, long bl, long bh, int imm) {
    FpuState fpu = cpu.fpu;
    SimdFloat simd = fpu.simd;
    switch (in.mnemonic) {
      case ROUNDPD -> {
        long low = simd.roundDouble(bl, imm);
        fpu.resultHigh = simd.roundDouble(bh, imm);
        return low;
      }
      case ROUNDPS -> {
        long low = roundPair(simd, bl, imm);
        fpu.resultHigh = roundPair(simd, bh, imm);
        return low;
      }
      case BLENDPS -> {
        fpu.resultHigh = blend(32, ah, bh, imm >> 2);
        return blend(32, al, bl, imm);
      }
      case BLENDPD -> {
        fpu.resultHigh = (imm & 2) != 0 ? bh : ah;
        return (imm & 1) != 0 ? bl : al;
      }
      case PBLENDW -> {
        fpu.resultHigh = blend(16, ah, bh, imm >> 4);
        return blend(16, al, bl, imm);
      }
      case PALIGNR -> {
        fpu.resultHigh = SimdAlign.extract(bl, bh, al, ah, imm + 8);
        return SimdAlign.extract(bl, bh, al, ah, imm);
      }
      case DPPS -> {
        return dotSingle(cpu, al, ah, bl, bh, imm);
      }
      case DPPD -> {
        long first = (imm & 0x10) != 0 ? simd.multiplyDouble(al, bl) : 0;
        long second = (imm & 0x20) != 0 ? simd.multiplyDouble(ah, bh) : 0;
        Operands.settle(cpu);
        long sum = simd.addDouble(first, second);
        fpu.resultHigh = (imm & 2) != 0 ? sum : 0;
        return (imm & 1) != 0 ? sum : 0;
      }
      default -> {
        long block = (imm & 2) != 0 ? bh : bl;
        int source = (int) (block >>> 32 * (imm & 1));
        int from = (imm & 4) != 0 ? 4 : 0;
        fpu.resultHigh = differences(al, ah, from + 4, source);
        return differences(al, ah, from, source);
      }
    }
  }

  private static long blend(int width, long a, long b, int mask) {
    long result = 0;
    for (int i = 0; i * width < 64; i++) {
      long lane = (mask >> i & 1) != 0 ? b : a;
      result |= lane >>> i * width << 64 - width >>> 64 - width << i * width;
    }
    return result;
  }

  private static long dotSingle(Cpu cpu, long al, long ah, long bl, long bh, int imm) {
    SimdFloat simd = cpu.fpu.simd;
    long first = products(simd, al, bl, imm >> 4);
    long second = products(simd, ah, bh, imm >> 6);
    Operands.settle(cpu);
    int low = simd.addSingle((int) first, (int) (first >>> 32));
    int high = simd.addSingle((int) second, (int) (second >>> 32));
    Operands.settle(cpu);
    int sum = simd.addSingle(low, high);
    cpu.fpu.resultHigh = chosen(sum, imm >> 2);
    return chosen(sum, imm);
  }

  /** Two products, or zeros where bits 0 and 1 of a mask are clear. */
  static long products(SimdFloat simd, long a, long b, int mask) {
    int low = (mask & 1) != 0 ? simd.multiplySingle((int) a, (int) b) : 0;
    int high = (mask & 2) != 0 ? simd.multiplySingle((int) (a >>> 32), (int) (b >>> 32)) : 0;
    return Packed.pair(low, high);
  }

  /** A sum twice, or zeros where bits 0 and 1 of a mask are clear. */
  static long chosen(int sum, int mask) {
    return Packed.pair((mask & 1) != 0 ? sum : 0, (mask & 2) != 0 ? sum : 0);
  }

  /** Four sums of MPSADBW, beginning at byte {@code from} of the first operand. */
  private static long differences(long low, long high, int from, int source) {
    long result = 0;
    for (int i = 0; i < 4; i++) {
      int window = (int) SimdAlign.extract(low, high, 0, 0, from + i);
      long sum = Packed.sumOfDifferences(window & 0xffff_ffffL, source & 0xffff_ffffL);
      result |= sum << 16 * i;
    }
    return result;
  }

  /** PEXTRB, PEXTRW with memory, PEXTRD and EXTRACTPS. */
  static void extract(Cpu cpu, Instruction in) {
    int index = (int) in.imm;
    int size = in.form.operandBytes(in);
    int bytes = index * size & 15;
    long value = cpu.fpu.xmm[2 * in.reg + (bytes >> 3)] >>> 8 * (bytes & 7);
    if (in.isMemory) {
      cpu.mmu.write(cpu.linearAddress(in, size, true), size, value);
    } else {
      cpu.gpr[in.rm] = size == 8 ? value : value & (1L << 8 * size) - 1;
    }
  }

  private static void insertSingle(Cpu cpu, Instruction in) {
    long[] xmm = cpu.fpu.xmm;
    int value = insertedSingle(cpu, in);
    insertSingle(xmm, 2 * in.reg, (int) in.imm, value);
  }

  /** What INSERTPS inserts. */
  static int insertedSingle(Cpu cpu, Instruction in) {
    if (in.isMemory) {
      return cpu.mmu.read32(cpu.linearAddress(in, 4, false));
    }
    long[] xmm = cpu.fpu.xmm;
    return Packed.doubleword(xmm[2 * in.rm], xmm[2 * in.rm + 1], (int) in.imm >> 6 & 3);
  }

  /** Inserts into the 128 bits that begin at a place of an array. */
  static void insertSingle(long[] into, int at, int imm, int value) {
    put(into, at, imm >> 2 & 0xc, 4, value);
    for (int i = 0; i < 4; i++) {
      if ((imm >> i & 1) != 0) {
        put(into, at, 4 * i, 4, 0);
      }
    }
  }

  private static void insert(Cpu cpu, Instruction in) {
    insert(cpu, in, cpu.fpu.xmm, 2 * in.reg);
  }

  /** PINSRB, PINSRW and PINSRD into the 128 bits that begin at a place of an array. */
  static void insert(Cpu cpu, Instruction in, long[] into, int at) {
    int size = in.form.operandBytes(in);
    long value =
        in.isMemory ? cpu.mmu.read(cpu.linearAddress(in, size, false), size) : cpu.gpr[in.rm];
    put(into, at, ((int) in.imm & 0xff) * size & 15, size, value);
  }

  private static void put(long[] xmm, int register, int offset, int size, long value) {
    int shift = 8 * (offset & 7);
    long mask = size == 8 ? -1 : (1L << 8 * size) - 1 << shift;
    int at = register + (offset >> 3);
    xmm[at] = xmm[at] & ~mask | value << shift & mask;
  }
}

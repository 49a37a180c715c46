package io.vmm4j.software.fpu;

import static io.vmm4j.software.cpu.Mnemonic.VBROADCASTF128;
import static io.vmm4j.software.cpu.Mnemonic.VBROADCASTI128;
import static io.vmm4j.software.cpu.Mnemonic.VBROADCASTSD;
import static io.vmm4j.software.cpu.Mnemonic.VBROADCASTSS;
import static io.vmm4j.software.cpu.Mnemonic.VEXTRACTF128;
import static io.vmm4j.software.cpu.Mnemonic.VEXTRACTI128;
import static io.vmm4j.software.cpu.Mnemonic.VINSERTF128;
import static io.vmm4j.software.cpu.Mnemonic.VINSERTI128;
import static io.vmm4j.software.cpu.Mnemonic.VPBLENDD;
import static io.vmm4j.software.cpu.Mnemonic.VPBROADCASTB;
import static io.vmm4j.software.cpu.Mnemonic.VPBROADCASTD;
import static io.vmm4j.software.cpu.Mnemonic.VPBROADCASTQ;
import static io.vmm4j.software.cpu.Mnemonic.VPBROADCASTW;
import static io.vmm4j.software.cpu.Mnemonic.VPERM2F128;
import static io.vmm4j.software.cpu.Mnemonic.VPERM2I128;
import static io.vmm4j.software.cpu.Mnemonic.VPERMD;
import static io.vmm4j.software.cpu.Mnemonic.VPERMILPD;
import static io.vmm4j.software.cpu.Mnemonic.VPERMILPS;
import static io.vmm4j.software.cpu.Mnemonic.VPERMPD;
import static io.vmm4j.software.cpu.Mnemonic.VPERMPS;
import static io.vmm4j.software.cpu.Mnemonic.VPERMQ;
import static io.vmm4j.software.cpu.Mnemonic.VPSLLVD;
import static io.vmm4j.software.cpu.Mnemonic.VPSLLVQ;
import static io.vmm4j.software.cpu.Mnemonic.VPSRLVD;
import static io.vmm4j.software.cpu.Mnemonic.VPSRLVQ;
import static io.vmm4j.software.cpu.Mnemonic.VTESTPD;
import static io.vmm4j.software.cpu.Mnemonic.VTESTPS;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Instruction;
import io.vmm4j.software.cpu.OperandPlace;

/**
 * Broadcasts, permutations, insertions and extractions of AVX and AVX2, variable shifts, VPBLENDD
 * and VTESTPx (Intel SDM volume 2).
 */
final class AvxPermute {
  private AvxPermute() {}

  static void execute(Cpu cpu, Instruction in) {
    Operands.requireAvx(cpu);
    FpuState fpu = cpu.fpu;
    long[] s = fpu.source;
    if (in.mnemonic == VEXTRACTF128 || in.mnemonic == VEXTRACTI128) {
      extract(cpu, in);
      return;
    }
    Operands.loadVector(cpu, in);
    switch (in.mnemonic) {
      case VBROADCASTSS, VPBROADCASTD -> broadcast(cpu, in, Packed.pair(s[0], s[0]));
      case VBROADCASTSD, VPBROADCASTQ -> broadcast(cpu, in, s[0]);
      case VPBROADCASTB -> broadcast(cpu, in, (s[0] & 0xff) * 0x0101_0101_0101_0101L);
      case VPBROADCASTW -> broadcast(cpu, in, (s[0] & 0xffff) * 0x0001_0001_0001_0001L);
      case VBROADCASTF128, VBROADCASTI128 -> Avx.set(fpu, in.reg, s[0], s[1], s[0], s[1]);
      case VPERMILPS, VPERMILPD -> withinLanes(cpu, in);
      case VPERMPS, VPERMD -> permuteDoublewords(cpu, in);
      case VPERMQ, VPERMPD -> {
        int order = (int) in.imm;
        Avx.set(fpu, in.reg, s[order & 3], s[order >> 2 & 3], s[order >> 4 & 3], s[order >> 6 & 3]);
      }
      case VPERM2F128, VPERM2I128 -> {
        int order = (int) in.imm;
        long a = half(cpu, in, order, 0);
        long b = half(cpu, in, order, 1);
        long c = half(cpu, in, order >> 4, 0);
        Avx.set(fpu, in.reg, a, b, c, half(cpu, in, order >> 4, 1));
      }
      case VINSERTF128, VINSERTI128 -> {
        int a = 2 * in.vexRegister;
        if ((in.imm & 1) == 0) {
          Avx.set(fpu, in.reg, s[0], s[1], fpu.ymmHigh[a], fpu.ymmHigh[a + 1]);
        } else {
          Avx.set(fpu, in.reg, fpu.xmm[a], fpu.xmm[a + 1], s[0], s[1]);
        }
      }
      case VTESTPS -> test(cpu, in, 0x8000_0000_8000_0000L);
      case VTESTPD -> test(cpu, in, Long.MIN_VALUE);
      default -> lanes(cpu, in);
    }
  }

  private static void broadcast(Cpu cpu, Instruction in, long value) {
    Avx.set(cpu.fpu, in.reg, value, value, in.vexL ? value : 0, in.vexL ? value : 0);
  }

  /** VEXTRACTF128 and VEXTRACTI128. */
  private static void extract(Cpu cpu, Instruction in) {
    FpuState fpu = cpu.fpu;
    int r = 2 * in.reg;
    boolean upper = (in.imm & 1) != 0;
    long low = upper ? fpu.ymmHigh[r] : fpu.xmm[r];
    long high = upper ? fpu.ymmHigh[r + 1] : fpu.xmm[r + 1];
    if (in.isMemory) {
      Operands.store128(cpu, in, false, low, high);
    } else {
      Avx.set(fpu, in.rm, low, high, 0, 0);
    }
  }

  /** VPERMILPS and VPERMILPD: the control is an immediate or an operand. */
  private static void withinLanes(Cpu cpu, Instruction in) {
    FpuState fpu = cpu.fpu;
    long[] s = fpu.source;
    boolean twice = in.mnemonic == VPERMILPD;
    if (in.form.third == OperandPlace.IMMEDIATE) {
      int order = (int) in.imm;
      int upper = twice ? order >> 2 : order;
      long a = chosen(twice, s[0], s[1], order, order >> 2);
      long b = chosen(twice, s[0], s[1], twice ? order >> 1 : order >> 4, order >> 6);
      long c = chosen(twice, s[2], s[3], upper, upper >> 2);
      long d = chosen(twice, s[2], s[3], twice ? upper >> 1 : upper >> 4, upper >> 6);
      Avx.set(fpu, in.reg, a, b, in.vexL ? c : 0, in.vexL ? d : 0);
      return;
    }
    int from = 2 * in.vexRegister;
    long al = fpu.xmm[from];
    long ah = fpu.xmm[from + 1];
    long bl = fpu.ymmHigh[from];
    long bh = fpu.ymmHigh[from + 1];
    long a = chosenBy(twice, al, ah, s[0]);
    long b = chosenBy(twice, al, ah, s[1]);
    long c = in.vexL ? chosenBy(twice, bl, bh, s[2]) : 0;
    Avx.set(fpu, in.reg, a, b, c, in.vexL ? chosenBy(twice, bl, bh, s[3]) : 0);
  }

  private static long chosenBy(boolean twice, long low, long high, long control) {
    int first = (int) control;
    return chosen(twice, low, high, twice ? first >> 1 : first, (int) (control >>> 32));
  }

  /** A quadword of 128 bits, by the lowest bit of a number, or two doublewords, by two of each. */
  private static long chosen(boolean twice, long low, long high, int first, int second) {
    if (twice) {
      return (first & 1) != 0 ? high : low;
    }
    return Packed.pair(
        Packed.doubleword(low, high, first & 3), Packed.doubleword(low, high, second & 3));
  }

  /** VPERMPS and VPERMD. */
  private static void permuteDoublewords(Cpu cpu, Instruction in) {
    FpuState fpu = cpu.fpu;
    long[] s = fpu.source;
    int index = 2 * in.vexRegister;
    long a = doublewords(s, fpu.xmm[index]);
    long b = doublewords(s, fpu.xmm[index + 1]);
    long c = doublewords(s, fpu.ymmHigh[index]);
    Avx.set(fpu, in.reg, a, b, c, doublewords(s, fpu.ymmHigh[index + 1]));
  }

  private static long doublewords(long[] s, long indices) {
    return Packed.pair(doubleword(s, (int) indices), doubleword(s, (int) (indices >>> 32)));
  }

  private static long doubleword(long[] s, int index) {
    long pair = s[index >> 1 & 3];
    return (index & 1) != 0 ? pair >>> 32 : pair;
  }

  /** 64 bits of the half that four bits of VPERM2F128's immediate choose. */
  private static long half(Cpu cpu, Instruction in, int control, int which) {
    FpuState fpu = cpu.fpu;
    if ((control & 8) != 0) {
      return 0;
    }
    int a = 2 * in.vexRegister + which;
    return switch (control & 3) {
      case 0 -> fpu.xmm[a];
      case 1 -> fpu.ymmHigh[a];
      case 2 -> fpu.source[which];
      default -> fpu.source[2 + which];
    };
  }

  private static void test(Cpu cpu, Instruction in, long signs) {
    FpuState fpu = cpu.fpu;
    long[] s = fpu.source;
    int r = 2 * in.reg;
    long both = fpu.xmm[r] & s[0] | fpu.xmm[r + 1] & s[1];
    long second = ~fpu.xmm[r] & s[0] | ~fpu.xmm[r + 1] & s[1];
    if (in.vexL) {
      both |= fpu.ymmHigh[r] & s[2] | fpu.ymmHigh[r + 1] & s[3];
      second |= ~fpu.ymmHigh[r] & s[2] | ~fpu.ymmHigh[r + 1] & s[3];
    }
    Avx.setTestFlags(cpu, both & signs, second & signs);
  }

  /** Variable shifts and VPBLENDD. */
  private static void lanes(Cpu cpu, Instruction in) {
    FpuState fpu = cpu.fpu;
    long[] s = fpu.source;
    int from = 2 * in.vexRegister;
    int imm = (int) in.imm;
    long a = lane(in.mnemonic, fpu.xmm[from], s[0], imm);
    long b = lane(in.mnemonic, fpu.xmm[from + 1], s[1], imm >> 2);
    long c = 0;
    long d = 0;
    if (in.vexL) {
      c = lane(in.mnemonic, fpu.ymmHigh[from], s[2], imm >> 4);
      d = lane(in.mnemonic, fpu.ymmHigh[from + 1], s[3], imm >> 6);
    }
    Avx.set(fpu, in.reg, a, b, c, d);
  }

  private static long lane(int op, long a, long b, int imm) {
    return switch (op) {
      case VPBLENDD -> Packed.pair((imm & 1) != 0 ? b : a, ((imm & 2) != 0 ? b : a) >>> 32);
      case VPSRLVQ -> Packed.shiftRight(64, a, b);
      case VPSLLVQ -> Packed.shiftLeft(64, a, b);
      default ->
          Packed.pair(shifted(op, (int) a, (int) b), shifted(op, (int) (a >> 32), (int) (b >> 32)));
    };
  }

  private static int shifted(int op, int value, int count) {
    boolean all = Integer.compareUnsigned(count, 31) > 0;
    return switch (op) {
      case VPSRLVD -> all ? 0 : value >>> count;
      case VPSLLVD -> all ? 0 : value << count;
      default -> value >> (all ? 31 : count);
    };
  }
}

package io.vmm4j.software.fpu;

import static io.vmm4j.software.cpu.Mnemonic.BLENDPD;
import static io.vmm4j.software.cpu.Mnemonic.BLENDPS;
import static io.vmm4j.software.cpu.Mnemonic.BLENDVPD;
import static io.vmm4j.software.cpu.Mnemonic.BLENDVPS;
import static io.vmm4j.software.cpu.Mnemonic.COMISD;
import static io.vmm4j.software.cpu.Mnemonic.COMISS;
import static io.vmm4j.software.cpu.Mnemonic.DPPS;
import static io.vmm4j.software.cpu.Mnemonic.EXTRACTPS;
import static io.vmm4j.software.cpu.Mnemonic.INSERTPS;
import static io.vmm4j.software.cpu.Mnemonic.MOVNTDQA;
import static io.vmm4j.software.cpu.Mnemonic.MPSADBW;
import static io.vmm4j.software.cpu.Mnemonic.PBLENDVB;
import static io.vmm4j.software.cpu.Mnemonic.PCMPESTRI;
import static io.vmm4j.software.cpu.Mnemonic.PCMPESTRM;
import static io.vmm4j.software.cpu.Mnemonic.PCMPISTRI;
import static io.vmm4j.software.cpu.Mnemonic.PCMPISTRM;
import static io.vmm4j.software.cpu.Mnemonic.PEXTRB;
import static io.vmm4j.software.cpu.Mnemonic.PEXTRD;
import static io.vmm4j.software.cpu.Mnemonic.PEXTRW;
import static io.vmm4j.software.cpu.Mnemonic.PINSRB;
import static io.vmm4j.software.cpu.Mnemonic.PINSRD;
import static io.vmm4j.software.cpu.Mnemonic.PINSRW;
import static io.vmm4j.software.cpu.Mnemonic.PMOVSXBD;
import static io.vmm4j.software.cpu.Mnemonic.PMOVSXBQ;
import static io.vmm4j.software.cpu.Mnemonic.PMOVSXBW;
import static io.vmm4j.software.cpu.Mnemonic.PMOVSXDQ;
import static io.vmm4j.software.cpu.Mnemonic.PMOVSXWD;
import static io.vmm4j.software.cpu.Mnemonic.PMOVSXWQ;
import static io.vmm4j.software.cpu.Mnemonic.PMOVZXBD;
import static io.vmm4j.software.cpu.Mnemonic.PMOVZXBQ;
import static io.vmm4j.software.cpu.Mnemonic.PMOVZXBW;
import static io.vmm4j.software.cpu.Mnemonic.PMOVZXDQ;
import static io.vmm4j.software.cpu.Mnemonic.PMOVZXWD;
import static io.vmm4j.software.cpu.Mnemonic.PMOVZXWQ;
import static io.vmm4j.software.cpu.Mnemonic.PTEST;
import static io.vmm4j.software.cpu.Mnemonic.ROUNDSD;
import static io.vmm4j.software.cpu.Mnemonic.ROUNDSS;
import static io.vmm4j.software.cpu.Mnemonic.SHUFPD;
import static io.vmm4j.software.cpu.Mnemonic.UCOMISD;
import static io.vmm4j.software.cpu.Mnemonic.UCOMISS;
import static io.vmm4j.software.cpu.Mnemonic.VZEROALL;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Flags;
import io.vmm4j.software.cpu.Instruction;
import io.vmm4j.software.cpu.OperandPlace;
import java.util.Arrays;

/**
 * VEX forms of SSE instructions, and VZEROUPPER and VZEROALL (Intel SDM volume 2). What the SSE
 * executors compute of 128 bits is done once or, for 256 bits, twice.
 */
final class Avx {
  private Avx() {}

  static void execute(Cpu cpu, Instruction in) {
    Operands.requireAvx(cpu);
    cpu.fpu.simd.clear();
    switch (in.form.family) {
      case AVX -> zero(cpu, in);
      case STATE -> StateInstructions.accessMxcsr(cpu, in);
      case SIMD_MOVE -> AvxMove.execute(cpu, in);
      case SIMD_CONVERT -> AvxConvert.execute(cpu, in);
      default -> compute(cpu, in);
    }
  }

  /** VZEROUPPER and VZEROALL, of the registers that the mode has. */
  private static void zero(Cpu cpu, Instruction in) {
    int halves = in.codeSize == 8 ? 32 : 16;
    Arrays.fill(cpu.fpu.ymmHigh, 0, halves, 0);
    if (in.mnemonic == VZEROALL) {
      Arrays.fill(cpu.fpu.xmm, 0, halves, 0);
    }
  }

  private static void compute(Cpu cpu, Instruction in) {
    switch (in.mnemonic) {
      case UCOMISS, UCOMISD, COMISS, COMISD -> SimdArithmetic.compareToFlags(cpu, in);
      case PINSRB, PINSRW, PINSRD, INSERTPS -> insert(cpu, in);
      case PEXTRB, PEXTRD, EXTRACTPS -> Simd3a.extract(cpu, in);
      case PEXTRW -> {
        if (in.form.first == OperandPlace.RM) {
          Simd3a.extract(cpu, in);
        } else {
          SimdInteger.wordAccess(cpu, in, true);
        }
      }
      case PTEST -> test(cpu, in);
      case PBLENDVB, BLENDVPS, BLENDVPD -> blend(cpu, in);
      case PMOVSXBW,
          PMOVSXBD,
          PMOVSXBQ,
          PMOVSXWD,
          PMOVSXWQ,
          PMOVSXDQ,
          PMOVZXBW,
          PMOVZXBD,
          PMOVZXBQ,
          PMOVZXWD,
          PMOVZXWQ,
          PMOVZXDQ ->
          extend(cpu, in);
      case ROUNDSS, ROUNDSD -> {
        Operands.loadVector(cpu, in);
        int a = 2 * in.vexRegister;
        long low = Simd3a.roundScalar(cpu.fpu.simd, in, cpu.fpu.xmm[a], cpu.fpu.source[0]);
        long high = cpu.fpu.xmm[a + 1];
        Operands.settle(cpu);
        set(cpu.fpu, in.reg, low, high, 0, 0);
      }
      case PCMPESTRM, PCMPISTRM -> {
        StringCompare.execute(cpu, in);
        set(cpu.fpu, 0, cpu.fpu.xmm[0], cpu.fpu.xmm[1], 0, 0);
      }
      case PCMPESTRI, PCMPISTRI -> StringCompare.execute(cpu, in);
      case MOVNTDQA -> AvxMove.loadAligned(cpu, in);
      default -> {
        if (in.form.first == OperandPlace.VEX_XMM) {
          shiftImmediate(cpu, in);
        } else {
          lanes(cpu, in);
        }
      }
    }
  }

  /** Sets all 256 bits of a register. */
  static void set(FpuState fpu, int register, long a, long b, long c, long d) {
    fpu.xmm[2 * register] = a;
    fpu.xmm[2 * register + 1] = b;
    fpu.ymmHigh[2 * register] = c;
    fpu.ymmHigh[2 * register + 1] = d;
  }

  /** An instruction of which each 128 bits are the work of an SSE instruction. */
  static void lanes(Cpu cpu, Instruction in) {
    FpuState fpu = cpu.fpu;
    long[] b = fpu.source;
    Operands.loadVector(cpu, in);
    int a = 2 * in.vexRegister;
    int imm = (int) in.imm & 0xff;
    if (in.mnemonic == DPPS && in.vexL) {
      dotProducts(cpu, in, imm);
      return;
    }
    long low = lane(cpu, in, fpu.xmm[a], fpu.xmm[a + 1], b[0], b[1], imm);
    long high = fpu.resultHigh;
    long upperLow = 0;
    long upperHigh = 0;
    if (in.form.isWide(in)) {
      // Shifts have one count of 128 bits for both halves.
      int from = in.form.operandBytes(in) == 16 ? 0 : 2;
      long al = fpu.ymmHigh[a];
      long ah = fpu.ymmHigh[a + 1];
      upperLow = lane(cpu, in, al, ah, b[from], b[from + 1], upperImmediate(in.mnemonic, imm));
      upperHigh = fpu.resultHigh;
    }
    Operands.settle(cpu);
    set(fpu, in.reg, low, high, upperLow, upperHigh);
  }

  /** The part of an immediate that is for the upper 128 bits. */
  private static int upperImmediate(int mnemonic, int imm) {
    return switch (mnemonic) {
      case BLENDPS -> imm >> 4;
      case MPSADBW -> imm >> 3;
      case BLENDPD, SHUFPD -> imm >> 2;
      default -> imm;
    };
  }

  private static long lane(Cpu cpu, Instruction in, long al, long ah, long bl, long bh, int imm) {
    return switch (in.form.family) {
      case SIMD_INTEGER -> SimdInteger.lane(cpu, in, al, ah, bl, bh);
      case SIMD_FLOAT -> SimdArithmetic.lane(cpu, in, al, ah, bl, bh);
      case SIMD_38 -> Simd38.lane(cpu, in, al, ah, bl, bh);
      case SIMD_3A -> Simd3a.lane(cpu, in, al, ah, bl, bh, imm);
      default -> SimdMove.lane(cpu, in, al, ah, bl, bh, imm);
    };
  }

  /** VDPPS of 256 bits, both of whose halves take each step before the next one may fault. */
  private static void dotProducts(Cpu cpu, Instruction in, int imm) {
    FpuState fpu = cpu.fpu;
    SimdFloat simd = fpu.simd;
    long[] b = fpu.source;
    int a = 2 * in.vexRegister;
    long p0 = Simd3a.products(simd, fpu.xmm[a], b[0], imm >> 4);
    long p1 = Simd3a.products(simd, fpu.xmm[a + 1], b[1], imm >> 6);
    long p2 = Simd3a.products(simd, fpu.ymmHigh[a], b[2], imm >> 4);
    long p3 = Simd3a.products(simd, fpu.ymmHigh[a + 1], b[3], imm >> 6);
    Operands.settle(cpu);
    int s0 = simd.addSingle((int) p0, (int) (p0 >>> 32));
    int s1 = simd.addSingle((int) p1, (int) (p1 >>> 32));
    int s2 = simd.addSingle((int) p2, (int) (p2 >>> 32));
    int s3 = simd.addSingle((int) p3, (int) (p3 >>> 32));
    Operands.settle(cpu);
    int low = simd.addSingle(s0, s1);
    int high = simd.addSingle(s2, s3);
    Operands.settle(cpu);
    long first = Simd3a.chosen(low, imm);
    long third = Simd3a.chosen(high, imm);
    set(fpu, in.reg, first, Simd3a.chosen(low, imm >> 2), third, Simd3a.chosen(high, imm >> 2));
  }

  private static void shiftImmediate(Cpu cpu, Instruction in) {
    FpuState fpu = cpu.fpu;
    int s = 2 * in.rm;
    long low = SimdInteger.shiftLane(cpu, in, fpu.xmm[s], fpu.xmm[s + 1]);
    long high = fpu.resultHigh;
    long upperLow = 0;
    long upperHigh = 0;
    if (in.vexL) {
      upperLow = SimdInteger.shiftLane(cpu, in, fpu.ymmHigh[s], fpu.ymmHigh[s + 1]);
      upperHigh = fpu.resultHigh;
    }
    set(fpu, in.vexRegister, low, high, upperLow, upperHigh);
  }

  /** VPINSRB, VPINSRW, VPINSRD, VPINSRQ and VINSERTPS. */
  private static void insert(Cpu cpu, Instruction in) {
    FpuState fpu = cpu.fpu;
    long[] whole = fpu.source;
    int a = 2 * in.vexRegister;
    whole[0] = fpu.xmm[a];
    whole[1] = fpu.xmm[a + 1];
    if (in.mnemonic == INSERTPS) {
      Simd3a.insertSingle(whole, 0, (int) in.imm, Simd3a.insertedSingle(cpu, in));
    } else {
      Simd3a.insert(cpu, in, whole, 0);
    }
    set(fpu, in.reg, whole[0], whole[1], 0, 0);
  }

  /** VPTEST. */
  private static void test(Cpu cpu, Instruction in) {
    FpuState fpu = cpu.fpu;
    long[] b = fpu.source;
    Operands.loadVector(cpu, in);
    int r = 2 * in.reg;
    long both = fpu.xmm[r] & b[0] | fpu.xmm[r + 1] & b[1];
    long second = ~fpu.xmm[r] & b[0] | ~fpu.xmm[r + 1] & b[1];
    if (in.vexL) {
      both |= fpu.ymmHigh[r] & b[2] | fpu.ymmHigh[r + 1] & b[3];
      second |= ~fpu.ymmHigh[r] & b[2] | ~fpu.ymmHigh[r + 1] & b[3];
    }
    setTestFlags(cpu, both, second);
  }

  /** The flags of VPTEST and VTESTPx. */
  static void setTestFlags(Cpu cpu, long both, long second) {
    cpu.setArithmeticFlags((both == 0 ? Flags.ZF : 0) | (second == 0 ? Flags.CF : 0));
  }

  /** VPBLENDVB, VBLENDVPS and VBLENDVPD. */
  private static void blend(Cpu cpu, Instruction in) {
    FpuState fpu = cpu.fpu;
    long[] b = fpu.source;
    int op = in.mnemonic;
    Operands.loadVector(cpu, in);
    int a = 2 * in.vexRegister;
    int m = 2 * ((int) in.imm >> 4 & (in.codeSize == 8 ? 15 : 7));
    long low = Simd38.blendLane(op, fpu.xmm[a], b[0], fpu.xmm[m]);
    long high = Simd38.blendLane(op, fpu.xmm[a + 1], b[1], fpu.xmm[m + 1]);
    long upperLow = 0;
    long upperHigh = 0;
    if (in.vexL) {
      upperLow = Simd38.blendLane(op, fpu.ymmHigh[a], b[2], fpu.ymmHigh[m]);
      upperHigh = Simd38.blendLane(op, fpu.ymmHigh[a + 1], b[3], fpu.ymmHigh[m + 1]);
    }
    set(fpu, in.reg, low, high, upperLow, upperHigh);
  }

  /** VPMOVSXxx and VPMOVZXxx. */
  private static void extend(Cpu cpu, Instruction in) {
    FpuState fpu = cpu.fpu;
    int op = in.mnemonic;
    int bytes = in.form.fixedOperandBytes();
    int step = 4 * bytes; // bits of the source for each 64 bits of the result
    Operands.loadVector(cpu, in);
    long source = fpu.source[0];
    long low = Simd38.extendLane(op, bytes, source);
    long high = Simd38.extendLane(op, bytes, source >>> step);
    long upperLow = 0;
    long upperHigh = 0;
    if (in.vexL) {
      long upper = bytes == 8 ? fpu.source[1] : source >>> 2 * step;
      upperLow = Simd38.extendLane(op, bytes, upper);
      upperHigh = Simd38.extendLane(op, bytes, upper >>> step);
    }
    set(fpu, in.reg, low, high, upperLow, upperHigh);
  }
}

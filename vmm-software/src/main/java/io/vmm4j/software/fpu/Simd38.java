package io.vmm4j.software.fpu;

import static io.vmm4j.software.cpu.Mnemonic.BLENDVPD;
import static io.vmm4j.software.cpu.Mnemonic.BLENDVPS;
import static io.vmm4j.software.cpu.Mnemonic.CRC32;
import static io.vmm4j.software.cpu.Mnemonic.MOVNTDQA;
import static io.vmm4j.software.cpu.Mnemonic.PABSB;
import static io.vmm4j.software.cpu.Mnemonic.PABSD;
import static io.vmm4j.software.cpu.Mnemonic.PABSW;
import static io.vmm4j.software.cpu.Mnemonic.PACKUSDW;
import static io.vmm4j.software.cpu.Mnemonic.PBLENDVB;
import static io.vmm4j.software.cpu.Mnemonic.PCMPEQQ;
import static io.vmm4j.software.cpu.Mnemonic.PCMPGTQ;
import static io.vmm4j.software.cpu.Mnemonic.PHADDD;
import static io.vmm4j.software.cpu.Mnemonic.PHADDSW;
import static io.vmm4j.software.cpu.Mnemonic.PHADDW;
import static io.vmm4j.software.cpu.Mnemonic.PHMINPOSUW;
import static io.vmm4j.software.cpu.Mnemonic.PHSUBD;
import static io.vmm4j.software.cpu.Mnemonic.PHSUBSW;
import static io.vmm4j.software.cpu.Mnemonic.PHSUBW;
import static io.vmm4j.software.cpu.Mnemonic.PMADDUBSW;
import static io.vmm4j.software.cpu.Mnemonic.PMAXSB;
import static io.vmm4j.software.cpu.Mnemonic.PMAXSD;
import static io.vmm4j.software.cpu.Mnemonic.PMAXUD;
import static io.vmm4j.software.cpu.Mnemonic.PMAXUW;
import static io.vmm4j.software.cpu.Mnemonic.PMINSB;
import static io.vmm4j.software.cpu.Mnemonic.PMINSD;
import static io.vmm4j.software.cpu.Mnemonic.PMINUD;
import static io.vmm4j.software.cpu.Mnemonic.PMINUW;
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
import static io.vmm4j.software.cpu.Mnemonic.PMULDQ;
import static io.vmm4j.software.cpu.Mnemonic.PMULHRSW;
import static io.vmm4j.software.cpu.Mnemonic.PSHUFB;
import static io.vmm4j.software.cpu.Mnemonic.PSIGNB;
import static io.vmm4j.software.cpu.Mnemonic.PSIGND;
import static io.vmm4j.software.cpu.Mnemonic.PSIGNW;
import static io.vmm4j.software.cpu.Mnemonic.PTEST;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Flags;
import io.vmm4j.software.cpu.Instruction;
import io.vmm4j.software.cpu.OperandPlace;

/** SSSE3, SSE4.1 and SSE4.2 in the map 0F38, and CRC32. */
final class Simd38 {
  private Simd38() {}

  static void execute(Cpu cpu, Instruction in) {
    if (in.mnemonic == CRC32) {
      crc32(cpu, in);
    } else if (in.form.first == OperandPlace.MMX_REG) {
      mmx(cpu, in, in.mnemonic);
    } else {
      Operands.requireSse(cpu);
      xmm(cpu, in, in.mnemonic);
    }
  }

  private static void mmx(Cpu cpu, Instruction in, int op) {
    Operands.requireMmx(cpu);
    long b = Operands.loadMmx(cpu, in);
    long a = cpu.fpu.significand[in.reg & 7];
    long result;
    if (op == PSHUFB) {
      result = 0;
      for (int i = 0; i < 64; i += 8) {
        int index = (int) (b >>> i);
        if ((index & 0x80) == 0) {
          result |= (a >>> 8 * (index & 7) & 0xff) << i;
        }
      }
    } else if (isAcross(op)) {
      result = Packed.pair(across(op, a), across(op, b));
    } else {
      result = lanes(op, a, b);
    }
    cpu.fpu.enterMmx();
    cpu.fpu.mmx(in.reg & 7, result);
  }

  private static boolean isAcross(int op) {
    return switch (op) {
      case PHADDW, PHADDD, PHADDSW, PHSUBW, PHSUBD, PHSUBSW -> true;
      default -> false;
    };
  }

  /** PHADDx and PHSUBx: 64 bits become 32. */
  private static long across(int op, long a) {
    if (op == PHADDD) {
      return (int) a + (int) (a >> 32);
    }
    if (op == PHSUBD) {
      return (int) a - (int) (a >> 32);
    }
    return acrossWords(op, (int) a) & 0xffff | acrossWords(op, (int) (a >> 32)) << 16;
  }

  private static int acrossWords(int op, int a) {
    int low = (short) a;
    int high = a >> 16;
    return switch (op) {
      case PHADDW -> low + high;
      case PHADDSW -> Packed.signedWord(low + high);
      case PHSUBW -> low - high;
      default -> Packed.signedWord(low - high);
    };
  }

  /** Operations within 64 bits that MMX and XMM share. */
  private static long lanes(int op, long a, long b) {
    int width =
        switch (op) {
          case PSIGNB, PABSB -> 8;
          case PSIGND, PABSD -> 32;
          default -> 16;
        };
    long result = 0;
    for (int i = 0; i < 64; i += width) {
      long x = a << 64 - width - i >> 64 - width;
      long y = b << 64 - width - i >> 64 - width;
      long value =
          switch (op) {
            case PMADDUBSW ->
                Packed.signedWord(
                    ((int) x & 0xff) * (byte) y + ((int) (x >> 8) & 0xff) * (byte) (y >> 8));
            case PSIGNB, PSIGNW, PSIGND -> y < 0 ? -x : y == 0 ? 0 : x;
            case PMULHRSW -> (x * y >> 14) + 1 >> 1;
            default -> Math.abs(y);
          };
      result |= value << 64 - width >>> 64 - width << i;
    }
    return result;
  }

  private static void set(Cpu cpu, Instruction in, long low, long high) {
    cpu.fpu.xmm[2 * in.reg] = low;
    cpu.fpu.xmm[2 * in.reg + 1] = high;
  }

  private static void xmm(Cpu cpu, Instruction in, int op) {
    if (op >= PMOVSXBW && op <= PMOVZXDQ) {
      extend(cpu, in, op);
      return;
    }
    long bl = Operands.load128(cpu, in);
    long bh = cpu.fpu.operandHigh;
    long al = cpu.fpu.xmm[2 * in.reg];
    long ah = cpu.fpu.xmm[2 * in.reg + 1];
    if (op == PTEST) {
      boolean zero = (al & bl | ah & bh) == 0;
      boolean carry = (~al & bl | ~ah & bh) == 0;
      cpu.setArithmeticFlags((zero ? Flags.ZF : 0) | (carry ? Flags.CF : 0));
    } else if (op == PBLENDVB || op == BLENDVPS || op == BLENDVPD) {
      long low = blendLane(op, al, bl, cpu.fpu.xmm[0]);
      set(cpu, in, low, blendLane(op, ah, bh, cpu.fpu.xmm[1]));
    } else {
      long low = lane(cpu, in, al, ah, bl, bh);
      set(cpu, in, low, cpu.fpu.resultHigh);
    }
  }

  /** The result in 128 bits of two operands, but for PTEST, blends and extensions. */
  static long lane(Cpu cpu, Instruction in, long al, long ah, long bl, long bh) {
    int op = in.mnemonic;
    FpuState fpu = cpu.fpu;
    switch (op) {
      case PSHUFB -> {
        fpu.resultHigh = shuffle(al, ah, bh);
        return shuffle(al, ah, bl);
      }
      case PHADDW, PHADDD, PHADDSW, PHSUBW, PHSUBD, PHSUBSW -> {
        fpu.resultHigh = Packed.pair(across(op, bl), across(op, bh));
        return Packed.pair(across(op, al), across(op, ah));
      }
      case MOVNTDQA -> {
        fpu.resultHigh = bh;
        return bl;
      }
      case PACKUSDW -> {
        fpu.resultHigh =
            Packed.pair(Packed.packDoublewords(bl, true), Packed.packDoublewords(bh, true));
        return Packed.pair(Packed.packDoublewords(al, true), Packed.packDoublewords(ah, true));
      }
      case PHMINPOSUW -> {
        fpu.resultHigh = 0;
        return minimumPosition(bl, bh);
      }
      case PMADDUBSW, PSIGNB, PSIGNW, PSIGND, PMULHRSW, PABSB, PABSW, PABSD -> {
        fpu.resultHigh = lanes(op, ah, bh);
        return lanes(op, al, bl);
      }
      default -> {
        fpu.resultHigh = lanes41(op, ah, bh);
        return lanes41(op, al, bl);
      }
    }
  }

  /** 64 bits of PBLENDVB, BLENDVPS or BLENDVPD. */
  static long blendLane(int op, long a, long b, long mask) {
    return blend(op == PBLENDVB ? 8 : op == BLENDVPS ? 32 : 64, a, b, mask);
  }

  private static long shuffle(long low, long high, long order) {
    long result = 0;
    for (int i = 0; i < 64; i += 8) {
      int index = (int) (order >>> i);
      if ((index & 0x80) == 0) {
        long half = (index & 8) != 0 ? high : low;
        result |= (half >>> 8 * (index & 7) & 0xff) << i;
      }
    }
    return result;
  }

  private static long blend(int width, long a, long b, long mask) {
    long result = 0;
    for (int i = 0; i < 64; i += width) {
      long lane = (mask >>> i + width - 1 & 1) != 0 ? b : a;
      result |= lane >>> i << 64 - width >>> 64 - width << i;
    }
    return result;
  }

  private static long lanes41(int op, long a, long b) {
    return switch (op) {
      case PMULDQ -> (long) (int) a * (int) b;
      case PCMPEQQ -> a == b ? -1 : 0;
      case PCMPGTQ -> a > b ? -1 : 0;
      default -> {
        int width =
            switch (op) {
              case PMINSB, PMAXSB -> 8;
              case PMINUW, PMAXUW -> 16;
              default -> 32;
            };
        long result = 0;
        for (int i = 0; i < 64; i += width) {
          long x = a << 64 - width - i >> 64 - width;
          long y = b << 64 - width - i >> 64 - width;
          long ux = x << 64 - width >>> 64 - width;
          long uy = y << 64 - width >>> 64 - width;
          long value =
              switch (op) {
                case PMINSB, PMINSD -> Math.min(x, y);
                case PMINUW, PMINUD -> Math.min(ux, uy);
                case PMAXSB, PMAXSD -> Math.max(x, y);
                case PMAXUW, PMAXUD -> Math.max(ux, uy);
                default -> x * y;
              };
          result |= value << 64 - width >>> 64 - width << i;
        }
        yield result;
      }
    };
  }

  /** PHMINPOSUW. */
  private static long minimumPosition(long low, long high) {
    int best = 0x10000;
    int at = 0;
    for (int i = 0; i < 8; i++) {
      int word = (int) ((i < 4 ? low : high) >>> 16 * (i & 3)) & 0xffff;
      if (word < best) {
        best = word;
        at = i;
      }
    }
    return best | (long) at << 16;
  }

  /** PMOVSXxx and PMOVZXxx. */
  private static void extend(Cpu cpu, Instruction in, int op) {
    int bytes = in.form.fixedOperandBytes(); // half of them for each half of the result
    long source =
        bytes == 8
            ? Operands.load64(cpu, in)
            : bytes == 4 ? Operands.load32(cpu, in) : Operands.load16(cpu, in);
    long low = extendLane(op, bytes, source);
    set(cpu, in, low, extendLane(op, bytes, source >>> 8 * bytes / 2));
  }

  /**
   * 64 bits of PMOVSXxx and PMOVZXxx.
   *
   * @param bytes how many of the source make 128 bits
   */
  static long extendLane(int op, int bytes, long source) {
    int from =
        switch (op) {
          case PMOVSXBW, PMOVSXBD, PMOVSXBQ, PMOVZXBW, PMOVZXBD, PMOVZXBQ -> 8;
          case PMOVSXWD, PMOVSXWQ, PMOVZXWD, PMOVZXWQ -> 16;
          default -> 32;
        };
    return widen(source, from, 16 * from / bytes, op <= PMOVSXDQ);
  }

  private static long widen(long source, int from, int to, boolean signed) {
    long result = 0;
    for (int i = 0; i * to < 64; i++) {
      long lane = source << 64 - from - i * from;
      lane = signed ? lane >> 64 - from : lane >>> 64 - from;
      result |= lane << 64 - to >>> 64 - to << i * to;
    }
    return result;
  }

  /** What a byte makes of a remainder of zero, with the polynomial 11EDC6F41, bits reflected. */
  private static final int[] CRC_OF_BYTE = new int[256];

  static {
    for (int i = 0; i < 256; i++) {
      int crc = i;
      for (int bit = 0; bit < 8; bit++) {
        crc = crc >>> 1 ^ ((crc & 1) != 0 ? 0x82f6_3b78 : 0);
      }
      CRC_OF_BYTE[i] = crc;
    }
  }

  /** CRC32. */
  private static void crc32(Cpu cpu, Instruction in) {
    boolean isByte = in.form.fixedOperandBytes() == 1;
    int size = isByte ? 1 : in.rexW ? 8 : in.operandPrefix == (in.codeSize != 2) ? 2 : 4;
    long source;
    if (in.isMemory) {
      source = cpu.mmu.read(cpu.linearAddress(in, size, false), size);
    } else {
      source = size == 1 ? cpu.reg8(in.rm, in.rex) : cpu.gpr[in.rm];
    }
    int crc = (int) cpu.gpr[in.reg];
    for (int i = 0; i < size; i++) {
      crc = crc >>> 8 ^ CRC_OF_BYTE[(crc ^ (int) (source >>> 8 * i)) & 0xff];
    }
    cpu.gpr[in.reg] = crc & 0xffff_ffffL;
  }
}

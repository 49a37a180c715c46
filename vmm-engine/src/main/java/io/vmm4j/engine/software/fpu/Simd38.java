package io.vmm4j.engine.software.fpu;

import io.vmm4j.engine.software.cpu.Cpu;
import io.vmm4j.engine.software.cpu.Flags;
import io.vmm4j.engine.software.cpu.Instruction;

/** SSSE3, SSE4.1 and SSE4.2 in the map 0F38, and CRC32. */
final class Simd38 {
  private Simd38() {}

  static void execute(Cpu cpu, Instruction in) {
    int op = in.opcode & 0xff;
    if ((op == 0xf0 || op == 0xf1) && in.mandatoryPrefix == Instruction.PREFIX_F2) {
      crc32(cpu, in, op == 0xf0);
    } else if (in.mandatoryPrefix == Instruction.PREFIX_NONE && isSsse3(op)) {
      mmx(cpu, in, op);
    } else if (in.mandatoryPrefix == Instruction.PREFIX_66) {
      Operands.requireSse(cpu);
      xmm(cpu, in, op);
    } else {
      throw cpu.undefined(in);
    }
  }

  private static boolean isSsse3(int op) {
    return op <= 0x0b || op >= 0x1c && op <= 0x1e;
  }

  private static void mmx(Cpu cpu, Instruction in, int op) {
    Operands.requireMmx(cpu);
    long b = Operands.loadMmx(cpu, in);
    long a = cpu.fpu.significand[in.reg & 7];
    long result;
    if (op == 0) {
      result = 0;
      for (int i = 0; i < 64; i += 8) {
        int index = (int) (b >>> i);
        if ((index & 0x80) == 0) {
          result |= (a >>> 8 * (index & 7) & 0xff) << i;
        }
      }
    } else if (op <= 7 && op != 4) {
      result = Packed.pair(across(op, a), across(op, b));
    } else {
      result = lanes(op, a, b);
    }
    cpu.fpu.enterMmx();
    cpu.fpu.mmx(in.reg & 7, result);
  }

  /** PHADDx and PHSUBx: 64 bits become 32. */
  private static long across(int op, long a) {
    if (op == 2) {
      return (int) a + (int) (a >> 32);
    }
    if (op == 6) {
      return (int) a - (int) (a >> 32);
    }
    return acrossWords(op, (int) a) & 0xffff | acrossWords(op, (int) (a >> 32)) << 16;
  }

  private static int acrossWords(int op, int a) {
    int low = (short) a;
    int high = a >> 16;
    return switch (op) {
      case 1 -> low + high;
      case 3 -> Packed.signedWord(low + high);
      case 5 -> low - high;
      default -> Packed.signedWord(low - high);
    };
  }

  /** Operations within 64 bits that MMX and XMM share. */
  private static long lanes(int op, long a, long b) {
    int width =
        switch (op) {
          case 0x08, 0x1c -> 8;
          case 0x0a, 0x1e -> 32;
          default -> 16;
        };
    long result = 0;
    for (int i = 0; i < 64; i += width) {
      long x = a << 64 - width - i >> 64 - width;
      long y = b << 64 - width - i >> 64 - width;
      long value =
          switch (op) {
            case 0x04 ->
                Packed.signedWord(
                    ((int) x & 0xff) * (byte) y + ((int) (x >> 8) & 0xff) * (byte) (y >> 8));
            case 0x08, 0x09, 0x0a -> y < 0 ? -x : y == 0 ? 0 : x;
            case 0x0b -> (x * y >> 14) + 1 >> 1;
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
    if (op >= 0x20 && op <= 0x25 || op >= 0x30 && op <= 0x35) {
      extend(cpu, in, op);
      return;
    }
    boolean known =
        isSsse3(op)
            || op == 0x10
            || op == 0x14
            || op == 0x15
            || op == 0x17
            || op >= 0x28 && op <= 0x2b
            || op >= 0x37 && op <= 0x41;
    if (!known) {
      throw cpu.undefined(in);
    }
    if (op == 0x2a && !in.isMemory) {
      throw cpu.undefined(in);
    }
    long bl = Operands.load128(cpu, in);
    long bh = cpu.fpu.operandHigh;
    long al = cpu.fpu.xmm[2 * in.reg];
    long ah = cpu.fpu.xmm[2 * in.reg + 1];
    switch (op) {
      case 0x00 -> set(cpu, in, shuffle(al, ah, bl), shuffle(al, ah, bh));
      case 0x01, 0x02, 0x03, 0x05, 0x06, 0x07 ->
          set(
              cpu,
              in,
              Packed.pair(across(op, al), across(op, ah)),
              Packed.pair(across(op, bl), across(op, bh)));
      case 0x10, 0x14, 0x15 -> {
        int width = op == 0x10 ? 8 : op == 0x14 ? 32 : 64;
        long low = blend(width, al, bl, cpu.fpu.xmm[0]);
        set(cpu, in, low, blend(width, ah, bh, cpu.fpu.xmm[1]));
      }
      case 0x17 -> {
        boolean zero = (al & bl | ah & bh) == 0;
        boolean carry = (~al & bl | ~ah & bh) == 0;
        cpu.setArithmeticFlags((zero ? Flags.ZF : 0) | (carry ? Flags.CF : 0));
      }
      case 0x2a -> set(cpu, in, bl, bh);
      case 0x2b ->
          set(
              cpu,
              in,
              Packed.pair(Packed.packDoublewords(al, true), Packed.packDoublewords(ah, true)),
              Packed.pair(Packed.packDoublewords(bl, true), Packed.packDoublewords(bh, true)));
      case 0x41 -> set(cpu, in, minimumPosition(bl, bh), 0);
      default -> {
        if (isSsse3(op)) {
          set(cpu, in, lanes(op, al, bl), lanes(op, ah, bh));
        } else {
          set(cpu, in, lanes41(op, al, bl), lanes41(op, ah, bh));
        }
      }
    }
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
      case 0x28 -> (long) (int) a * (int) b;
      case 0x29 -> a == b ? -1 : 0;
      case 0x37 -> a > b ? -1 : 0;
      default -> {
        int width = op == 0x38 || op == 0x3c ? 8 : op == 0x3a || op == 0x3e ? 16 : 32;
        long result = 0;
        for (int i = 0; i < 64; i += width) {
          long x = a << 64 - width - i >> 64 - width;
          long y = b << 64 - width - i >> 64 - width;
          long ux = x << 64 - width >>> 64 - width;
          long uy = y << 64 - width >>> 64 - width;
          long value =
              switch (op) {
                case 0x38, 0x39 -> Math.min(x, y);
                case 0x3a, 0x3b -> Math.min(ux, uy);
                case 0x3c, 0x3d -> Math.max(x, y);
                case 0x3e, 0x3f -> Math.max(ux, uy);
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
    int kind = op & 0xf;
    int from = kind < 3 ? 8 : kind < 5 ? 16 : 32;
    int to = kind == 0 ? 16 : kind == 1 || kind == 3 ? 32 : 64;
    int bytes = 16 * from / to;
    long source =
        bytes == 8
            ? Operands.load64(cpu, in)
            : bytes == 4 ? Operands.load32(cpu, in) : Operands.load16(cpu, in);
    boolean signed = op < 0x30;
    set(
        cpu,
        in,
        widen(source, from, to, signed),
        widen(source >>> 8 * bytes / 2, from, to, signed));
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
  private static final int[] CRC32 = new int[256];

  static {
    for (int i = 0; i < 256; i++) {
      int crc = i;
      for (int bit = 0; bit < 8; bit++) {
        crc = crc >>> 1 ^ ((crc & 1) != 0 ? 0x82f6_3b78 : 0);
      }
      CRC32[i] = crc;
    }
  }

  /** CRC32. */
  private static void crc32(Cpu cpu, Instruction in, boolean isByte) {
    int size = isByte ? 1 : in.rexW ? 8 : in.operandPrefix == (in.codeSize != 2) ? 2 : 4;
    long source;
    if (in.isMemory) {
      source = cpu.mmu.read(cpu.linearAddress(in, size, false), size);
    } else {
      source = size == 1 ? cpu.reg8(in.rm, in.rex) : cpu.gpr[in.rm];
    }
    int crc = (int) cpu.gpr[in.reg];
    for (int i = 0; i < size; i++) {
      crc = crc >>> 8 ^ CRC32[(crc ^ (int) (source >>> 8 * i)) & 0xff];
    }
    cpu.gpr[in.reg] = crc & 0xffff_ffffL;
  }
}

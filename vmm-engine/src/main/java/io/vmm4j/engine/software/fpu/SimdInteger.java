package io.vmm4j.engine.software.fpu;

import io.vmm4j.engine.software.cpu.Cpu;
import io.vmm4j.engine.software.cpu.Instruction;

/** Packed integer instructions of MMX and SSE2 in the map 0F (Intel SDM volume 2). */
final class SimdInteger {
  private SimdInteger() {}

  /** Executes an MMX form: no mandatory prefix. */
  static void mmx(Cpu cpu, Instruction in) {
    Operands.requireMmx(cpu);
    FpuState fpu = cpu.fpu;
    int op = in.opcode & 0xff;
    if (op >= 0x71 && op <= 0x73) {
      long value = shiftImmediate(cpu, in, fpu.significand[in.rm & 7]);
      fpu.enterMmx();
      fpu.mmx(in.rm & 7, value);
      return;
    }
    if (op == 0xc4 || op == 0xc5) {
      wordAccess(cpu, in, false);
      return;
    }
    long b = unpacksLow(op) ? loadLowMmx(cpu, in) : Operands.loadMmx(cpu, in);
    long a = fpu.significand[in.reg & 7];
    long result =
        switch (op) {
          case 0x60 -> Packed.interleaveBytes((int) a, (int) b);
          case 0x61 -> Packed.interleaveWords((int) a, (int) b);
          case 0x62 -> Packed.pair(a, b);
          case 0x63 -> Packed.pair(Packed.packWords(a, false), Packed.packWords(b, false));
          case 0x67 -> Packed.pair(Packed.packWords(a, true), Packed.packWords(b, true));
          case 0x68 -> Packed.interleaveBytes((int) (a >>> 32), (int) (b >>> 32));
          case 0x69 -> Packed.interleaveWords((int) (a >>> 32), (int) (b >>> 32));
          case 0x6a -> Packed.pair(a >>> 32, b >>> 32);
          case 0x6b ->
              Packed.pair(Packed.packDoublewords(a, false), Packed.packDoublewords(b, false));
          case 0x70 -> Packed.shuffleWords(b, (int) in.imm);
          default -> lanes(cpu, in, op, a, b, b);
        };
    fpu.enterMmx();
    fpu.mmx(in.reg & 7, result);
  }

  private static boolean unpacksLow(int op) {
    return op >= 0x60 && op <= 0x62;
  }

  /** PUNPCKLxx with memory reads only 32 bits. */
  private static long loadLowMmx(Cpu cpu, Instruction in) {
    return in.isMemory
        ? cpu.mmu.read32(cpu.linearAddress(in, 4, false)) & 0xffff_ffffL
        : cpu.fpu.significand[in.rm & 7];
  }

  /** Executes an XMM form: mandatory prefix 66, or F2 and F3 of the opcode 70. */
  static void xmm(Cpu cpu, Instruction in) {
    Operands.requireSse(cpu);
    long[] xmm = cpu.fpu.xmm;
    int op = in.opcode & 0xff;
    if (op >= 0x71 && op <= 0x73) {
      shiftImmediateXmm(cpu, in);
      return;
    }
    if (op == 0xc4 || op == 0xc5) {
      wordAccess(cpu, in, true);
      return;
    }
    long bl = Operands.load128(cpu, in);
    long bh = cpu.fpu.operandHigh;
    int d = 2 * in.reg;
    long al = xmm[d];
    long ah = xmm[d + 1];
    if (op < 0x70 && op != 0x64 && op != 0x65 && op != 0x66) {
      rearrange(cpu, in, op, al, ah, bl, bh);
    } else if (op == 0x70) {
      shuffle(cpu, in, bl, bh);
    } else {
      // Both are computed before either is written: source and destination may be one.
      long low = lanes(cpu, in, op, al, bl, bl);
      long high = lanes(cpu, in, op, ah, bh, bl);
      xmm[d] = low;
      xmm[d + 1] = high;
    }
  }

  private static void rearrange(
      Cpu cpu, Instruction in, int op, long al, long ah, long bl, long bh) {
    long low;
    long high;
    switch (op) {
      case 0x60 -> {
        low = Packed.interleaveBytes((int) al, (int) bl);
        high = Packed.interleaveBytes((int) (al >>> 32), (int) (bl >>> 32));
      }
      case 0x61 -> {
        low = Packed.interleaveWords((int) al, (int) bl);
        high = Packed.interleaveWords((int) (al >>> 32), (int) (bl >>> 32));
      }
      case 0x62 -> {
        low = Packed.pair(al, bl);
        high = Packed.pair(al >>> 32, bl >>> 32);
      }
      case 0x63 -> {
        low = Packed.pair(Packed.packWords(al, false), Packed.packWords(ah, false));
        high = Packed.pair(Packed.packWords(bl, false), Packed.packWords(bh, false));
      }
      case 0x67 -> {
        low = Packed.pair(Packed.packWords(al, true), Packed.packWords(ah, true));
        high = Packed.pair(Packed.packWords(bl, true), Packed.packWords(bh, true));
      }
      case 0x68 -> {
        low = Packed.interleaveBytes((int) ah, (int) bh);
        high = Packed.interleaveBytes((int) (ah >>> 32), (int) (bh >>> 32));
      }
      case 0x69 -> {
        low = Packed.interleaveWords((int) ah, (int) bh);
        high = Packed.interleaveWords((int) (ah >>> 32), (int) (bh >>> 32));
      }
      case 0x6a -> {
        low = Packed.pair(ah, bh);
        high = Packed.pair(ah >>> 32, bh >>> 32);
      }
      case 0x6b -> {
        low = Packed.pair(Packed.packDoublewords(al, false), Packed.packDoublewords(ah, false));
        high = Packed.pair(Packed.packDoublewords(bl, false), Packed.packDoublewords(bh, false));
      }
      case 0x6c -> {
        low = al;
        high = bl;
      }
      case 0x6d -> {
        low = ah;
        high = bh;
      }
      default -> throw cpu.undefined(in);
    }
    cpu.fpu.xmm[2 * in.reg] = low;
    cpu.fpu.xmm[2 * in.reg + 1] = high;
  }

  private static void shuffle(Cpu cpu, Instruction in, long bl, long bh) {
    int order = (int) in.imm & 0xff;
    int d = 2 * in.reg;
    switch (in.mandatoryPrefix) {
      case Instruction.PREFIX_66 -> {
        cpu.fpu.xmm[d] =
            Packed.pair(
                Packed.doubleword(bl, bh, order & 3), Packed.doubleword(bl, bh, order >> 2 & 3));
        cpu.fpu.xmm[d + 1] =
            Packed.pair(
                Packed.doubleword(bl, bh, order >> 4 & 3), Packed.doubleword(bl, bh, order >> 6));
      }
      case Instruction.PREFIX_F3 -> {
        cpu.fpu.xmm[d] = bl;
        cpu.fpu.xmm[d + 1] = Packed.shuffleWords(bh, order);
      }
      default -> {
        cpu.fpu.xmm[d] = Packed.shuffleWords(bl, order);
        cpu.fpu.xmm[d + 1] = bh;
      }
    }
  }

  /** One half of an operation that works within 64 bits. */
  private static long lanes(Cpu cpu, Instruction in, int op, long a, long b, long count) {
    return switch (op) {
      case 0x64 -> Packed.greaterBytes(a, b);
      case 0x66 -> Packed.greaterDoublewords(a, b);
      case 0x74 -> Packed.equalBytes(a, b);
      case 0x76 -> Packed.equalDoublewords(a, b);
      case 0xd1 -> Packed.shiftRight(16, a, count);
      case 0xd2 -> Packed.shiftRight(32, a, count);
      case 0xd3 -> Packed.shiftRight(64, a, count);
      case 0xd4 -> a + b;
      case 0xd8 -> Packed.saturatedSubtractBytes(a, b);
      case 0xda -> Packed.minimumBytes(a, b);
      case 0xdb -> a & b;
      case 0xdc -> Packed.saturatedAddBytes(a, b);
      case 0xde -> Packed.maximumBytes(a, b);
      case 0xdf -> ~a & b;
      case 0xe0, 0xe8, 0xec -> Packed.bytes(op, a, b);
      case 0xe1 -> Packed.shiftRightSigned(16, a, count);
      case 0xe2 -> Packed.shiftRightSigned(32, a, count);
      case 0xeb -> a | b;
      case 0xef -> a ^ b;
      case 0xf1 -> Packed.shiftLeft(16, a, count);
      case 0xf2 -> Packed.shiftLeft(32, a, count);
      case 0xf3 -> Packed.shiftLeft(64, a, count);
      case 0xf4 -> (a & 0xffff_ffffL) * (b & 0xffff_ffffL);
      case 0xf5 -> Packed.multiplyAddWords(a, b);
      case 0xf6 -> Packed.sumOfDifferences(a, b);
      case 0xf8 -> Packed.subtractBytes(a, b);
      case 0xf9 -> Packed.subtractWords(a, b);
      case 0xfa -> Packed.subtractDoublewords(a, b);
      case 0xfb -> a - b;
      case 0xfc -> Packed.addBytes(a, b);
      case 0xfd -> Packed.addWords(a, b);
      case 0xfe -> Packed.addDoublewords(a, b);
      case 0x65, 0x75, 0xd5, 0xd9, 0xdd, 0xe3, 0xe4, 0xe5, 0xe9, 0xea, 0xed, 0xee ->
          Packed.words(op, a, b);
      default -> throw cpu.undefined(in);
    };
  }

  /** Shifts of 64 bits by an immediate: opcodes 71 to 73. */
  private static long shiftImmediate(Cpu cpu, Instruction in, long a) {
    int count = (int) in.imm & 0xff;
    if (in.isMemory) {
      throw cpu.undefined(in);
    }
    return switch ((in.opcode & 0xf) << 4 | in.extension()) {
      case 0x12 -> Packed.shiftRight(16, a, count);
      case 0x14 -> Packed.shiftRightSigned(16, a, count);
      case 0x16 -> Packed.shiftLeft(16, a, count);
      case 0x22 -> Packed.shiftRight(32, a, count);
      case 0x24 -> Packed.shiftRightSigned(32, a, count);
      case 0x26 -> Packed.shiftLeft(32, a, count);
      case 0x32 -> Packed.shiftRight(64, a, count);
      case 0x36 -> Packed.shiftLeft(64, a, count);
      default -> throw cpu.undefined(in);
    };
  }

  private static void shiftImmediateXmm(Cpu cpu, Instruction in) {
    long[] xmm = cpu.fpu.xmm;
    int d = 2 * in.rm;
    int extension = in.extension();
    boolean wholeRegister = (in.opcode & 0xff) == 0x73 && (extension & 3) == 3;
    if (in.isMemory || !wholeRegister) {
      long low = shiftImmediate(cpu, in, xmm[d]);
      xmm[d + 1] = shiftImmediate(cpu, in, xmm[d + 1]);
      xmm[d] = low;
      return;
    }
    int bytes = Math.min((int) in.imm & 0xff, 16);
    long low = xmm[d];
    long high = xmm[d + 1];
    if (extension == 3) {
      xmm[d] = SimdAlign.extract(low, high, 0, 0, bytes);
      xmm[d + 1] = SimdAlign.extract(low, high, 0, 0, bytes + 8);
    } else {
      xmm[d] = SimdAlign.extract(0, 0, low, high, 16 - bytes);
      xmm[d + 1] = SimdAlign.extract(0, 0, low, high, 24 - bytes);
    }
  }

  /** PINSRW and PEXTRW. */
  private static void wordAccess(Cpu cpu, Instruction in, boolean wide) {
    FpuState fpu = cpu.fpu;
    int index = (int) in.imm & (wide ? 7 : 3);
    int shift = 16 * (index & 3);
    if ((in.opcode & 0xff) == 0xc5) {
      if (in.isMemory) {
        throw cpu.undefined(in);
      }
      long source = wide ? fpu.xmm[2 * in.rm + (index >> 2)] : fpu.significand[in.rm & 7];
      cpu.gpr[in.reg] = source >>> shift & 0xffff;
      if (!wide) {
        fpu.enterMmx();
      }
      return;
    }
    long value =
        in.isMemory ? cpu.mmu.read16(cpu.linearAddress(in, 2, false)) : cpu.gpr[in.rm] & 0xffff;
    long mask = 0xffffL << shift;
    if (wide) {
      int at = 2 * in.reg + (index >> 2);
      fpu.xmm[at] = fpu.xmm[at] & ~mask | value << shift;
    } else {
      fpu.enterMmx();
      fpu.mmx(in.reg & 7, fpu.significand[in.reg & 7] & ~mask | value << shift);
    }
  }
}

package io.vmm4j.software.fpu;

import static io.vmm4j.software.cpu.Mnemonic.PACKSSDW;
import static io.vmm4j.software.cpu.Mnemonic.PACKSSWB;
import static io.vmm4j.software.cpu.Mnemonic.PACKUSWB;
import static io.vmm4j.software.cpu.Mnemonic.PADDB;
import static io.vmm4j.software.cpu.Mnemonic.PADDD;
import static io.vmm4j.software.cpu.Mnemonic.PADDQ;
import static io.vmm4j.software.cpu.Mnemonic.PADDSB;
import static io.vmm4j.software.cpu.Mnemonic.PADDSW;
import static io.vmm4j.software.cpu.Mnemonic.PADDUSB;
import static io.vmm4j.software.cpu.Mnemonic.PADDUSW;
import static io.vmm4j.software.cpu.Mnemonic.PADDW;
import static io.vmm4j.software.cpu.Mnemonic.PAND;
import static io.vmm4j.software.cpu.Mnemonic.PANDN;
import static io.vmm4j.software.cpu.Mnemonic.PAVGB;
import static io.vmm4j.software.cpu.Mnemonic.PAVGW;
import static io.vmm4j.software.cpu.Mnemonic.PCMPEQB;
import static io.vmm4j.software.cpu.Mnemonic.PCMPEQD;
import static io.vmm4j.software.cpu.Mnemonic.PCMPEQW;
import static io.vmm4j.software.cpu.Mnemonic.PCMPGTB;
import static io.vmm4j.software.cpu.Mnemonic.PCMPGTD;
import static io.vmm4j.software.cpu.Mnemonic.PCMPGTW;
import static io.vmm4j.software.cpu.Mnemonic.PEXTRW;
import static io.vmm4j.software.cpu.Mnemonic.PINSRW;
import static io.vmm4j.software.cpu.Mnemonic.PMADDWD;
import static io.vmm4j.software.cpu.Mnemonic.PMAXSW;
import static io.vmm4j.software.cpu.Mnemonic.PMAXUB;
import static io.vmm4j.software.cpu.Mnemonic.PMINSW;
import static io.vmm4j.software.cpu.Mnemonic.PMINUB;
import static io.vmm4j.software.cpu.Mnemonic.PMULHUW;
import static io.vmm4j.software.cpu.Mnemonic.PMULHW;
import static io.vmm4j.software.cpu.Mnemonic.PMULLW;
import static io.vmm4j.software.cpu.Mnemonic.PMULUDQ;
import static io.vmm4j.software.cpu.Mnemonic.POR;
import static io.vmm4j.software.cpu.Mnemonic.PSADBW;
import static io.vmm4j.software.cpu.Mnemonic.PSHUFD;
import static io.vmm4j.software.cpu.Mnemonic.PSHUFHW;
import static io.vmm4j.software.cpu.Mnemonic.PSHUFLW;
import static io.vmm4j.software.cpu.Mnemonic.PSHUFW;
import static io.vmm4j.software.cpu.Mnemonic.PSLLD;
import static io.vmm4j.software.cpu.Mnemonic.PSLLDQ;
import static io.vmm4j.software.cpu.Mnemonic.PSLLQ;
import static io.vmm4j.software.cpu.Mnemonic.PSLLW;
import static io.vmm4j.software.cpu.Mnemonic.PSRAD;
import static io.vmm4j.software.cpu.Mnemonic.PSRAW;
import static io.vmm4j.software.cpu.Mnemonic.PSRLD;
import static io.vmm4j.software.cpu.Mnemonic.PSRLDQ;
import static io.vmm4j.software.cpu.Mnemonic.PSRLQ;
import static io.vmm4j.software.cpu.Mnemonic.PSRLW;
import static io.vmm4j.software.cpu.Mnemonic.PSUBB;
import static io.vmm4j.software.cpu.Mnemonic.PSUBD;
import static io.vmm4j.software.cpu.Mnemonic.PSUBQ;
import static io.vmm4j.software.cpu.Mnemonic.PSUBSB;
import static io.vmm4j.software.cpu.Mnemonic.PSUBSW;
import static io.vmm4j.software.cpu.Mnemonic.PSUBUSB;
import static io.vmm4j.software.cpu.Mnemonic.PSUBUSW;
import static io.vmm4j.software.cpu.Mnemonic.PSUBW;
import static io.vmm4j.software.cpu.Mnemonic.PUNPCKHBW;
import static io.vmm4j.software.cpu.Mnemonic.PUNPCKHDQ;
import static io.vmm4j.software.cpu.Mnemonic.PUNPCKHQDQ;
import static io.vmm4j.software.cpu.Mnemonic.PUNPCKHWD;
import static io.vmm4j.software.cpu.Mnemonic.PUNPCKLBW;
import static io.vmm4j.software.cpu.Mnemonic.PUNPCKLDQ;
import static io.vmm4j.software.cpu.Mnemonic.PUNPCKLQDQ;
import static io.vmm4j.software.cpu.Mnemonic.PUNPCKLWD;
import static io.vmm4j.software.cpu.Mnemonic.PXOR;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Instruction;
import io.vmm4j.software.cpu.OperandPlace;

/** Packed integer instructions of MMX and SSE2 (Intel SDM volume 2). */
final class SimdInteger {
  private SimdInteger() {}

  static void execute(Cpu cpu, Instruction in) {
    if (in.form.hasMmxOperand) {
      Operands.requireMmx(cpu);
      mmx(cpu, in);
    } else {
      Operands.requireSse(cpu);
      xmm(cpu, in);
    }
  }

  private static void mmx(Cpu cpu, Instruction in) {
    FpuState fpu = cpu.fpu;
    int op = in.mnemonic;
    if (in.form.second == OperandPlace.IMMEDIATE) {
      long value = lanes(cpu, in, fpu.significand[in.rm & 7], 0, in.imm & 0xff);
      fpu.enterMmx();
      fpu.mmx(in.rm & 7, value);
      return;
    }
    if (op == PINSRW || op == PEXTRW) {
      wordAccess(cpu, in, false);
      return;
    }
    long b = in.form.fixedOperandBytes() == 4 ? loadLowMmx(cpu, in) : Operands.loadMmx(cpu, in);
    long a = fpu.significand[in.reg & 7];
    long result =
        switch (op) {
          case PUNPCKLBW -> Packed.interleaveBytes((int) a, (int) b);
          case PUNPCKLWD -> Packed.interleaveWords((int) a, (int) b);
          case PUNPCKLDQ -> Packed.pair(a, b);
          case PACKSSWB -> Packed.pair(Packed.packWords(a, false), Packed.packWords(b, false));
          case PACKUSWB -> Packed.pair(Packed.packWords(a, true), Packed.packWords(b, true));
          case PUNPCKHBW -> Packed.interleaveBytes((int) (a >>> 32), (int) (b >>> 32));
          case PUNPCKHWD -> Packed.interleaveWords((int) (a >>> 32), (int) (b >>> 32));
          case PUNPCKHDQ -> Packed.pair(a >>> 32, b >>> 32);
          case PACKSSDW ->
              Packed.pair(Packed.packDoublewords(a, false), Packed.packDoublewords(b, false));
          case PSHUFW -> Packed.shuffleWords(b, (int) in.imm);
          default -> lanes(cpu, in, a, b, b);
        };
    fpu.enterMmx();
    fpu.mmx(in.reg & 7, result);
  }

  /** PUNPCKLxx with memory reads only 32 bits. */
  private static long loadLowMmx(Cpu cpu, Instruction in) {
    return in.isMemory
        ? cpu.mmu.read32(cpu.linearAddress(in, 4, false)) & 0xffff_ffffL
        : cpu.fpu.significand[in.rm & 7];
  }

  private static void xmm(Cpu cpu, Instruction in) {
    long[] xmm = cpu.fpu.xmm;
    int op = in.mnemonic;
    if (in.form.second == OperandPlace.IMMEDIATE) {
      shiftImmediate(cpu, in);
      return;
    }
    if (op == PINSRW || op == PEXTRW) {
      if (in.form.first == OperandPlace.RM) {
        Simd3a.extract(cpu, in);
      } else {
        wordAccess(cpu, in, true);
      }
      return;
    }
    long bl = Operands.load128(cpu, in);
    long bh = cpu.fpu.operandHigh;
    int d = 2 * in.reg;
    long al = xmm[d];
    long ah = xmm[d + 1];
    xmm[d] = lane(cpu, in, al, ah, bl, bh);
    xmm[d + 1] = cpu.fpu.resultHigh;
  }

  /** The result in 128 bits of two operands, but for PINSRW, PEXTRW and shifts by an immediate. */
  static long lane(Cpu cpu, Instruction in, long al, long ah, long bl, long bh) {
    switch (in.mnemonic) {
      case PUNPCKLBW,
          PUNPCKLWD,
          PUNPCKLDQ,
          PUNPCKLQDQ,
          PUNPCKHBW,
          PUNPCKHWD,
          PUNPCKHDQ,
          PUNPCKHQDQ,
          PACKSSWB,
          PACKSSDW,
          PACKUSWB -> {
        return rearrange(cpu, in, al, ah, bl, bh);
      }
      case PSHUFD, PSHUFHW, PSHUFLW -> {
        return shuffle(cpu, in, bl, bh);
      }
      default -> {
        cpu.fpu.resultHigh = lanes(cpu, in, ah, bh, bl);
        return lanes(cpu, in, al, bl, bl);
      }
    }
  }

  private static long rearrange(Cpu cpu, Instruction in, long al, long ah, long bl, long bh) {
    long low;
    long high;
    switch (in.mnemonic) {
      case PUNPCKLBW -> {
        low = Packed.interleaveBytes((int) al, (int) bl);
        high = Packed.interleaveBytes((int) (al >>> 32), (int) (bl >>> 32));
      }
      case PUNPCKLWD -> {
        low = Packed.interleaveWords((int) al, (int) bl);
        high = Packed.interleaveWords((int) (al >>> 32), (int) (bl >>> 32));
      }
      case PUNPCKLDQ -> {
        low = Packed.pair(al, bl);
        high = Packed.pair(al >>> 32, bl >>> 32);
      }
      case PACKSSWB -> {
        low = Packed.pair(Packed.packWords(al, false), Packed.packWords(ah, false));
        high = Packed.pair(Packed.packWords(bl, false), Packed.packWords(bh, false));
      }
      case PACKUSWB -> {
        low = Packed.pair(Packed.packWords(al, true), Packed.packWords(ah, true));
        high = Packed.pair(Packed.packWords(bl, true), Packed.packWords(bh, true));
      }
      case PUNPCKHBW -> {
        low = Packed.interleaveBytes((int) ah, (int) bh);
        high = Packed.interleaveBytes((int) (ah >>> 32), (int) (bh >>> 32));
      }
      case PUNPCKHWD -> {
        low = Packed.interleaveWords((int) ah, (int) bh);
        high = Packed.interleaveWords((int) (ah >>> 32), (int) (bh >>> 32));
      }
      case PUNPCKHDQ -> {
        low = Packed.pair(ah, bh);
        high = Packed.pair(ah >>> 32, bh >>> 32);
      }
      case PACKSSDW -> {
        low = Packed.pair(Packed.packDoublewords(al, false), Packed.packDoublewords(ah, false));
        high = Packed.pair(Packed.packDoublewords(bl, false), Packed.packDoublewords(bh, false));
      }
      case PUNPCKLQDQ -> {
        low = al;
        high = bl;
      }
      case PUNPCKHQDQ -> {
        low = ah;
        high = bh;
      }
      default -> throw cpu.undefined(in);
    }
    cpu.fpu.resultHigh = high;
    return low;
  }

  private static long shuffle(Cpu cpu, Instruction in, long bl, long bh) {
    int order = (int) in.imm & 0xff;
    FpuState fpu = cpu.fpu;
    switch (in.mnemonic) {
      case PSHUFD -> {
        fpu.resultHigh =
            Packed.pair(
                Packed.doubleword(bl, bh, order >> 4 & 3), Packed.doubleword(bl, bh, order >> 6));
        return Packed.pair(
            Packed.doubleword(bl, bh, order & 3), Packed.doubleword(bl, bh, order >> 2 & 3));
      }
      case PSHUFHW -> {
        fpu.resultHigh = Packed.shuffleWords(bh, order);
        return bl;
      }
      default -> {
        fpu.resultHigh = bh;
        return Packed.shuffleWords(bl, order);
      }
    }
  }

  /** One half of an operation that works within 64 bits. */
  private static long lanes(Cpu cpu, Instruction in, long a, long b, long count) {
    return switch (in.mnemonic) {
      case PCMPGTB -> Packed.greaterBytes(a, b);
      case PCMPGTD -> Packed.greaterDoublewords(a, b);
      case PCMPEQB -> Packed.equalBytes(a, b);
      case PCMPEQD -> Packed.equalDoublewords(a, b);
      case PSRLW -> Packed.shiftRight(16, a, count);
      case PSRLD -> Packed.shiftRight(32, a, count);
      case PSRLQ -> Packed.shiftRight(64, a, count);
      case PADDQ -> a + b;
      case PSUBUSB -> Packed.saturatedSubtractBytes(a, b);
      case PMINUB -> Packed.minimumBytes(a, b);
      case PAND -> a & b;
      case PADDUSB -> Packed.saturatedAddBytes(a, b);
      case PMAXUB -> Packed.maximumBytes(a, b);
      case PANDN -> ~a & b;
      case PAVGB, PSUBSB, PADDSB -> Packed.bytes(in.mnemonic, a, b);
      case PSRAW -> Packed.shiftRightSigned(16, a, count);
      case PSRAD -> Packed.shiftRightSigned(32, a, count);
      case POR -> a | b;
      case PXOR -> a ^ b;
      case PSLLW -> Packed.shiftLeft(16, a, count);
      case PSLLD -> Packed.shiftLeft(32, a, count);
      case PSLLQ -> Packed.shiftLeft(64, a, count);
      case PMULUDQ -> (a & 0xffff_ffffL) * (b & 0xffff_ffffL);
      case PMADDWD -> Packed.multiplyAddWords(a, b);
      case PSADBW -> Packed.sumOfDifferences(a, b);
      case PSUBB -> Packed.subtractBytes(a, b);
      case PSUBW -> Packed.subtractWords(a, b);
      case PSUBD -> Packed.subtractDoublewords(a, b);
      case PSUBQ -> a - b;
      case PADDB -> Packed.addBytes(a, b);
      case PADDW -> Packed.addWords(a, b);
      case PADDD -> Packed.addDoublewords(a, b);
      case PCMPGTW,
          PCMPEQW,
          PMULLW,
          PSUBUSW,
          PADDUSW,
          PAVGW,
          PMULHUW,
          PMULHW,
          PSUBSW,
          PMINSW,
          PADDSW,
          PMAXSW ->
          Packed.words(in.mnemonic, a, b);
      default -> throw cpu.undefined(in);
    };
  }

  private static void shiftImmediate(Cpu cpu, Instruction in) {
    long[] xmm = cpu.fpu.xmm;
    int d = 2 * in.rm;
    xmm[d] = shiftLane(cpu, in, xmm[d], xmm[d + 1]);
    xmm[d + 1] = cpu.fpu.resultHigh;
  }

  /** 128 bits shifted by an immediate. */
  static long shiftLane(Cpu cpu, Instruction in, long low, long high) {
    if (in.mnemonic != PSRLDQ && in.mnemonic != PSLLDQ) {
      long count = in.imm & 0xff;
      cpu.fpu.resultHigh = lanes(cpu, in, high, 0, count);
      return lanes(cpu, in, low, 0, count);
    }
    int bytes = Math.min((int) in.imm & 0xff, 16);
    if (in.mnemonic == PSRLDQ) {
      cpu.fpu.resultHigh = SimdAlign.extract(low, high, 0, 0, bytes + 8);
      return SimdAlign.extract(low, high, 0, 0, bytes);
    }
    cpu.fpu.resultHigh = SimdAlign.extract(0, 0, low, high, 24 - bytes);
    return SimdAlign.extract(0, 0, low, high, 16 - bytes);
  }

  /** PINSRW and PEXTRW. */
  static void wordAccess(Cpu cpu, Instruction in, boolean wide) {
    FpuState fpu = cpu.fpu;
    int index = (int) in.imm & (wide ? 7 : 3);
    int shift = 16 * (index & 3);
    if (in.mnemonic == PEXTRW) {
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

package io.vmm4j.software.fpu;

import static io.vmm4j.software.cpu.Mnemonic.PADDSW;
import static io.vmm4j.software.cpu.Mnemonic.PADDUSW;
import static io.vmm4j.software.cpu.Mnemonic.PAVGB;
import static io.vmm4j.software.cpu.Mnemonic.PAVGW;
import static io.vmm4j.software.cpu.Mnemonic.PCMPEQW;
import static io.vmm4j.software.cpu.Mnemonic.PCMPGTW;
import static io.vmm4j.software.cpu.Mnemonic.PMINSW;
import static io.vmm4j.software.cpu.Mnemonic.PMULHUW;
import static io.vmm4j.software.cpu.Mnemonic.PMULHW;
import static io.vmm4j.software.cpu.Mnemonic.PMULLW;
import static io.vmm4j.software.cpu.Mnemonic.PSUBSB;
import static io.vmm4j.software.cpu.Mnemonic.PSUBSW;
import static io.vmm4j.software.cpu.Mnemonic.PSUBUSW;

/**
 * Packed integer operations on 64 bits: an MMX register or half an XMM register (Intel SDM volume
 * 2). What hot string functions use is done on all lanes at once, the rest lane by lane.
 */
final class Packed {
  private static final long SIGNS_8 = 0x8080_8080_8080_8080L;
  private static final long SIGNS_16 = 0x8000_8000_8000_8000L;

  private Packed() {}

  /** Each lane's top bit, spread over the lane of 8 bits. */
  private static long spread8(long signs) {
    return (signs << 1) - (signs >>> 7);
  }

  static long addBytes(long a, long b) {
    return (a & ~SIGNS_8) + (b & ~SIGNS_8) ^ (a ^ b) & SIGNS_8;
  }

  static long subtractBytes(long a, long b) {
    return (a | SIGNS_8) - (b & ~SIGNS_8) ^ (a ^ ~b) & SIGNS_8;
  }

  static long addWords(long a, long b) {
    return (a & ~SIGNS_16) + (b & ~SIGNS_16) ^ (a ^ b) & SIGNS_16;
  }

  static long subtractWords(long a, long b) {
    return (a | SIGNS_16) - (b & ~SIGNS_16) ^ (a ^ ~b) & SIGNS_16;
  }

  static long addDoublewords(long a, long b) {
    return pair(a + b, (a >>> 32) + (b >>> 32));
  }

  static long subtractDoublewords(long a, long b) {
    return pair(a - b, (a >>> 32) - (b >>> 32));
  }

  /** Two doublewords, the first one low. */
  static long pair(long low, long high) {
    return low & 0xffff_ffffL | high << 32;
  }

  static long equalBytes(long a, long b) {
    long x = a ^ b;
    return spread8(~((x & ~SIGNS_8) + ~SIGNS_8 | x) & SIGNS_8);
  }

  /** Lanes of 8 bits where a is below b, unsigned, as their sign bits. */
  private static long belowBytes(long a, long b) {
    // The borrow out of each lane of a - b.
    long difference = (a | SIGNS_8) - (b & ~SIGNS_8) ^ (a ^ ~b) & SIGNS_8;
    return (~a & b | ~(a ^ b) & difference) & SIGNS_8;
  }

  static long greaterBytes(long a, long b) {
    return spread8(belowBytes(b ^ SIGNS_8, a ^ SIGNS_8));
  }

  static long minimumBytes(long a, long b) {
    long less = spread8(belowBytes(a, b));
    return a & less | b & ~less;
  }

  static long maximumBytes(long a, long b) {
    long less = spread8(belowBytes(a, b));
    return b & less | a & ~less;
  }

  static long saturatedSubtractBytes(long a, long b) {
    return subtractBytes(a, b) & ~spread8(belowBytes(a, b));
  }

  static long saturatedAddBytes(long a, long b) {
    long sum = addBytes(a, b);
    return sum | spread8(belowBytes(sum, a));
  }

  /** The sign bits of eight bytes. */
  static int byteMask(long a) {
    return (int) ((a & SIGNS_8) * 0x0002_0408_1020_4081L >>> 56);
  }

  static int signedWord(int value) {
    return Math.clamp(value, -0x8000, 0x7fff) & 0xffff;
  }

  static int unsignedWord(int value) {
    return Math.clamp(value, 0, 0xffff);
  }

  static int signedByte(int value) {
    return Math.clamp(value, -0x80, 0x7f) & 0xff;
  }

  static int unsignedByte(int value) {
    return Math.clamp(value, 0, 0xff);
  }

  /** PAVGB, PSUBSB and PADDSB, on eight bytes. */
  static long bytes(int mnemonic, long a, long b) {
    long result = 0;
    for (int i = 0; i < 64; i += 8) {
      int x = (byte) (a >> i);
      int y = (byte) (b >> i);
      int value =
          switch (mnemonic) {
            case PAVGB -> (x & 0xff) + (y & 0xff) + 1 >> 1;
            case PSUBSB -> signedByte(x - y);
            default -> signedByte(x + y);
          };
      result |= (value & 0xffL) << i;
    }
    return result;
  }

  /** Operations on four words. */
  static long words(int mnemonic, long a, long b) {
    long result = 0;
    for (int i = 0; i < 64; i += 16) {
      int x = (short) (a >> i);
      int y = (short) (b >> i);
      int ux = x & 0xffff;
      int uy = y & 0xffff;
      int value =
          switch (mnemonic) {
            case PCMPGTW -> x > y ? -1 : 0;
            case PCMPEQW -> x == y ? -1 : 0;
            case PMULLW -> x * y;
            case PSUBUSW -> Math.max(ux - uy, 0);
            case PADDUSW -> Math.min(ux + uy, 0xffff);
            case PAVGW -> ux + uy + 1 >> 1;
            case PMULHUW -> ux * uy >>> 16;
            case PMULHW -> x * y >> 16;
            case PSUBSW -> signedWord(x - y);
            case PMINSW -> Math.min(x, y);
            case PADDSW -> signedWord(x + y);
            default -> Math.max(x, y);
          };
      result |= (value & 0xffffL) << i;
    }
    return result;
  }

  static long greaterDoublewords(long a, long b) {
    return pair((int) a > (int) b ? -1 : 0, a >> 32 > b >> 32 ? -1 : 0);
  }

  static long equalDoublewords(long a, long b) {
    return pair((int) a == (int) b ? -1 : 0, a >> 32 == b >> 32 ? -1 : 0);
  }

  /** PMADDWD. */
  static long multiplyAddWords(long a, long b) {
    int low = (short) a * (short) b + (short) (a >> 16) * (short) (b >> 16);
    int high = (short) (a >> 32) * (short) (b >> 32) + (short) (a >> 48) * (short) (b >> 48);
    return pair(low, high);
  }

  /** PSADBW. */
  static long sumOfDifferences(long a, long b) {
    long sum = 0;
    for (int i = 0; i < 64; i += 8) {
      sum += Math.abs((int) (a >> i & 0xff) - (int) (b >> i & 0xff));
    }
    return sum;
  }

  /** Logical left shift of lanes. */
  static long shiftLeft(int width, long a, long count) {
    if (count < 0 || count >= width) {
      return 0;
    }
    if (width == 64) {
      return a << count;
    }
    return (a << count) & lanes(width, (1L << width) - (1L << count));
  }

  /** Logical right shift of lanes. */
  static long shiftRight(int width, long a, long count) {
    if (count < 0 || count >= width) {
      return 0;
    }
    if (width == 64) {
      return a >>> count;
    }
    return (a >>> count) & lanes(width, (1L << width - count) - 1);
  }

  /** Arithmetic right shift of lanes. */
  static long shiftRightSigned(int width, long a, long count) {
    int by = count < 0 || count >= width ? width - 1 : (int) count;
    long result = 0;
    for (int i = 0; i < 64; i += width) {
      long lane = a << 64 - width - i >> 64 - width >> by;
      result |= lane << 64 - width >>> 64 - width << i;
    }
    return result;
  }

  private static long lanes(int width, long mask) {
    return width == 16
        ? (mask & 0xffff) * 0x0001_0001_0001_0001L
        : (mask & 0xffff_ffffL) * 0x1_0000_0001L;
  }

  /** The low halves of two operands, bytes interleaved; gives the first 64 bits. */
  static long interleaveBytes(int a, int b) {
    return spreadBytes(a) | spreadBytes(b) << 8;
  }

  private static long spreadBytes(int a) {
    long x = a & 0xffff_ffffL;
    x = (x | x << 16) & 0x0000_ffff_0000_ffffL;
    return (x | x << 8) & 0x00ff_00ff_00ff_00ffL;
  }

  static long interleaveWords(int a, int b) {
    return spreadWords(a) | spreadWords(b) << 16;
  }

  private static long spreadWords(int a) {
    long x = a & 0xffff_ffffL;
    return (x | x << 16) & 0x0000_ffff_0000_ffffL;
  }

  /** Four words packed to four bytes with saturation. */
  static int packWords(long a, boolean unsigned) {
    int result = 0;
    for (int i = 0; i < 4; i++) {
      int x = (short) (a >> 16 * i);
      result |= (unsigned ? unsignedByte(x) : signedByte(x)) << 8 * i;
    }
    return result;
  }

  /** Two doublewords packed to two words with saturation. */
  static int packDoublewords(long a, boolean unsigned) {
    int low = (int) a;
    int high = (int) (a >> 32);
    return unsigned
        ? unsignedWord(low) | unsignedWord(high) << 16
        : signedWord(low) | signedWord(high) << 16;
  }

  /** PSHUFW and its kin: four words chosen by four 2-bit fields. */
  static long shuffleWords(long a, int order) {
    return (a >>> 16 * (order & 3) & 0xffff)
        | (a >>> 16 * (order >> 2 & 3) & 0xffff) << 16
        | (a >>> 16 * (order >> 4 & 3) & 0xffff) << 32
        | (a >>> 16 * (order >> 6 & 3)) << 48;
  }

  /** Doubleword {@code index} (0 to 3) of 128 bits. */
  static int doubleword(long low, long high, int index) {
    long half = (index & 2) != 0 ? high : low;
    return (int) ((index & 1) != 0 ? half >>> 32 : half);
  }
}

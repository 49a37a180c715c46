package io.vmm4j.software.fpu;

import java.util.SplittableRandom;

/** Operands for floating-point tests: the edges of each format, and random ones near them. */
public final class FloatCases {
  private static final int[] EXPONENTS_80 = {
    0, 0, 0, 1, 2, 30, 63, 64, 65, 0x2000, 0x3f80, 0x3ffe, 0x3fff, 0x3fff, 0x4000, 0x4001, 0x400d,
    0x400e, 0x400f, 0x401d, 0x401e, 0x401f, 0x403c, 0x403d, 0x403e, 0x403f, 0x4040, 0x3bcd, 0x3c00,
    0x3c01, 0x43fe, 0x43ff, 0x3f6a, 0x3f80, 0x3f81, 0x407e, 0x407f, 0x6000, 0x7ffd, 0x7ffe, 0x7ffe,
    0x7fff, 0x7fff
  };
  private static final long[] SIGNIFICANDS = {
    0,
    1,
    0x8000_0000_0000_0000L,
    0x8000_0000_0000_0001L,
    0xc000_0000_0000_0000L,
    0xffff_ffff_ffff_ffffL,
    0xffff_ffff_ffff_fffeL,
    0x8000_0000_0000_0400L,
    0x8000_0000_0000_0c00L,
    0xffff_ffff_ffff_fc00L,
    0x8000_0080_0000_0000L,
    0x8000_0100_0000_0000L,
    0xffff_ff80_0000_0000L,
    0xffff_ff00_0000_0000L,
    0xa000_0000_0000_0000L,
    0xa000_0000_0000_0001L,
    0x4000_0000_0000_0000L,
    0x7fff_ffff_ffff_ffffL
  };

  private final SplittableRandom random;

  /** Numbers of a fixed seed. */
  public FloatCases(long seed) {
    random = new SplittableRandom(seed);
  }

  int below(int bound) {
    return random.nextInt(bound);
  }

  long next() {
    return random.nextLong();
  }

  /** Sign and exponent of an extended number. */
  public int signExponent() {
    int exponent =
        switch (below(8)) {
          case 0 -> random.nextInt(0x8000);
          case 1, 2, 3 -> 0x3fff + random.nextInt(-70, 71);
          default -> EXPONENTS_80[below(EXPONENTS_80.length)];
        };
    return exponent | below(2) << 15;
  }

  /** Significand to go with {@code signExponent}; rarely an unsupported encoding. */
  public long significand(int signExponent) {
    long value =
        switch (below(6)) {
          case 0, 1 -> SIGNIFICANDS[below(SIGNIFICANDS.length)];
          case 2 -> random.nextLong() << below(64);
          case 3 -> random.nextLong() & -1L << below(64) | below(4);
          default -> random.nextLong();
        };
    int exponent = signExponent & 0x7fff;
    if (exponent == 0) {
      return below(10) == 0 ? value : value & Long.MAX_VALUE;
    }
    return below(60) == 0 ? value : value | Long.MIN_VALUE;
  }

  /** Bits of a double, edges and randoms mixed. */
  public long doubleBits() {
    return narrow(52, 11, 1023);
  }

  /** Bits of a float. */
  public int floatBits() {
    return (int) narrow(23, 8, 127);
  }

  private long narrow(int fractionBits, int exponentBits, int bias) {
    int maxExponent = (1 << exponentBits) - 1;
    int exponent =
        switch (below(12)) {
          case 0, 1 -> 0;
          case 2 -> maxExponent;
          case 3 -> below(3);
          case 4 -> maxExponent - 1 - below(2);
          case 5, 6 -> below(maxExponent + 1);
          case 7 -> Math.floorMod(bias / 2 + below(2 * fractionBits) - fractionBits, maxExponent);
          case 8 -> Math.min(bias + below(66), maxExponent);
          default -> bias + below(fractionBits + 3) - fractionBits / 2;
        };
    long mask = (1L << fractionBits) - 1;
    long fraction =
        switch (below(6)) {
          case 0 -> 0;
          case 1 -> 1L << below(fractionBits);
          case 2 -> mask - below(3);
          case 3 -> random.nextLong() & -1L << below(fractionBits);
          default -> random.nextLong();
        };
    long sign = (long) below(2) << (fractionBits + exponentBits);
    return sign | (long) exponent << fractionBits | fraction & mask;
  }
}

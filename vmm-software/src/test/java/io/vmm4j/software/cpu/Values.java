package io.vmm4j.software.cpu;

import java.util.SplittableRandom;
import java.util.stream.LongStream;

/** Operands for the oracle tests: the edges of every size, and random ones of a fixed seed. */
public final class Values {
  /** CF, PF, AF, ZF, SF, OF. */
  private static final int[] FLAG_BITS = {0, 2, 4, 6, 7, 11};

  private final SplittableRandom random;

  public Values(long seed) {
    random = new SplittableRandom(seed);
  }

  /** What has broken processors before: around 0, the sign bits and the ends of each size. */
  static long[] edges() {
    return LongStream.of(0, 8, 16, 32, 64)
        .flatMap(bits -> {
          long end = bits == 64 ? 0 : bits == 0 ? 0 : 1L << bits;
          long sign = bits == 0 ? 0x55 : 1L << bits - 1;
          return LongStream.of(end - 2, end - 1, end, end + 1, sign - 1, sign, sign + 1);
        })
        .distinct()
        .toArray();
  }

  /** A number whose size varies. */
  public long next() {
    long value = random.nextLong();
    return switch (random.nextInt(4)) {
      case 0 -> value;
      case 1 -> value >> random.nextInt(64);
      case 2 -> value >>> random.nextInt(64);
      default -> edges()[random.nextInt(edges().length)];
    };
  }

  public int below(int bound) {
    return random.nextInt(bound);
  }

  /** Any of the arithmetic flags. */
  public int flags() {
    return flags(random.nextInt(64));
  }

  /** The arithmetic flags by a number from 0 to 63; bit 0 is CF. */
  static int flags(int selection) {
    int flags = 0;
    for (int i = 0; i < FLAG_BITS.length; i++) {
      flags |= (selection >> i & 1) << FLAG_BITS[i];
    }
    return flags;
  }
}

package io.vmm4j.software.fpu;

/** Byte-wise selection from concatenated halves, for whole-register shifts and PALIGNR. */
final class SimdAlign {
  private SimdAlign() {}

  /**
   * Eight bytes beginning at byte {@code offset} of the 32 bytes a (lowest), b, c, d; zeros follow.
   */
  static long extract(long a, long b, long c, long d, int offset) {
    int index = offset >> 3;
    long low = half(a, b, c, d, index);
    int shift = 8 * (offset & 7);
    return shift == 0 ? low : low >>> shift | half(a, b, c, d, index + 1) << -shift;
  }

  private static long half(long a, long b, long c, long d, int index) {
    return switch (index) {
      case 0 -> a;
      case 1 -> b;
      case 2 -> c;
      case 3 -> d;
      default -> 0;
    };
  }
}

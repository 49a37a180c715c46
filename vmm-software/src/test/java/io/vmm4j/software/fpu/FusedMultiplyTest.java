package io.vmm4j.software.fpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.math.MathContext;
import org.junit.jupiter.api.Test;

/**
 * The one rounding of a fused multiplication and addition, its NaNs and its exceptions (Intel SDM
 * volume 1, 14.5), and half precision. The differential suite compares the same with the host.
 */
class FusedMultiplyTest {
  private static final int CASES = 300_000;
  private static final long DEFAULT_NAN = 0xFFF8_0000_0000_0000L;

  private final SimdFloat simd = new SimdFloat();
  private final FloatCases cases = new FloatCases(7);

  private long fused(long a, long b, long c) {
    simd.clear();
    return simd.multiplyAddDouble(a, b, c, false, false);
  }

  private static long bits(double value) {
    return Double.doubleToRawLongBits(value);
  }

  @Test
  void doublesAreRoundedOnce() {
    for (int i = 0; i < CASES; i++) {
      double a = Double.longBitsToDouble(cases.doubleBits());
      double b = Double.longBitsToDouble(cases.doubleBits());
      double c = Double.longBitsToDouble(cases.doubleBits());
      double expected = Math.fma(a, b, c);
      long actual = fused(bits(a), bits(b), bits(c));
      if (!Double.isNaN(expected)) {
        assertThat(actual).as("%s * %s + %s", a, b, c).isEqualTo(bits(expected));
      } else {
        assertThat(Double.longBitsToDouble(actual)).isNaN();
      }
    }
  }

  @Test
  void singlesAreRoundedOnce() {
    for (int i = 0; i < CASES; i++) {
      float a = Float.intBitsToFloat(cases.floatBits());
      float b = Float.intBitsToFloat(cases.floatBits());
      float c = Float.intBitsToFloat(cases.floatBits());
      float expected = Math.fma(a, b, c);
      int actual =
          simd.multiplyAddSingle(
              Float.floatToRawIntBits(a),
              Float.floatToRawIntBits(b),
              Float.floatToRawIntBits(c),
              false,
              false);
      if (!Float.isNaN(expected)) {
        assertThat(actual).as("%s * %s + %s", a, b, c).isEqualTo(Float.floatToRawIntBits(expected));
      } else {
        assertThat(Float.intBitsToFloat(actual)).isNaN();
      }
    }
  }

  @Test
  void theOtherRoundingsEncloseTheExactResult() {
    MathContext exact = MathContext.UNLIMITED;
    for (int i = 0; i < CASES / 10; i++) {
      double a = (cases.next() >> 11) * 0x1p-40;
      double b = (cases.next() >> 11) * 0x1p-60;
      double c = (cases.next() >> 11) * 0x1p-80;
      BigDecimal sum =
          new BigDecimal(a).multiply(new BigDecimal(b), exact).add(new BigDecimal(c), exact);
      double down = rounded(FpuExceptions.DOWN, a, b, c);
      double up = rounded(FpuExceptions.UP, a, b, c);
      double truncated = rounded(FpuExceptions.TRUNCATE, a, b, c);
      assertThat(new BigDecimal(down)).isLessThanOrEqualTo(sum);
      assertThat(new BigDecimal(up)).isGreaterThanOrEqualTo(sum);
      boolean inexact = new BigDecimal(down).compareTo(sum) != 0;
      assertThat(up).isEqualTo(inexact ? Math.nextUp(down) : down);
      assertThat(truncated).isEqualTo(sum.signum() < 0 ? up : down);
      assertThat((simd.exceptions() & FpuExceptions.PRECISION) != 0).isEqualTo(inexact);
    }
  }

  private double rounded(int mode, double a, double b, double c) {
    simd.mxcsr(0x1F80 | mode << 13);
    return Double.longBitsToDouble(fused(bits(a), bits(b), bits(c)));
  }

  @Test
  void theFirstNanOfFactorsAndAddendCounts() {
    long first = 0x7FF8_0000_0000_0001L;
    long second = 0x7FF8_0000_0000_0002L;
    long third = 0x7FF8_0000_0000_0003L;
    long one = bits(1);
    assertThat(fused(first, second, third)).isEqualTo(first);
    assertThat(fused(one, second, third)).isEqualTo(second);
    assertThat(fused(one, one, third)).isEqualTo(third);
    assertThat(simd.exceptions()).isZero();
    long signalling = 0x7FF0_0000_0000_0004L;
    assertThat(fused(first, one, signalling)).isEqualTo(first);
    assertThat(simd.exceptions()).isEqualTo(FpuExceptions.INVALID);
    assertThat(fused(one, one, signalling)).isEqualTo(signalling | 1L << 51);
    long infinity = bits(Double.POSITIVE_INFINITY);
    assertThat(fused(0, infinity, third)).as("a NaN wins over 0 x infinity").isEqualTo(third);
    assertThat(simd.exceptions()).isZero();
    assertThat(fused(0, infinity, one)).isEqualTo(DEFAULT_NAN);
    assertThat(fused(one, infinity, infinity | Long.MIN_VALUE)).isEqualTo(DEFAULT_NAN);
    assertThat(simd.exceptions()).isEqualTo(FpuExceptions.INVALID);
  }

  @Test
  void denormalsAreZerosAndResultsFlushedWhereMxcsrSaysSo() {
    long tiny = 1;
    long one = bits(1);
    assertThat(fused(tiny, one, 0)).isEqualTo(tiny);
    assertThat(simd.exceptions()).isEqualTo(FpuExceptions.DENORMAL);
    simd.mxcsr(0x1F80 | 1 << 6); // DAZ
    assertThat(fused(tiny, one, 0)).isZero();
    assertThat(simd.exceptions()).isZero();
    simd.mxcsr(0x1F80 | 1 << 15); // FZ
    assertThat(fused(bits(0x1p-600), bits(0x1p-450), 0)).isZero();
    assertThat(simd.exceptions()).isEqualTo(FpuExceptions.UNDERFLOW | FpuExceptions.PRECISION);
  }

  @Test
  void halvesAreThoseOfTheLibrary() {
    for (int half = 0; half < 0x1_0000; half++) {
      simd.clear();
      float single = Float.intBitsToFloat(simd.halfToSingle(half));
      float expected = Float.float16ToFloat((short) half);
      if (Float.isNaN(expected)) {
        assertThat(single).isNaN();
      } else {
        assertThat(single).isEqualTo(expected);
        assertThat(simd.exceptions()).isZero();
        assertThat(simd.singleToHalf(Float.floatToRawIntBits(single), 0)).isEqualTo(half);
      }
    }
    for (int i = 0; i < CASES; i++) {
      float single = Float.intBitsToFloat(cases.floatBits());
      if (!Float.isNaN(single)) {
        assertThat((short) simd.singleToHalf(Float.floatToRawIntBits(single), 0))
            .isEqualTo(Float.floatToFloat16(single));
      }
    }
  }

  @Test
  void theImmediateRoundsHalves() {
    int between = Float.floatToRawIntBits(1 + 0x1p-12f);
    assertThat(simd.singleToHalf(between, FpuExceptions.NEAREST)).isEqualTo(0x3C00);
    assertThat(simd.singleToHalf(between, FpuExceptions.UP)).isEqualTo(0x3C01);
    assertThat(simd.singleToHalf(between, FpuExceptions.DOWN)).isEqualTo(0x3C00);
    simd.mxcsr(0x1F80 | FpuExceptions.UP << 13);
    assertThat(simd.singleToHalf(between, 4)).as("by MXCSR").isEqualTo(0x3C01);
  }
}

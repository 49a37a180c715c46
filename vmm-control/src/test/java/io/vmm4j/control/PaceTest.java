package io.vmm4j.control;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PaceTest {
  private static final long MILLI = 1_000_000;

  /** Times may have any sign: those of System.nanoTime do. */
  private static final long START = Long.MAX_VALUE - 5 * MILLI;

  private final Pace pace = new Pace(100);

  @Test
  void aBurstGoesAtOnceAndTheRestAtTheRate() {
    for (int i = 0; i < 26; i++) {
      assertThat(pace.delayNanos(START)).as("request %d", i).isZero();
    }
    assertThat(pace.delayNanos(START)).isEqualTo(10 * MILLI);
    assertThat(pace.delayNanos(START)).isEqualTo(20 * MILLI);
    assertThat(pace.delayNanos(START + 30 * MILLI)).isZero();
  }

  @Test
  void restIsNotSavedUpBeyondABurst() {
    pace.delayNanos(START);
    long later = START + 3600L * 1000 * MILLI;
    for (int i = 0; i < 26; i++) {
      assertThat(pace.delayNanos(later)).isZero();
    }
    assertThat(pace.delayNanos(later)).isPositive();
  }
}

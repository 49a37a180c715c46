package io.vmm4j.control;

/**
 * Spreads requests over time: bursts of a quarter of a second's worth go at once, what exceeds the
 * rate waits. Not safe for several threads.
 */
final class Pace {
  private static final long SECOND = 1_000_000_000;

  private final long intervalNanos;
  private long next;
  private boolean begun;

  Pace(int perSecond) {
    this.intervalNanos = SECOND / perSecond;
  }

  /** How long the next request has to wait from now; it is taken as made. */
  long delayNanos(long nowNanos) {
    long earliest = nowNanos - SECOND / 4;
    if (!begun || next - earliest < 0) {
      next = earliest;
      begun = true;
    }
    long turn = next;
    next += intervalNanos;
    return Math.max(0, turn - nowNanos);
  }
}

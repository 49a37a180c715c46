package io.vmm4j.api.clock;

import java.time.Instant;

/**
 * The one clock of a machine: time-stamp counter, PIT, RTC, ACPI timer and APIC timer all derive
 * from it. Safe for use from any thread.
 */
public interface VmClock {

  /** Guest nanoseconds since the machine was first started; stands still while it is paused. */
  long nanoTime();

  /** The guest's wall-clock time: the start time of the machine plus {@link #nanoTime()}. */
  Instant wallTime();

  /** How time passes. */
  ClockMode mode();

  /**
   * Ticks of a counter of the given frequency since the machine was first started, without overflow
   * for 290 years.
   *
   * @param frequencyHz 1 Hz to 10 GHz
   */
  default long ticks(long frequencyHz) {
    return nanosToTicks(nanoTime(), frequencyHz);
  }

  /** Whole ticks of {@code frequencyHz} that have passed after {@code nanos} (not negative). */
  static long nanosToTicks(long nanos, long frequencyHz) {
    long seconds = nanos / 1_000_000_000L;
    long rest = nanos % 1_000_000_000L;
    return seconds * frequencyHz + rest * frequencyHz / 1_000_000_000L;
  }

  /** The first nanosecond at which {@code ticks} of {@code frequencyHz} have passed. */
  static long ticksToNanos(long ticks, long frequencyHz) {
    long seconds = ticks / frequencyHz;
    long rest = ticks % frequencyHz;
    return seconds * 1_000_000_000L + (rest * 1_000_000_000L + frequencyHz - 1) / frequencyHz;
  }
}

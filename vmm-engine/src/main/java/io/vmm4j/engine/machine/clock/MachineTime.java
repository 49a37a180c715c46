package io.vmm4j.engine.machine.clock;

import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.api.clock.VmClock;
import java.time.Instant;

/** The machine's clock as the machine itself works it: real or virtual. Any thread may read it. */
public abstract sealed class MachineTime implements VmClock permits RealTime, VirtualTime {
  /**
   * The frequency of the guest's time-stamp counter: one tick a nanosecond, so that counter and
   * clock convert without rounding.
   */
  public static final long TSC_FREQUENCY_HZ = 1_000_000_000L;

  private final Instant startTime;

  MachineTime(Instant startTime) {
    this.startTime = startTime;
  }

  /**
   * A clock that stands at guest time 0.
   *
   * @param startTime the guest's wall-clock time at guest time 0
   */
  public static MachineTime create(ClockMode mode, Instant startTime) {
    return switch (mode) {
      case REAL -> new RealTime(startTime);
      case VIRTUAL -> new VirtualTime(startTime);
    };
  }

  /** The guest's wall-clock time at guest time 0. */
  public Instant startTime() {
    return startTime;
  }

  @Override
  public Instant wallTime() {
    return startTime.plusNanos(nanoTime());
  }

  /** Lets time pass. Done already: does nothing. */
  public abstract void start();

  /** Makes time stand. Done already: does nothing. */
  public abstract void stop();

  /** Puts the clock, which stands, to a guest time. */
  public abstract void set(long nanoTime);
}

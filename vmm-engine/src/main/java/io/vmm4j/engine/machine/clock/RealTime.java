package io.vmm4j.engine.machine.clock;

import io.vmm4j.api.clock.ClockMode;
import java.time.Instant;
import java.util.function.LongSupplier;

/** Follows the host's monotonic clock while the machine runs. */
public final class RealTime extends MachineTime {

  /**
   * One picture of the clock, so that a reader never sees half a change.
   *
   * @param base guest time when it began to stand or to run
   * @param origin host time then
   * @param running whether it runs
   */
  private record Picture(long base, long origin, boolean running) {}

  private final LongSupplier hostNanos;
  private volatile Picture picture = new Picture(0, 0, false);

  RealTime(Instant startTime) {
    this(startTime, System::nanoTime);
  }

  RealTime(Instant startTime, LongSupplier hostNanos) {
    super(startTime);
    this.hostNanos = hostNanos;
  }

  @Override
  public long nanoTime() {
    Picture now = picture;
    return now.running ? now.base + (hostNanos.getAsLong() - now.origin) : now.base;
  }

  @Override
  public ClockMode mode() {
    return ClockMode.REAL;
  }

  @Override
  public synchronized void start() {
    if (!picture.running) {
      picture = new Picture(picture.base, hostNanos.getAsLong(), true);
    }
  }

  @Override
  public synchronized void stop() {
    if (picture.running) {
      picture = new Picture(nanoTime(), 0, false);
    }
  }

  @Override
  public synchronized void set(long nanoTime) {
    if (picture.running) {
      throw new IllegalStateException("the clock runs");
    }
    picture = new Picture(nanoTime, 0, false);
  }
}

package io.vmm4j.devices.contract;

import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.api.clock.VmClock;
import io.vmm4j.api.device.DeviceTimer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** A clock that stands until a test moves it, and the timers that run by it. */
public final class FakeClock implements VmClock {
  /** The wall-clock time at guest time 0: 2026-01-02 03:04:05 UTC, a Friday. */
  public static final Instant START = Instant.parse("2026-01-02T03:04:05Z");

  /** A device whose timers fire more often without time passing has a loop. */
  private static final int MOST_FIRINGS_AT_ONE_TIME = 100;

  private final List<Timer> timers = new ArrayList<>();
  private long nanos;
  private long firings;

  FakeClock() {}

  @Override
  public long nanoTime() {
    return nanos;
  }

  @Override
  public Instant wallTime() {
    return START.plusNanos(nanos);
  }

  @Override
  public ClockMode mode() {
    return ClockMode.VIRTUAL;
  }

  /** How many timers have fired. */
  public long firings() {
    return firings;
  }

  /** When the next timer fires, in guest nanoseconds; empty if none is armed. */
  public Optional<Long> nextDeadline() {
    return earliest().map(timer -> timer.deadline);
  }

  /** Lets time pass, firing timers as they fall due. */
  public void advance(Duration time) {
    advanceTo(nanos + time.toNanos());
  }

  /**
   * Lets time pass until a guest time.
   *
   * @throws AssertionError if timers go on firing without time passing
   */
  public void advanceTo(long nanoTime) {
    int atOneTime = 0;
    for (Optional<Timer> next = earliest();
        next.isPresent() && next.get().deadline <= nanoTime;
        next = earliest()) {
      Timer timer = next.get();
      if (timer.deadline > nanos) {
        nanos = timer.deadline;
        atOneTime = 0;
      } else if (++atOneTime > MOST_FIRINGS_AT_ONE_TIME) {
        throw new AssertionError("timer '" + timer.name + "' fires without end at " + nanos);
      }
      timer.isArmed = false;
      firings++;
      timer.action.run();
    }
    nanos = Math.max(nanos, nanoTime);
  }

  void setWithoutFiring(long nanoTime) {
    nanos = nanoTime;
  }

  DeviceTimer timer(String name, Runnable action) {
    Timer timer = new Timer(name, action);
    timers.add(timer);
    return timer;
  }

  private Optional<Timer> earliest() {
    return timers.stream()
        .filter(timer -> timer.isArmed)
        .min(Comparator.comparingLong(timer -> timer.deadline));
  }

  private static final class Timer implements DeviceTimer {
    private final String name;
    private final Runnable action;
    private long deadline;
    private boolean isArmed;

    Timer(String name, Runnable action) {
      this.name = name;
      this.action = action;
    }

    @Override
    public void armAt(long nanoTime) {
      deadline = nanoTime;
      isArmed = true;
    }

    @Override
    public void cancel() {
      isArmed = false;
    }

    @Override
    public boolean isArmed() {
      return isArmed;
    }
  }
}

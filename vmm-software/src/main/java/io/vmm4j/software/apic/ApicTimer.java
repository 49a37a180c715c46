package io.vmm4j.software.apic;

import io.vmm4j.api.backend.BackendHost;
import io.vmm4j.api.backend.CpuidLeaf;
import io.vmm4j.api.clock.VmClock;
import io.vmm4j.api.device.DeviceTimer;

/**
 * The local APIC's timer (Intel SDM volume 3, 11.5.4): one-shot, periodic, TSC deadline. Under the
 * machine lock.
 *
 * <p>It counts at the bus frequency that CPUID leaf 0x40000010 tells, or at 1 GHz, divided as the
 * divide configuration says.
 */
final class ApicTimer {
  private static final long DEFAULT_HZ = 1_000_000_000L;
  private static final int ONE_SHOT = 0;
  private static final int PERIODIC = 1;
  private static final int TSC_DEADLINE = 2;
  private static final long NEVER = -1;

  private final BackendHost host;
  private final Runnable expired;
  private final DeviceTimer timer;
  private final long frequencyHz;
  private int mode;
  private long initialCount;
  private int divisor = 2;
  private long deadlineNanos = NEVER;
  private long tscDeadline;
  private long tscOffset;

  /**
   * A stopped timer.
   *
   * @param expired what to do each time it expires; called with the machine lock held
   */
  ApicTimer(BackendHost host, int index, Runnable expired) {
    this.host = host;
    this.expired = expired;
    this.frequencyHz = frequency(host);
    this.timer = host.timer("lapic" + index, () -> host.locked(this::fire));
  }

  private static long frequency(BackendHost host) {
    for (CpuidLeaf leaf : host.cpuid()) {
      if (leaf.leaf() == 0x4000_0010 && leaf.ebx() != 0) {
        return 1000 * (leaf.ebx() & 0xFFFFFFFFL);
      }
    }
    return DEFAULT_HZ;
  }

  /** Expires if the time has come: called by the timer, or by what must not see it late. */
  private void fire() {
    long now = host.clock().nanoTime();
    if (deadlineNanos == NEVER) {
      return;
    }
    if (now < deadlineNanos) {
      timer.armAt(deadlineNanos);
      return;
    }
    if (mode == PERIODIC) {
      deadlineNanos += periodNanos() * ((now - deadlineNanos) / periodNanos() + 1);
      timer.armAt(deadlineNanos);
    } else {
      deadlineNanos = NEVER;
      tscDeadline = 0;
    }
    expired.run();
  }

  private long periodNanos() {
    return Math.max(1, VmClock.ticksToNanos(initialCount * divisor, frequencyHz));
  }

  private void stop() {
    deadlineNanos = NEVER;
    tscDeadline = 0;
    timer.cancel();
  }

  private void startAt(long nanos) {
    deadlineNanos = nanos;
    timer.armAt(nanos);
  }

  void reset() {
    stop();
    mode = ONE_SHOT;
    initialCount = 0;
    divisor = 2;
  }

  /** The mode in the LVT's bits 17 and 18. */
  void setMode(int newMode) {
    if (newMode != mode) {
      fire(); // what has counted to zero stays there
      if (newMode == TSC_DEADLINE || mode == TSC_DEADLINE) {
        stop();
        initialCount = 0;
      }
      mode = newMode;
    }
  }

  void setDivide(int configuration) {
    long count = currentCount();
    divisor = divisor(configuration);
    if (mode != TSC_DEADLINE && deadlineNanos != NEVER) {
      long nanos = VmClock.ticksToNanos(count * divisor, frequencyHz);
      startAt(host.clock().nanoTime() + nanos);
    }
  }

  private static int divisor(int configuration) {
    int code = configuration & 3 | configuration >> 1 & 4;
    return code == 7 ? 1 : 2 << code;
  }

  void setInitialCount(int count) {
    if (mode == TSC_DEADLINE) {
      return;
    }
    initialCount = count & 0xFFFFFFFFL;
    if (initialCount == 0) {
      stop();
    } else {
      startAt(host.clock().nanoTime() + periodNanos());
    }
  }

  int initialCount() {
    return (int) initialCount;
  }

  long currentCount() {
    if (deadlineNanos == NEVER || mode == TSC_DEADLINE) {
      return 0;
    }
    long left = deadlineNanos - host.clock().nanoTime();
    if (left <= 0) {
      if (mode != PERIODIC) {
        return 0;
      }
      left = periodNanos() - -left % periodNanos();
    }
    // It counts at the end of each division, and comes to zero only when it expires.
    long count = Math.ceilDiv(VmClock.nanosToTicks(left, frequencyHz), divisor);
    return Math.clamp(count, 1, initialCount);
  }

  // ---- TSC deadline ----

  long tscDeadline() {
    return mode == TSC_DEADLINE ? tscDeadline : 0;
  }

  void setTscDeadline(long value) {
    if (mode != TSC_DEADLINE) {
      return;
    }
    tscDeadline = value;
    if (value == 0) {
      stop();
    } else {
      armDeadline();
    }
  }

  /** Notes what the TSC is ahead of the clock's ticks. */
  void setTscOffset(long offset) {
    tscOffset = offset;
    if (mode == TSC_DEADLINE && deadlineNanos != NEVER) {
      armDeadline();
    }
  }

  private void armDeadline() {
    long ticks = tscDeadline - tscOffset;
    long now = host.clock().nanoTime();
    long farthest = now + Long.MAX_VALUE / 4;
    if (ticks <= 0) {
      startAt(now);
      fire();
    } else if (ticks / host.tscFrequencyHz() >= farthest / 1_000_000_000L) {
      startAt(farthest);
    } else {
      startAt(Math.max(now, VmClock.ticksToNanos(ticks, host.tscFrequencyHz())));
      fire(); // a deadline of the past interrupts behind the write itself
    }
  }

  // ---- snapshots ----

  long deadlineNanos() {
    return deadlineNanos;
  }

  void restore(int savedMode, int divideConfiguration, int count, long savedDeadlineNanos) {
    mode = savedMode;
    divisor = divisor(divideConfiguration);
    initialCount = count & 0xFFFFFFFFL;
    timer.cancel();
    deadlineNanos = savedDeadlineNanos;
    if (deadlineNanos != NEVER) {
      timer.armAt(deadlineNanos);
    }
  }

  /** The MSR's value, restored before or after the rest; it does not arm. */
  void restoreTscDeadline(long value) {
    tscDeadline = value;
  }
}

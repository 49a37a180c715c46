package io.vmm4j.devices.hpet;

import io.vmm4j.api.clock.VmClock;
import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.DeviceTimer;
import io.vmm4j.api.device.InterruptLine;
import io.vmm4j.api.device.MmioHandler;
import io.vmm4j.api.device.PlatformFact;
import java.util.Arrays;
import java.util.List;

/**
 * A high precision event timer block (IA-PC HPET specification 1.0a): a main counter of 64 bits at
 * 100 MHz, and timers that compare with it, each one-shot or periodic, whose interrupts are edges,
 * levels or messages. The timers' lines are 16 to 23. Legacy replacement routing is not there, as
 * the capabilities say: the PIT and the RTC keep their lines.
 *
 * <p>Periodic interrupts closer than 100 µs become one, as the PIT's do.
 */
final class Hpet implements DeviceModel<HpetState>, MmioHandler {
  /** Lines that a timer's interrupt can be routed to, a bit each: INT_ROUTE_CAP. */
  static final long ROUTES = 0x00FF_0000L;

  private static final int FIRST_ROUTE = 16;
  private static final int ROUTE_COUNT = 8;
  private static final int WINDOW_BYTES = 0x400;

  static final long FREQUENCY_HZ = 100_000_000;
  private static final long PERIOD_FEMTOSECONDS = 10_000_000;
  private static final int VENDOR = 0x8086;
  private static final int REVISION = 1;
  private static final int COUNTER_64 = 1 << 13;

  private static final int CAPABILITIES = 0x000;
  private static final int CONFIGURATION = 0x010;
  private static final int INTERRUPT_STATUS = 0x020;
  private static final int COUNTER = 0x0F0;
  private static final int TIMERS = 0x100;
  private static final int TIMER_BYTES = 0x20;

  private static final int ENABLE = 1;

  /** The least time between two interrupts of a periodic timer. */
  static final long LEAST_PERIOD_NANOS = 100_000;

  /** The farthest match for which a timer is armed, in ticks: 29 years. */
  private static final long FARTHEST_TICKS = 1L << 56;

  private final HpetConfig config;
  private final HpetTimer[] timers;
  private final InterruptLine[] lines = new InterruptLine[ROUTE_COUNT];
  private final DeviceContext machine;
  private final DeviceTimer match;
  private boolean enabled;

  /** The main counter while it stands. */
  private long standing;

  /** The main counter less the clock's ticks, while it counts. */
  private long offset;

  private int interruptStatus;

  Hpet(HpetConfig config, DeviceContext machine) {
    this.config = config;
    this.timers = new HpetTimer[config.timers()];
    Arrays.setAll(timers, i -> new HpetTimer());
    this.machine = machine;
    Arrays.setAll(lines, i -> machine.interruptLine(FIRST_ROUTE + i));
    match = machine.timer("comparator match", this::advance);
    machine.claimMmio(config.address(), WINDOW_BYTES, AccessWidth.QWORD, this);
    machine.describe(
        new PlatformFact.HighPrecisionEventTimer(config.address(), (int) capabilities()));
    machine.describe(
        new PlatformFact.FixedDevice(
            "HPET",
            "PNP0103",
            List.of(),
            List.of(new PlatformFact.MmioRange(config.address(), WINDOW_BYTES)),
            List.of()));
  }

  @Override
  public void reset() {
    enabled = false;
    standing = 0;
    offset = 0;
    interruptStatus = 0;
    for (HpetTimer timer : timers) {
      timer.reset();
    }
    drive();
    arm();
  }

  // ---- time ----

  private long counter() {
    return enabled ? machine.clock().ticks(FREQUENCY_HZ) + offset : standing;
  }

  /** Sees what has happened since the last look. */
  private void advance() {
    if (enabled) {
      long now = counter();
      for (int i = 0; i < timers.length; i++) {
        if (timers[i].advance(now)) {
          fire(i);
        }
      }
    }
    drive();
    arm();
  }

  private void fire(int number) {
    HpetTimer timer = timers[number];
    if (timer.sendsMessage()) {
      if (timer.isInterruptEnabled()) {
        machine.messageInterrupts().send(timer.messageAddress(), timer.messageValue());
      }
    } else if (timer.isLevelTriggered()) {
      interruptStatus |= 1 << number;
    } else if (timer.isInterruptEnabled() && isConnected(timer)) {
      lines[timer.route() - FIRST_ROUTE].pulse();
    }
  }

  private static boolean isConnected(HpetTimer timer) {
    return (1L << timer.route() & ROUTES) != 0;
  }

  /** Asserts the lines of the level-triggered timers that have an interrupt. */
  private void drive() {
    int asserted = 0;
    for (int i = 0; i < timers.length; i++) {
      HpetTimer timer = timers[i];
      if ((interruptStatus & 1 << i) != 0
          && timer.isInterruptEnabled()
          && timer.isLevelTriggered()
          && !timer.sendsMessage()
          && isConnected(timer)) {
        asserted |= 1 << timer.route() - FIRST_ROUTE;
      }
    }
    for (int i = 0; i < ROUTE_COUNT; i++) {
      lines[i].set((asserted & 1 << i) != 0);
    }
  }

  /** Arms the clock's timer for the next match that raises an interrupt. */
  private void arm() {
    long at = Long.MAX_VALUE;
    if (enabled) {
      VmClock clock = machine.clock();
      long counter = counter();
      for (HpetTimer timer : timers) {
        long ticks = timer.ticksToMatch(counter);
        if (timer.isInterruptEnabled() && Long.compareUnsigned(ticks, FARTHEST_TICKS) < 0) {
          long nanos = VmClock.ticksToNanos(clock.ticks(FREQUENCY_HZ) + ticks, FREQUENCY_HZ);
          at = Math.min(at, Math.max(nanos, clock.nanoTime() + timer.leastNanos()));
        }
      }
    }
    if (at == Long.MAX_VALUE) {
      match.cancel();
    } else {
      match.armAt(at);
    }
  }

  // ---- registers ----

  private long capabilities() {
    return PERIOD_FEMTOSECONDS << 32
        | (long) VENDOR << 16
        | COUNTER_64
        | (long) (timers.length - 1) << 8
        | REVISION;
  }

  @Override
  public long read(long at, int size) {
    advance();
    return register((int) at & ~7) >>> ((int) at & 7) * 8;
  }

  private long register(int at) {
    if (at >= TIMERS) {
      int number = (at - TIMERS) / TIMER_BYTES;
      if (number >= timers.length) {
        return 0;
      }
      return switch ((at - TIMERS) % TIMER_BYTES) {
        case 0x00 -> timers[number].configuration();
        case 0x08 -> timers[number].comparator();
        case 0x10 -> timers[number].message();
        default -> 0;
      };
    }
    return switch (at) {
      case CAPABILITIES -> capabilities();
      case CONFIGURATION -> enabled ? ENABLE : 0;
      case INTERRUPT_STATUS -> interruptStatus & 0xFFFF_FFFFL;
      case COUNTER -> counter();
      default -> 0;
    };
  }

  @Override
  public void write(long at, int size, long value) {
    advance();
    int shift = ((int) at & 7) * 8;
    long mask = (size == 8 ? -1 : (1L << size * 8) - 1) << shift;
    write((int) at & ~7, value << shift, mask);
    drive();
    arm();
  }

  private void write(int at, long value, long mask) {
    if (at >= TIMERS) {
      int number = (at - TIMERS) / TIMER_BYTES;
      if (number < timers.length) {
        writeTimer(number, (at - TIMERS) % TIMER_BYTES, value, mask);
      }
      return;
    }
    switch (at) {
      case CONFIGURATION -> {
        if ((mask & ENABLE) != 0) {
          enable((value & ENABLE) != 0);
        }
      }
      case INTERRUPT_STATUS -> interruptStatus &= (int) ~(value & mask);
      case COUNTER -> {
        // It can be set while it stands (specification 2.3.7).
        if (!enabled) {
          standing = standing & ~mask | value & mask;
          for (HpetTimer timer : timers) {
            timer.counterSet(standing);
          }
        }
      }
      default -> {
        // Read only, or reserved.
      }
    }
  }

  private void writeTimer(int number, int at, long value, long mask) {
    HpetTimer timer = timers[number];
    switch (at) {
      case 0x00 -> {
        timer.writeConfiguration(value, mask, counter());
        if (!timer.isLevelTriggered()) {
          interruptStatus &= ~(1 << number);
        }
      }
      case 0x08 -> timer.writeComparator(value, mask, counter());
      case 0x10 -> timer.writeMessage(value, mask);
      default -> {
        // Reserved.
      }
    }
  }

  private void enable(boolean on) {
    if (on == enabled) {
      return;
    }
    if (on) {
      offset = standing - machine.clock().ticks(FREQUENCY_HZ);
    } else {
      standing = counter();
    }
    enabled = on;
  }

  // ---- state ----

  @Override
  public HpetState save() {
    return new HpetState(
        enabled,
        standing,
        offset,
        interruptStatus,
        Arrays.stream(timers).map(HpetTimer::save).toList());
  }

  @Override
  public void restore(HpetState state) {
    enabled = state.enabled();
    standing = state.counter();
    offset = state.counterOffset();
    interruptStatus = state.interruptStatus();
    for (int i = 0; i < timers.length; i++) {
      if (i < state.timers().size()) {
        timers[i].restore(state.timers().get(i));
      } else {
        timers[i].reset();
      }
    }
    drive();
    arm();
  }
}

package io.vmm4j.engine.machine.clock;

import io.vmm4j.api.clock.ClockMode;
import java.time.Instant;

/**
 * Counts executed instructions, one nanosecond each, and what idle time was skipped. Written by the
 * vCPU's thread alone while it runs; it stands while no instruction is executed.
 */
public final class VirtualTime extends MachineTime {
  /** How long an instruction takes. */
  static final long NANOS_PER_INSTRUCTION = 1;

  private volatile long nanoTime;
  private volatile long executed;

  VirtualTime(Instant startTime) {
    super(startTime);
  }

  @Override
  public long nanoTime() {
    return nanoTime;
  }

  /** How many instructions were accounted for. */
  public long executed() {
    return executed;
  }

  @Override
  public ClockMode mode() {
    return ClockMode.VIRTUAL;
  }

  /** Accounts for executed instructions. On the vCPU's thread. */
  @SuppressWarnings("NonAtomicOperationOnVolatileField") // one writer
  public void instructionsExecuted(long count) {
    executed += count;
    nanoTime += count * NANOS_PER_INSTRUCTION;
  }

  /** Skips idle time. On the vCPU's thread. A time that has passed changes nothing. */
  public void skipTo(long deadline) {
    nanoTime = Math.max(nanoTime, deadline);
  }

  /** How many instructions may run until a guest time, at least 0. */
  public long instructionsUntil(long deadline) {
    return Math.max(0, (deadline - nanoTime + NANOS_PER_INSTRUCTION - 1) / NANOS_PER_INSTRUCTION);
  }

  @Override
  public void start() {}

  @Override
  public void stop() {}

  @Override
  public void set(long time) {
    nanoTime = time;
  }
}

package io.vmm4j.engine.machine.run;

import io.vmm4j.api.VmStoppedException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * Lets callers have the machine stand while they look at it or change it, one at a time. They hold
 * the exclusive lock of docs/threads.md, which is taken before the machine lock.
 */
public final class Holding {
  private final RunControl control;
  private final MachineThreads threads;
  private final ReentrantLock exclusive = new ReentrantLock();

  Holding(RunControl control, MachineThreads threads) {
    this.control = control;
    this.threads = threads;
  }

  /**
   * Does something while no guest code runs and guest time stands. One at a time; the machine goes
   * on afterwards if it ran before. The machine lock is not held.
   *
   * @throws VmStoppedException if the machine has ended and the action needs it alive
   */
  public <T> T whileHeld(String what, boolean needsLife, Supplier<T> action) {
    threads.refuseOwn(what);
    exclusive.lock();
    try {
      control.hold(Long.MAX_VALUE);
      try {
        if (needsLife) {
          control.requireAlive(what);
        }
        return action.get();
      } finally {
        control.release();
      }
    } finally {
      exclusive.unlock();
    }
  }

  /**
   * Does something while nobody else may hold the machine, pause or no pause; it may call {@link
   * #whileHeld}.
   */
  public <T> T exclusively(String what, Supplier<T> action) {
    threads.refuseOwn(what);
    exclusive.lock();
    try {
      return action.get();
    } finally {
      exclusive.unlock();
    }
  }

  /** As {@link #whileHeld}, if the machine can be held within a time; else nothing is done. */
  public <T> Optional<T> tryWhileHeld(Duration limit, Supplier<T> action) {
    if (threads.isOwn()) {
      return Optional.empty();
    }
    try {
      if (!exclusive.tryLock(TimeUnit.NANOSECONDS.convert(limit), TimeUnit.NANOSECONDS)) {
        return Optional.empty();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
    try {
      boolean quiet = control.hold(TimeUnit.NANOSECONDS.convert(limit));
      try {
        return quiet ? Optional.of(action.get()) : Optional.empty();
      } finally {
        control.release();
      }
    } finally {
      exclusive.unlock();
    }
  }
}

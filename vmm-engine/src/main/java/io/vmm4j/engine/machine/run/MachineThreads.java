package io.vmm4j.engine.machine.run;

import io.vmm4j.engine.machine.failure.DeviceFailures;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * The threads of a machine: its own, which run the guest and the events, and those of its backend.
 * Any thread, without a lock.
 */
public final class MachineThreads {
  private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  private final String machine;
  private final DeviceFailures failures;
  private final List<Thread> own = new CopyOnWriteArrayList<>();
  private final List<Thread> backend = new CopyOnWriteArrayList<>();

  MachineThreads(String machine, DeviceFailures failures) {
    this.machine = machine;
    this.failures = failures;
  }

  private String name(String purpose) {
    return "vmm-" + machine + "-" + purpose;
  }

  /**
   * Adds one of the machine's own.
   *
   * @param starter starts it under a name
   */
  void add(String purpose, Function<String, Thread> starter) {
    own.add(starter.apply(name(purpose)));
  }

  /** Starts a thread for the backend, which sees to its end. */
  public Thread startForBackend(String purpose, Runnable body) {
    Thread thread =
        Thread.ofPlatform()
            .name(name(purpose))
            .daemon()
            .unstarted(() -> {
              try {
                body.run();
              } catch (Throwable e) {
                failures.failed("backend", purpose, e);
              }
            });
    backend.add(thread);
    thread.start();
    return thread;
  }

  /** Whether the calling thread is one of the machine's own. */
  public boolean isOwn() {
    Thread current = Thread.currentThread();
    return own.contains(current) || backend.contains(current);
  }

  /** Refuses what a thread of the machine itself would wait for in vain. */
  public void refuseOwn(String what) {
    if (isOwn()) {
      throw new IllegalStateException(
          "cannot %s from a thread of the machine itself, which would wait for itself"
              .formatted(what));
    }
  }

  /**
   * Waits until the machine's own are gone.
   *
   * @param deadline in the time of {@link System#nanoTime}
   * @return false if they aren't by then
   */
  boolean join(long deadline) throws InterruptedException {
    boolean gone = true;
    for (Thread thread : own) {
      gone &= thread.join(Duration.ofNanos(Math.max(0, deadline - System.nanoTime())));
    }
    return gone;
  }

  /** What the machine's threads that are still there are doing, for a message. */
  public String describe() {
    StringBuilder text = new StringBuilder();
    List<Thread> all = new ArrayList<>(own);
    all.addAll(backend);
    for (Thread thread : all) {
      StackTraceElement[] frames = thread.getStackTrace();
      if (frames.length > 0) {
        text.append(thread.getName()).append(" is in").append(System.lineSeparator());
        for (StackTraceElement frame : frames) {
          text.append("  ").append(frame).append(System.lineSeparator());
        }
      }
    }
    return text.toString();
  }

  /**
   * Reports an error of a thread of the machine, which must not end before the machine does. Even
   * the first use of a text may need memory, so this tries again while the host's heap is
   * exhausted.
   *
   * @param report made beforehand, for the same reason
   */
  static void reportForSure(Consumer<Throwable> report, Throwable thrown) {
    while (true) {
      try {
        report.accept(thrown);
        return;
      } catch (Throwable e) {
        LockSupport.parkNanos(RETRY_NANOS);
      }
    }
  }
}

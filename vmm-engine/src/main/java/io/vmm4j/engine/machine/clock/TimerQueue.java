package io.vmm4j.engine.machine.clock;

import io.vmm4j.api.device.DeviceTimer;
import io.vmm4j.engine.machine.failure.DeviceFailures;
import java.util.NavigableSet;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The timers of a machine. They fire by deadline; those of one deadline fire in the order in which
 * they were made, which is that of the specification's devices: so a restored machine fires them in
 * the same order as the one that was saved.
 *
 * <p>Timers may be armed from any thread and take the machine lock for it.
 */
public final class TimerQueue {
  /** The deadline of a queue without armed timers. */
  public static final long NEVER = Long.MAX_VALUE;

  private final ReentrantLock lock;
  private final DeviceFailures failures;
  private final NavigableSet<Timer> armed = new TreeSet<>();
  private Runnable onEarlier = () -> {};
  private int made;
  private long fired;

  /** An empty queue under the machine lock. */
  public TimerQueue(ReentrantLock lock, DeviceFailures failures) {
    this.lock = lock;
    this.failures = failures;
  }

  /** What to call, with the machine lock held, when the next deadline has become earlier. */
  public void onEarlierDeadline(Runnable listener) {
    onEarlier = listener;
  }

  /** A new timer, not armed. */
  public DeviceTimer timer(String path, String name, Runnable action) {
    lock.lock();
    try {
      return new Timer(made++, path, name, action);
    } finally {
      lock.unlock();
    }
  }

  /** The earliest deadline, or {@link #NEVER}. With the machine lock held. */
  public long nextDeadline() {
    return armed.isEmpty() ? NEVER : armed.first().deadline;
  }

  /** The armed timers of a device by name, each with its deadline. With the machine lock held. */
  public SortedMap<String, Long> armed(String path) {
    SortedMap<String, Long> found = new TreeMap<>();
    for (Timer timer : armed) {
      if (timer.path.equals(path)) {
        found.put(timer.name, timer.deadline);
      }
    }
    return found;
  }

  /** Disarms all timers of a device. With the machine lock held. */
  public void release(String path) {
    armed.removeIf(timer -> {
      boolean released = timer.path.equals(path);
      timer.isArmed &= !released;
      return released;
    });
  }

  /** How many have fired. */
  public long fired() {
    return fired;
  }

  /**
   * Fires what is due. A timer that its own action arms for a time that has passed fires in the
   * next call, so that this one ends. With the machine lock held.
   */
  public void fireDue(long now) {
    int limit = armed.size() + 1;
    while (limit-- > 0 && !armed.isEmpty() && armed.first().deadline <= now) {
      Timer timer = armed.removeFirst();
      timer.isArmed = false;
      fired++;
      try {
        timer.action.run();
      } catch (Throwable e) {
        failures.failed(timer.path, "timer " + timer.name, e);
      }
    }
  }

  /** Disarms all: before a restore arms them anew. With the machine lock held. */
  public void cancelAll() {
    armed.forEach(timer -> timer.isArmed = false);
    armed.clear();
  }

  private final class Timer implements DeviceTimer, Comparable<Timer> {
    private final int number;
    private final String path;
    private final String name;
    private final Runnable action;
    private long deadline;
    private boolean isArmed;

    Timer(int number, String path, String name, Runnable action) {
      this.number = number;
      this.path = path;
      this.name = name;
      this.action = action;
    }

    @Override
    public void armAt(long nanoTime) {
      lock.lock();
      try {
        long before = nextDeadline();
        armed.remove(this);
        deadline = nanoTime;
        isArmed = true;
        armed.add(this);
        if (nanoTime < before) {
          onEarlier.run();
        }
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void cancel() {
      lock.lock();
      try {
        armed.remove(this);
        isArmed = false;
      } finally {
        lock.unlock();
      }
    }

    @Override
    public boolean isArmed() {
      lock.lock();
      try {
        return isArmed;
      } finally {
        lock.unlock();
      }
    }

    @Override
    public int compareTo(Timer other) {
      int byDeadline = Long.compare(deadline, other.deadline);
      return byDeadline != 0 ? byDeadline : Integer.compare(number, other.number);
    }

    @Override
    public boolean equals(Object other) {
      return this == other;
    }

    @Override
    public int hashCode() {
      return number;
    }

    @Override
    public String toString() {
      return path + "/" + name;
    }
  }
}

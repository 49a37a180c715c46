package io.vmm4j.engine.machine.console;

import io.vmm4j.api.ConsoleInputException;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmStoppedException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * What the host sends to a guest's console: a bounded buffer, in which bytes wait until the device
 * takes them. A sender waits while the buffer is full.
 *
 * <p>Its lock lies under the machine lock. A sender has the turn until all of its bytes are in the
 * buffer, so that what two threads send is never mixed.
 */
final class ConsoleInput {
  private final String path;
  private final ConsoleOwner owner;
  private final ReentrantLock turn = new ReentrantLock(true);
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final ByteQueue waiting = new ByteQueue();
  private long replacements;
  private boolean held;
  private @Nullable Runnable onReceivable;
  private @Nullable VmExit exit;

  ConsoleInput(String path, ConsoleOwner owner) {
    this.path = path;
    this.owner = owner;
  }

  // ---- the device's end ----

  /** How many bytes the device can take. */
  int available() {
    lock.lock();
    try {
      return held ? 0 : waiting.size();
    } finally {
      lock.unlock();
    }
  }

  /** The next byte, or -1 if none waits. */
  int receive() {
    lock.lock();
    try {
      if (held || waiting.size() == 0) {
        return -1;
      }
      int value = waiting.remove();
      if (turn.isLocked() && waiting.size() <= owner.inputLimitBytes() / 2) {
        changed.signalAll();
      }
      return value;
    } finally {
      lock.unlock();
    }
  }

  void onReceivable(Runnable listener) {
    lock.lock();
    try {
      onReceivable = listener;
    } finally {
      lock.unlock();
    }
    announce();
  }

  /** Tells the device of input that waits, if any does: after it was attached or restored. */
  void announce() {
    Runnable listener;
    lock.lock();
    try {
      listener = held || waiting.size() == 0 ? null : onReceivable;
    } finally {
      lock.unlock();
    }
    if (listener != null) {
      owner.execute(path, listener);
    }
  }

  // ---- the machine's end ----

  /** The machine has ended: senders that wait fail now. */
  void end(VmExit how) {
    lock.lock();
    try {
      if (exit == null) {
        exit = how;
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** What waits. */
  byte[] contents() {
    lock.lock();
    try {
      return waiting.toArray();
    } finally {
      lock.unlock();
    }
  }

  /** Neither gives nor takes any more, until {@link #replace} or {@link #release}. */
  void hold() {
    lock.lock();
    try {
      held = true;
    } finally {
      lock.unlock();
    }
  }

  /** Gives and takes again. The machine tells the device by {@link #announce}. */
  void release() {
    lock.lock();
    try {
      held = false;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Has other bytes wait, all of them, instead of those that do; senders under way fail. */
  void replace(byte[] bytes) {
    lock.lock();
    try {
      waiting.clear();
      waiting.add(bytes, 0, bytes.length);
      replacements++;
      release();
    } finally {
      lock.unlock();
    }
  }

  // ---- the host's end ----

  /** How many bytes wait. */
  int size() {
    lock.lock();
    try {
      return waiting.size();
    } finally {
      lock.unlock();
    }
  }

  /** Sends what there is room for now, unless another thread is sending; how many bytes. */
  int offer(byte[] bytes, int offset, int length) {
    if (!turn.tryLock()) {
      return 0;
    }
    int sent;
    try {
      sent = Math.max(0, put(bytes, offset, length, replacements()));
    } finally {
      turn.unlock();
    }
    if (sent > 0) {
      announce();
    }
    return sent;
  }

  /** Adds what there is room for; -1 if the input was replaced since. */
  private int put(byte[] bytes, int offset, int length, long since) {
    lock.lock();
    try {
      requireAlive();
      if (since != replacements) {
        return -1;
      }
      int room = held ? 0 : Math.max(0, owner.inputLimitBytes() - waiting.size());
      int sent = Math.min(room, length);
      waiting.add(bytes, offset, sent);
      return sent;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Sends all of it, waiting for room.
   *
   * @param limit how long it may take; or, if {@code renewed}, how long the guest may take nothing
   */
  void send(byte[] bytes, Duration limit, boolean renewed) {
    Sending sending = new Sending(bytes, limit, renewed);
    boolean mayWait = !owner.isOwnThread();
    try {
      long left = mayWait ? sending.left() : 0;
      boolean first = turn.tryLock() || turn.tryLock(left, TimeUnit.NANOSECONDS);
      if (!first) {
        throw sending.failure("another thread was sending");
      }
      try {
        sending.run(mayWait);
      } finally {
        turn.unlock();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw sending.failure("the sender was interrupted");
    }
  }

  private long replacements() {
    lock.lock();
    try {
      return replacements;
    } finally {
      lock.unlock();
    }
  }

  private void requireAlive() {
    VmExit how = exit;
    if (how != null) {
      throw new VmStoppedException("send to console '" + path + "'", how);
    }
  }

  /** One call of {@link #send}. */
  private final class Sending {
    private final byte[] bytes;
    private final Duration limit;
    private final boolean renewed;
    private long deadline;
    private int sent;

    Sending(byte[] bytes, Duration limit, boolean renewed) {
      this.bytes = bytes;
      this.limit = limit;
      this.renewed = renewed;
      restart();
    }

    private void restart() {
      // So much that no sum of it and a time overflows.
      long nanos = Math.clamp(TimeUnit.NANOSECONDS.convert(limit), 0, Long.MAX_VALUE / 2);
      deadline = System.nanoTime() + nanos;
    }

    long left() {
      return deadline - System.nanoTime();
    }

    void run(boolean mayWait) throws InterruptedException {
      long since = replacements();
      while (true) {
        int more = put(bytes, sent, bytes.length - sent, since);
        if (more < 0 && sent == 0) {
          since = replacements(); // all of it comes after that
          continue;
        }
        if (more < 0) {
          throw failure("the machine was taken to a snapshot meanwhile");
        }
        sent += more;
        if (more > 0) {
          announce();
          if (renewed) {
            restart();
          }
        }
        if (sent == bytes.length) {
          return;
        }
        if (!mayWait) {
          throw failure("a thread of the machine itself can't wait until the guest takes it");
        }
        if (!awaitRoom(since)) {
          long millis = TimeUnit.MILLISECONDS.convert(limit);
          throw failure(
              renewed
                  ? "the guest has taken nothing for %d ms".formatted(millis)
                  : "the guest has not taken the rest within %d ms".formatted(millis));
        }
      }
    }

    /** False if the time is over. */
    private boolean awaitRoom(long since) throws InterruptedException {
      lock.lockInterruptibly();
      try {
        while (exit == null
            && since == replacements
            && (held || waiting.size() >= owner.inputLimitBytes())) {
          long left = left();
          if (left <= 0) {
            return false;
          }
          changed.awaitNanos(left);
        }
        return true;
      } finally {
        lock.unlock();
      }
    }

    ConsoleInputException failure(String why) {
      return new ConsoleInputException(
          "console '%s': %d of %d bytes were sent; %s".formatted(path, sent, bytes.length, why),
          sent);
    }
  }
}

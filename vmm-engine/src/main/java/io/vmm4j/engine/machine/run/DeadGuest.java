package io.vmm4j.engine.machine.run;

import io.vmm4j.api.VmExit;
import java.util.BitSet;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sees when a guest is dead: when every vCPU has halted with interrupts disabled, so that only a
 * non-maskable interrupt could wake one. It says so once in the log each time, counts it, and ends
 * the machine where that is wanted. Fields are guarded by the machine lock.
 */
final class DeadGuest {
  private static final Logger LOG = LoggerFactory.getLogger(DeadGuest.class);

  private final String machine;
  private final ReentrantLock lock;
  private final Consumer<VmExit> end;

  /** The threads of vCPUs that have all halted so, by index. */
  private final BitSet halted = new BitSet();

  private int threads;
  private boolean dead;
  private boolean ends;
  private long times;

  /**
   * A guest that is alive.
   *
   * @param end ends the machine
   */
  DeadGuest(String machine, ReentrantLock lock, Consumer<VmExit> end) {
    this.machine = machine;
    this.lock = lock;
    this.end = end;
  }

  /** How many threads run vCPUs. */
  void threads(int count) {
    threads = count;
  }

  /** All vCPUs of a thread have halted, and none takes interrupts. */
  void halted(int thread) {
    lock.lock();
    try {
      halted.set(thread);
      if (!dead && halted.cardinality() == threads) {
        dead = true;
        times++;
        LOG.warn(
            "machine '{}': every vCPU has halted with interrupts disabled; only a non-maskable"
                + " interrupt could wake the guest",
            machine);
        endIfWanted();
      }
    } finally {
      lock.unlock();
    }
  }

  /** A vCPU of a thread runs again. */
  void woken(int thread) {
    lock.lock();
    try {
      halted.clear(thread);
      dead = false;
    } finally {
      lock.unlock();
    }
  }

  /** Whether a dead guest ends the machine; one that is dead already does so now. */
  void ends(boolean wanted) {
    lock.lock();
    try {
      ends = wanted;
      endIfWanted();
    } finally {
      lock.unlock();
    }
  }

  private void endIfWanted() {
    if (dead && ends) {
      end.accept(new VmExit.Dead(""));
    }
  }

  /** How often the guest has died. Any thread. */
  long times() {
    lock.lock();
    try {
      return times;
    } finally {
      lock.unlock();
    }
  }
}

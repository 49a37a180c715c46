package io.vmm4j.api.device;

import java.util.Optional;

/**
 * A thread of a device's own, which the machine keeps: for requests that take long, such as those
 * of a disk. It does one request after the other, each in three parts:
 *
 * <ol>
 *   <li>{@link Requests#take} finds the next one, with the machine lock held;
 *   <li>{@link Request#work} does it without the lock, while the guest and other devices go on;
 *   <li>{@link Request#complete} tells the guest, with the machine lock held.
 * </ol>
 *
 * <p>When the machine stands for a snapshot or a restore, each request is either not begun or
 * complete. So a device has nothing to save of one under way. A restored device that may have
 * requests waiting calls {@link #wake}.
 *
 * <p>Under virtual time there is no thread: requests are done between two instructions, with the
 * machine lock held, so that a run repeats.
 */
public interface DeviceWorker {

  /** Where its requests come from. */
  @FunctionalInterface
  interface Requests {

    /** The next request, if one waits; it is begun then. With the machine lock held. */
    Optional<Request> take();
  }

  /** A request that was begun. */
  interface Request {

    /**
     * Does it. On the worker's thread, without the machine lock: it may wait for the host, and
     * reach guest memory. What it throws ends the machine as crashed.
     */
    void work();

    /** Tells the device, and the guest, that it is done. With the machine lock held. */
    void complete();
  }

  /** Has it look for requests. Any thread. */
  void wake();

  /**
   * Does something when no request is under way, and begins none before: what a reset of the device
   * waits for. At once if none is under way.
   *
   * @param action called with the machine lock held
   */
  void whenIdle(Runnable action);
}

package io.vmm4j.devices.virtio;

import java.util.Optional;

/**
 * A queue of buffers between driver and device (virtio 1.2, 2.6), as the device sees it: split or
 * packed. With the machine lock held.
 *
 * <p>Everything in it is the driver's to forge. What can't be is a {@link BadQueueException}; the
 * device then stops and asks for a reset.
 */
public sealed interface Virtqueue permits SplitQueue, PackedQueue {
  /** Queues are no longer than this (virtio 1.2, 2.6). */
  int MOST_DESCRIPTORS = 32768;

  /** The most bytes of the buffers of one chain. */
  long MOST_CHAIN_BYTES = 1L << 30;

  /** The next chain of buffers that the driver has made available, if there is one. */
  Optional<Chain> take();

  /**
   * Gives a chain back.
   *
   * @param written how many bytes of the buffers to be written the device has written
   */
  void giveBack(Chain chain, long written);

  /** Whether the driver wants an interrupt for what was given back since the last call. */
  boolean wantsInterrupt();

  /**
   * Says that the device would like to be notified of the next chain.
   *
   * @return false if there is one already
   */
  boolean awaitNotification();

  /**
   * Says that the device would like to be notified of what is made available from now on, whatever
   * waits already.
   */
  void awaitFurther();

  /** What of it a snapshot needs: everything else lies in the guest's memory. */
  QueuePosition position();
}

package io.vmm4j.devices.virtio;

/**
 * What a kind of virtio device does, behind the transport. With the machine lock held.
 *
 * <p>No method is called in a way that the driver could forge: queue numbers are those of queues,
 * offsets lie within the device's configuration.
 */
public interface VirtioFunction {

  /** The features that it offers, those of the transport and the queues apart. */
  long features();

  /** The size of each of its queues in descriptors, a power of 2. */
  int[] queueSizes();

  /** Its configuration as the driver sees it now, little-endian. */
  byte[] configuration();

  /** The driver stores a byte of the configuration. */
  default void configure(int offset, int value) {}

  /** The driver is ready: queues may be used. */
  default void start(long features) {}

  /** There may be something in a queue. */
  void notified(int queue);

  /**
   * Ends all requests, and then says so: the device is reset when {@code done} has run, within this
   * call or later.
   */
  default void stop(Runnable done) {
    done.run();
  }
}

package io.vmm4j.devices.virtio;

/**
 * How far a device has come in a queue.
 *
 * @param available of a split queue, the index that is looked at next, 0 to 65535; of a packed one
 *     the place in the ring, with the wrap counter in bit 15
 * @param used the same for what is given back next
 * @param signalled up to where the driver has been told of
 */
public record QueuePosition(int available, int used, int signalled) {
  /** At the beginning of a split queue. */
  static final QueuePosition SPLIT = new QueuePosition(0, 0, 0);

  /** At the beginning of a packed queue: the wrap counters are 1. */
  static final QueuePosition PACKED = new QueuePosition(1 << 15, 1 << 15, 1 << 15);

  /** Checks ranges. */
  public QueuePosition {
    require("available", available);
    require("used", used);
    require("signalled", signalled);
  }

  private static void require(String name, int value) {
    if (value < 0 || value > 0xFFFF) {
      throw new IllegalArgumentException("%s: %d is not 0 to 65535".formatted(name, value));
    }
  }
}

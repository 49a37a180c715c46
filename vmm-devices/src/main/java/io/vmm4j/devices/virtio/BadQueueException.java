package io.vmm4j.devices.virtio;

import io.vmm4j.api.VmException;
import io.vmm4j.api.memory.GuestMemoryException;
import java.util.function.Supplier;

/** A queue holds what no driver may put there; the message says what and where. */
public final class BadQueueException extends VmException {
  private static final long serialVersionUID = 1L;

  /** Says what is wrong. */
  public BadQueueException(String message) {
    super(message);
  }

  /** What an access to the parts of a queue gives, which may lie where there is no memory. */
  static <T> T guarded(Supplier<T> access) {
    try {
      return access.get();
    } catch (GuestMemoryException e) {
      throw new BadQueueException("a ring: " + e.getMessage());
    }
  }

  /** Does an access to the buffers of a chain, which may have gone meanwhile. */
  static void inBuffers(Runnable access) {
    try {
      access.run();
    } catch (GuestMemoryException e) {
      throw new BadQueueException("a buffer: " + e.getMessage());
    }
  }
}

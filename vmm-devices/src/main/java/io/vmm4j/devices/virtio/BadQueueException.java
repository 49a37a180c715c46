package io.vmm4j.devices.virtio;

import io.vmm4j.api.VmException;

/** A queue holds what no driver may put there; the message says what and where. */
public final class BadQueueException extends VmException {
  private static final long serialVersionUID = 1L;

  /** Says what is wrong. */
  public BadQueueException(String message) {
    super(message);
  }
}

package io.vmm4j.api.backend;

import io.vmm4j.api.VmException;

/**
 * Thrown by a vCPU where the host could not give a page of the machine's memory, and the backend
 * heard of it otherwise than by the fault of a mapping. The machine names the file system.
 */
public final class MemoryFaultException extends VmException {
  private static final long serialVersionUID = 1L;

  /** An error with a message that names the call, and its cause. */
  public MemoryFaultException(String message, Throwable cause) {
    super(message, cause);
  }
}

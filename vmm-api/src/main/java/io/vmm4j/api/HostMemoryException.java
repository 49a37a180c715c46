package io.vmm4j.api;

/**
 * The host could not give a machine memory that it was promised: the file system that holds it has
 * no room left, or the file that it is mapped from was cut. The message names the file system or
 * the file. What was asked of the machine has failed; a guest that meets the same ends as {@link
 * VmExit.Crashed} with the same words.
 */
public final class HostMemoryException extends VmException {
  private static final long serialVersionUID = 1L;

  /** An error with its cause. */
  public HostMemoryException(String message, Throwable cause) {
    super(message, cause);
  }
}

package io.vmm4j.api;

/**
 * Input could not be sent to a guest's console: the guest has taken none for too long, the sender
 * was interrupted, or the machine was taken to a snapshot meanwhile. The message says which.
 */
public final class ConsoleInputException extends VmException {
  private static final long serialVersionUID = 1L;

  private final int bytesSent;

  /** A complete message, and how many bytes were sent before. */
  public ConsoleInputException(String message, int bytesSent) {
    super(message);
    this.bytesSent = bytesSent;
  }

  /** How many of the bytes were sent, from the first on; the rest was not. */
  public int bytesSent() {
    return bytesSent;
  }
}

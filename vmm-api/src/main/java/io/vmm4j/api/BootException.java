package io.vmm4j.api;

/** A boot image that can't be loaded; the message says what was expected and what was found. */
public final class BootException extends VmException {
  private static final long serialVersionUID = 1L;

  /** Names the image and what is wrong with it. */
  public BootException(String message) {
    super(message);
  }

  /** With the cause, such as a failure to read the file. */
  public BootException(String message, Throwable cause) {
    super(message, cause);
  }
}

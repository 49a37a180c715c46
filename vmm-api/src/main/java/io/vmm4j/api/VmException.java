package io.vmm4j.api;

/**
 * The root of every error this library reports by type. Its message is {@linkplain PrintableText
 * printable}, wherever its parts came from.
 */
public class VmException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** An error with a message that names the thing at fault. */
  public VmException(String message) {
    super(PrintableText.of(message));
  }

  /** An error with its cause. */
  public VmException(String message, Throwable cause) {
    super(PrintableText.of(message), cause);
  }
}

package io.vmm4j.software.differential;

/** A processor can't be had here; the message says why. */
final class UnavailableException extends RuntimeException {
  private static final long serialVersionUID = 1;

  UnavailableException(String reason) {
    super(reason);
  }
}

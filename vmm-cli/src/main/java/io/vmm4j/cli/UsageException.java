package io.vmm4j.cli;

/** A command line that is well formed but asks for something that can't be; ends with code 2. */
final class UsageException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Names the option at fault. */
  UsageException(String message) {
    super(message);
  }
}

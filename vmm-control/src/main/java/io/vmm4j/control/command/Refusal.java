package io.vmm4j.control.command;

import io.vmm4j.api.VmException;
import io.vmm4j.control.protocol.ErrorType;

/** A command that can't be done, with the type that the reply gives. */
final class Refusal extends VmException {
  private static final long serialVersionUID = 1L;

  private final ErrorType type;

  Refusal(ErrorType type, String message) {
    super(message);
    this.type = type;
  }

  Refusal(ErrorType type, String message, Throwable cause) {
    super(message, cause);
    this.type = type;
  }

  ErrorType type() {
    return type;
  }
}

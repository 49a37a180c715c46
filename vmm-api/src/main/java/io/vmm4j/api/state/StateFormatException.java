package io.vmm4j.api.state;

import io.vmm4j.api.VmException;

/** Fields that don't make the record they are meant for; the message names the field. */
public final class StateFormatException extends VmException {
  private static final long serialVersionUID = 1L;

  /** Names the record and the field. */
  public StateFormatException(String message) {
    super(message);
  }

  /** With the cause, such as a record's own check of its values. */
  public StateFormatException(String message, Throwable cause) {
    super(message, cause);
  }
}

package io.vmm4j.api.debug;

import io.vmm4j.api.VmException;

/** The machine's backend has no support for debuggers. */
public final class DebuggingUnsupportedException extends VmException {
  private static final long serialVersionUID = 1L;

  /** Names the backend. */
  public DebuggingUnsupportedException(String backend) {
    super("the backend '%s' does not support debugging; 'software' does".formatted(backend));
  }
}

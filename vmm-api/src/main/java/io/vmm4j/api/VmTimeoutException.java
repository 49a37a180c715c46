package io.vmm4j.api;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Something did not happen within the time given for it. */
public final class VmTimeoutException extends VmException {
  private static final long serialVersionUID = 1L;

  /** Names what was awaited and how long. */
  public VmTimeoutException(String awaited, Duration timeout) {
    super(awaited + " did not happen within " + TimeUnit.MILLISECONDS.convert(timeout) + " ms");
  }
}

package io.vmm4j.api;

/**
 * A console did not show what was expected: the time is over or the machine has ended. The message
 * carries what was awaited, the time passed, the last lines, and the vCPU's state.
 */
public final class ConsoleExpectationException extends VmException {
  private static final long serialVersionUID = 1L;

  private final boolean machineEnded;

  /** A complete message, and whether the machine's end was the reason. */
  public ConsoleExpectationException(String message, boolean machineEnded) {
    super(message);
    this.machineEnded = machineEnded;
  }

  /** Whether it failed because the machine ended, rather than by time. */
  public boolean machineEnded() {
    return machineEnded;
  }
}

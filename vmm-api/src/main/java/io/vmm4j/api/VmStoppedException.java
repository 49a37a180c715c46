package io.vmm4j.api;

/** The machine has ended, so that what was asked can't be done. */
public final class VmStoppedException extends VmException {
  private static final long serialVersionUID = 1L;

  private final transient VmExit exit;

  /** Says what was asked and how the machine ended. */
  public VmStoppedException(String asked, VmExit exit) {
    super("cannot " + asked + ": the machine has ended: " + exit);
    this.exit = exit;
  }

  /** How the machine ended. */
  public VmExit exit() {
    return exit;
  }
}

package io.vmm4j.api.device;

/** A range of ports or of guest physical addresses whose accesses reach one handler. */
public interface AddressClaim {

  /**
   * Moves it, and makes it active.
   *
   * @return false if the new place overlaps another claim or memory: the old place is kept
   */
  boolean moveTo(long base);

  /** Takes it off the bus; {@link #moveTo} brings it back. */
  void disable();

  /** Where it begins, or -1 while off the bus. */
  long base();
}

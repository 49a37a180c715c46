package io.vmm4j.api.device;

/** What drives the INTR pin: answers the processor's interrupt acknowledge cycle. */
public interface ExternalInterruptSource {

  /**
   * The vector of the highest request, 0 to 255, which is now in service; a spurious one if none.
   */
  int acknowledge();
}

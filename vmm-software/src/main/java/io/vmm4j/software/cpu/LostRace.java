package io.vmm4j.software.cpu;

/**
 * A locked access that could not be made in one step, on its way to {@link LockedOps}: nothing of
 * the guest's but flags has changed. It has no stack trace and is allocated once for each vCPU.
 */
final class LostRace extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private boolean misaligned;

  LostRace() {
    super("a locked access is to be made again", null, false, false);
  }

  /** Another vCPU has changed the operand since it was read. */
  LostRace changed() {
    misaligned = false;
    return this;
  }

  /** The operand is not where the host can access it in one step. */
  LostRace misaligned() {
    misaligned = true;
    return this;
  }

  boolean isMisaligned() {
    return misaligned;
  }
}

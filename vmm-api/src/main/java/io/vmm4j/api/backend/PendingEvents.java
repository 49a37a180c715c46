package io.vmm4j.api.backend;

/**
 * Events on their way between two instructions.
 *
 * @param exceptionVector an exception that was raised and not yet delivered, or -1
 * @param exceptionHasErrorCode whether it carries an error code
 * @param exceptionErrorCode the error code
 * @param interruptVector an interrupt that was acknowledged and not yet delivered, or -1
 * @param nmiPending an NMI waits
 * @param nmiBlocked NMIs are blocked until IRET
 * @param shadowSti the next instruction is in the shadow of STI
 * @param shadowMovSs the next instruction is in the shadow of MOV SS or POP SS
 * @param initPending an INIT message waits
 * @param startupVector the vector of a start-up message that waits, or -1
 */
public record PendingEvents(
    int exceptionVector,
    boolean exceptionHasErrorCode,
    int exceptionErrorCode,
    int interruptVector,
    boolean nmiPending,
    boolean nmiBlocked,
    boolean shadowSti,
    boolean shadowMovSs,
    boolean initPending,
    int startupVector) {

  /** Nothing pending or blocked. */
  public static PendingEvents none() {
    return new PendingEvents(-1, false, 0, -1, false, false, false, false, false, -1);
  }
}

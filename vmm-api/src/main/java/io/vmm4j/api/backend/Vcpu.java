package io.vmm4j.api.backend;

/**
 * One virtual processor. {@code run}, {@code save} and {@code restore} are called by one thread at
 * a time; {@code kick} by any.
 */
public interface Vcpu {

  /** Why {@link #run} returned. */
  enum StopReason {
    /** The budget is spent. */
    BUDGET,
    /** It waits for an interrupt (HLT, or an application processor for its start-up message). */
    HALTED,
    /** {@link #kick} was called. */
    KICKED,
    /** A triple fault. */
    SHUTDOWN
  }

  /**
   * Runs guest instructions on the calling thread.
   *
   * @param instructionBudget the most instructions to run, exactly honoured by a backend that
   *     counts them; {@link Long#MAX_VALUE} for no limit
   */
  StopReason run(long instructionBudget);

  /**
   * Makes a present {@code run}, or the next one if none is under way, return {@code KICKED} after
   * the current instruction. From any thread; several kicks before a return count as one.
   */
  void kick();

  /** Whether an interrupt waits that would end its HLT. */
  boolean hasWork();

  /**
   * Whether maskable interrupts are enabled. A halted vCPU of which they are not can only be woken
   * by NMI, INIT or a start-up message.
   */
  boolean takesInterrupts();

  /**
   * Registers what to call, from any thread, when an event arrives that ends HLT.
   *
   * @param listener called without any lock
   */
  void onWake(Runnable listener);

  /** Instructions executed since it was made or restored, or -1 if the backend does not count. */
  long instructionsExecuted();

  /** The architectural state. Only while it does not run. */
  CpuState save();

  /**
   * Takes on a state. Only while it does not run.
   *
   * @throws io.vmm4j.api.SnapshotException.Incompatible if it can't be taken on; named
   */
  void restore(CpuState state);
}

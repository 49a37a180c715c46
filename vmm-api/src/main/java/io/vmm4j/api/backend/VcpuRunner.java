package io.vmm4j.api.backend;

/**
 * What one thread of a machine runs: a vCPU, or several of them in turn. {@code run} is called by
 * one thread at a time; {@code kick} by any.
 */
public interface VcpuRunner {

  /** Why {@link #run} returned. */
  enum StopReason {
    /** The budget is spent. */
    BUDGET,
    /**
     * Every vCPU waits for an interrupt (HLT, or an application processor for its start-up
     * message).
     */
    HALTED,
    /** {@link #kick} was called. */
    KICKED,
    /** A triple fault. */
    SHUTDOWN,
    /** A breakpoint or a step of {@link Vcpu#debug}. */
    DEBUG
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

  /** Whether an interrupt waits that would end a HLT, or one of several vCPUs does not halt. */
  boolean hasWork();

  /**
   * Whether maskable interrupts are enabled, on one of them at least. A halted vCPU of which they
   * are not can only be woken by NMI, INIT or a start-up message.
   */
  boolean takesInterrupts();

  /**
   * Registers what to call, from any thread, when an event arrives that ends HLT.
   *
   * @param listener called without any lock
   */
  void onWake(Runnable listener);

  /** The index of the vCPU that runs or ran last, for messages. */
  int lastVcpu();
}

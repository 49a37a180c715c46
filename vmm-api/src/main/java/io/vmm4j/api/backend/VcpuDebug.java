package io.vmm4j.api.backend;

import io.vmm4j.api.debug.Breakpoint;
import io.vmm4j.api.debug.DebugStop;
import java.util.Optional;
import java.util.Set;

/** What a vCPU does for a debugger. None of it is architectural state, nor seen by the guest. */
public interface VcpuDebug {

  /**
   * Takes on the breakpoints, in place of those before. While no vCPU runs; all vCPUs are given the
   * same.
   *
   * @param breakpoints in the order in which they were set
   * @throws IllegalArgumentException if the processor has no means for one; those before are kept
   */
  void breakpoints(Set<Breakpoint> breakpoints);

  /**
   * Makes {@link VcpuRunner#run} return {@link VcpuRunner.StopReason#DEBUG} after one instruction,
   * or no longer. From any thread.
   */
  void step(boolean one);

  /**
   * Has the vCPU stand while the machine runs: it executes nothing, whatever arrives, until it is
   * let go, which may be while the machine runs. A {@link VcpuRunner} of which all vCPUs stand has
   * no work and takes no interrupts.
   */
  void standStill(boolean still);

  /** Why {@code run} has returned {@code DEBUG}, once for each time. From any thread. */
  Optional<DebugStop> takeStop();
}

package io.vmm4j.api.backend;

import java.util.Optional;

/** One virtual processor. {@code run}, {@code save} and {@code restore} exclude one another. */
public interface Vcpu extends VcpuRunner {

  /** Instructions executed since it was made or restored, or -1 if the backend does not count. */
  long instructionsExecuted();

  /** What it does for a debugger; empty if the backend has no support for one. */
  default Optional<VcpuDebug> debug() {
    return Optional.empty();
  }

  /** The architectural state. Only while it does not run. */
  CpuState save();

  /**
   * Takes on a state. Only while it does not run.
   *
   * @throws io.vmm4j.api.SnapshotException.Incompatible if it can't be taken on; named
   */
  void restore(CpuState state);
}

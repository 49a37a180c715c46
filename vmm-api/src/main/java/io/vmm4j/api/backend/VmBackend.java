package io.vmm4j.api.backend;

import java.util.List;

/** Executes guest instructions. Found by the engine through {@link java.util.ServiceLoader}. */
public interface VmBackend {

  /** Its name on the command line: {@code software} or {@code kvm}. */
  String name();

  /** Which is chosen first where several can run: the highest. */
  int preference();

  /** Whether it can run here, and why not. Cheap; leaves nothing open. */
  BackendProbe probe();

  /**
   * The part of some CPUID leaves that it can give here: features that the host lacks are not
   * claimed any more. Only if {@link #probe} says it can run.
   */
  default List<CpuidLeaf> possible(List<CpuidLeaf> wanted) {
    return wanted;
  }

  /**
   * The frequency of a guest's time-stamp counter, in Hz, that it can give here instead of a wanted
   * one: the same, unless the host's counter can't be scaled. Only if {@link #probe} says it can
   * run.
   */
  default long possibleTscFrequencyHz(long wanted) {
    return wanted;
  }

  /**
   * Opens the processors' side of one machine.
   *
   * @throws io.vmm4j.api.BackendUnavailableException if it can't run here
   * @throws io.vmm4j.api.SnapshotException.Incompatible if the host can't give the guest what it is
   *     told to have: CPUID, frequency of the time-stamp counter; named
   */
  BackendMachine open(BackendHost host);
}

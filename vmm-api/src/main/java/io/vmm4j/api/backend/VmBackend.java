package io.vmm4j.api.backend;

/** Executes guest instructions. Found by the engine through {@link java.util.ServiceLoader}. */
public interface VmBackend {

  /** Its name on the command line: {@code software} or {@code kvm}. */
  String name();

  /** Which is chosen first where several can run: the highest. */
  int preference();

  /** Whether it can run here, and why not. Cheap; leaves nothing open. */
  BackendProbe probe();

  /**
   * Opens the processors' side of one machine.
   *
   * @throws io.vmm4j.api.BackendUnavailableException if it can't run here
   */
  BackendMachine open(BackendHost host);
}

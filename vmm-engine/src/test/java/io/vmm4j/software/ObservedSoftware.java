package io.vmm4j.software;

import io.vmm4j.api.backend.BackendHost;
import io.vmm4j.api.backend.BackendMachine;
import io.vmm4j.api.backend.BackendProbe;
import io.vmm4j.api.backend.VmBackend;
import io.vmm4j.software.cpu.KnownBlocks;
import io.vmm4j.software.machinecode.MachineCode;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The software backend, of whose last machine the machine code can be looked at. */
public final class ObservedSoftware implements VmBackend {
  private final SoftwareBackend software = new SoftwareBackend();
  private @Nullable SoftwareMachine machine;

  @Override
  public String name() {
    return software.name();
  }

  @Override
  public int preference() {
    return software.preference();
  }

  @Override
  public BackendProbe probe() {
    return software.probe();
  }

  @Override
  public BackendMachine open(BackendHost host) {
    machine = new SoftwareMachine(host, new KnownBlocks(0));
    return machine;
  }

  /** The machine code of the machine that was opened last. */
  public MachineCode machineCode() {
    return Objects.requireNonNull(Objects.requireNonNull(machine).machineCode());
  }
}

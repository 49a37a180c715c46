package io.vmm4j.engine.software;

import io.vmm4j.api.backend.BackendHost;
import io.vmm4j.api.backend.BackendMachine;
import io.vmm4j.api.backend.BackendProbe;
import io.vmm4j.api.backend.VmBackend;
import io.vmm4j.engine.software.machinecode.MachineCode;

/** The software processor: runs wherever a JVM does, and faster where machine code may be made. */
public final class SoftwareBackend implements VmBackend {

  /** For {@link java.util.ServiceLoader}. */
  public SoftwareBackend() {}

  @Override
  public String name() {
    return "software";
  }

  @Override
  public int preference() {
    return 0;
  }

  @Override
  public BackendProbe probe() {
    return new BackendProbe(
        true,
        MachineCode.missing()
            .map(reason -> "Java interpreter; no machine code: " + reason)
            .orElse("Java interpreter and, unless it is off, machine code"));
  }

  @Override
  public BackendMachine open(BackendHost host) {
    return new SoftwareMachine(host);
  }
}

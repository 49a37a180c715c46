package io.vmm4j.engine.software;

import io.vmm4j.api.backend.BackendHost;
import io.vmm4j.api.backend.BackendMachine;
import io.vmm4j.api.backend.Vcpu;
import io.vmm4j.engine.software.apic.ApicBus;
import java.util.ArrayList;
import java.util.List;

/** The vCPUs of one machine and the bus between their local APICs. */
final class SoftwareMachine implements BackendMachine {
  private final List<SoftwareVcpu> vcpus = new ArrayList<>();
  private final ApicBus apics = new ApicBus();

  SoftwareMachine(BackendHost host) {
    for (int i = 0; i < host.cpus(); i++) {
      SoftwareVcpu vcpu = new SoftwareVcpu(i, host);
      vcpus.add(vcpu);
      apics.add(vcpu.apic());
    }
  }

  @Override
  public Vcpu vcpu(int index) {
    return vcpus.get(index);
  }

  @Override
  public void memoryMapChanged() {
    vcpus.forEach(SoftwareVcpu::memoryMapChanged);
  }

  @Override
  public void memoryWritten(long offset, long length) {
    vcpus.forEach(vcpu -> vcpu.memoryWritten(offset, length));
  }

  @Override
  public void harvestWrites() {
    vcpus.forEach(SoftwareVcpu::harvestWrites);
  }

  @Override
  public void sendMessage(long address, int data) {
    apics.deliverMessage(address, data);
  }

  @Override
  public void setExternalInterrupt(boolean asserted) {
    vcpus.getFirst().apic().setExternalInterrupt(asserted);
  }

  @Override
  public void nonMaskableInterrupt() {
    vcpus.getFirst().apic().nonMaskableInterrupt();
  }

  @Override
  public void close() {
    // Nothing but heap, which goes with the references.
  }
}

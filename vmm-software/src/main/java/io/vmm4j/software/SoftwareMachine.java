package io.vmm4j.software;

import io.vmm4j.api.BackendUnavailableException;
import io.vmm4j.api.Translation;
import io.vmm4j.api.backend.BackendHost;
import io.vmm4j.api.backend.BackendMachine;
import io.vmm4j.api.backend.Vcpu;
import io.vmm4j.api.backend.VcpuRunner;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.software.apic.ApicBus;
import io.vmm4j.software.cpu.DecodedCode;
import io.vmm4j.software.cpu.KnownBlocks;
import io.vmm4j.software.machinecode.MachineCode;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The vCPUs of one machine, which share their decoded code, and the bus between their local APICs.
 *
 * <p>Under virtual time they take turns on one thread, so that a run repeats. Under real time each
 * has a thread of its own, unless there is only one processor to run them on.
 */
final class SoftwareMachine implements BackendMachine {
  /** See {@link Translation#AUTO}. */
  private static final String PROPERTY = "vmm4j.translation";

  /**
   * How several vCPUs of a machine with real time run: {@code parallel}, {@code turns}, or {@code
   * auto}. For tests and to narrow down errors.
   */
  private static final String VCPUS_PROPERTY = "vmm4j.vcpus";

  private static final Logger LOG = LoggerFactory.getLogger(SoftwareMachine.class);
  private final MemorySegment memory;
  private final DecodedCode code;
  private final List<SoftwareVcpu> vcpus = new ArrayList<>();
  private final ApicBus apics = new ApicBus();
  private final List<VcpuRunner> runners;
  private final @Nullable MachineCode machineCode;

  /**
   * The vCPUs of a machine.
   *
   * @param known the blocks that machines with like processors share
   */
  SoftwareMachine(BackendHost host, KnownBlocks known) {
    memory = host.memory();
    boolean parallel = runsInParallel(host);
    machineCode = machineCode(host, parallel ? null : known);
    code =
        parallel
            ? DecodedCode.ofParallel(host.memory().byteSize())
            : new DecodedCode(host.memory().byteSize(), machineCode == null ? null : known);
    for (int i = 0; i < host.cpus(); i++) {
      SoftwareVcpu vcpu = new SoftwareVcpu(i, host, code, machineCode);
      vcpus.add(vcpu);
      apics.add(vcpu.apic());
    }
    boolean takeTurns = vcpus.size() > 1 && !parallel;
    this.runners = takeTurns ? List.of(new TurnTaking(vcpus, host.clock())) : List.copyOf(vcpus);
  }

  private static boolean runsInParallel(BackendHost host) {
    if (host.cpus() == 1 || host.clock().mode() == ClockMode.VIRTUAL) {
      return false;
    }
    String how = System.getProperty(VCPUS_PROPERTY, "auto");
    return how.equals("parallel")
        || !how.equals("turns") && Runtime.getRuntime().availableProcessors() > 1;
  }

  private static @Nullable MachineCode machineCode(BackendHost host, @Nullable KnownBlocks known) {
    boolean off = System.getProperty(PROPERTY, "auto").equals("off");
    if (host.translation() == Translation.OFF || host.translation() == Translation.AUTO && off) {
      return null;
    }
    Optional<String> missing = MachineCode.missing(); // which the backend's probe has told
    try {
      if (missing.isEmpty()) {
        return MachineCode.open(host, known);
      }
    } catch (UnsupportedOperationException e) {
      missing = Optional.of(String.valueOf(e.getMessage()));
      LOG.warn("the interpreter executes the guest: no machine code, {}", e.getMessage());
    }
    if (host.translation() == Translation.REQUIRED) {
      throw new BackendUnavailableException("software", "no machine code: " + missing.orElse(""));
    }
    return null;
  }

  /** The machine code, for tests; null if there is none. */
  @Nullable MachineCode machineCode() {
    return machineCode;
  }

  @Override
  public Vcpu vcpu(int index) {
    return vcpus.get(index);
  }

  @Override
  public List<VcpuRunner> runners() {
    return runners;
  }

  @Override
  public void memoryMapChanged() {
    vcpus.forEach(SoftwareVcpu::memoryMapChanged);
    if (code.isParallel()) {
      code.threads().await(); // then none uses the old map
    }
  }

  @Override
  public void memoryWritten(long offset, long length) {
    code.writtenByOthers(offset, length);
  }

  @Override
  public boolean releasePages(long offset, long length, boolean shared) {
    return machineCode != null && MachineCode.releasePages(memory.asSlice(offset, length), shared);
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
  public Map<String, Long> metrics() {
    Map<String, Long> counters = new LinkedHashMap<>();
    if (machineCode != null) {
      machineCode.count(counters);
    }
    return counters;
  }

  @Override
  public void close() {
    if (machineCode != null) {
      machineCode.close();
    }
  }
}

package io.vmm4j.software;

import io.vmm4j.api.backend.BackendHost;
import io.vmm4j.api.backend.BackendMachine;
import io.vmm4j.api.backend.BackendProbe;
import io.vmm4j.api.backend.CpuidLeaf;
import io.vmm4j.api.backend.VmBackend;
import io.vmm4j.software.cpu.KnownBlocks;
import io.vmm4j.software.machinecode.MachineCode;
import java.lang.ref.SoftReference;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The software processor: runs wherever a JVM does, and faster where machine code may be made. */
public final class SoftwareBackend implements VmBackend {

  /** Of the heap, for each kind of processor: two to three boots of Linux. */
  private static final long MOST_KNOWN_BYTES = 128L << 20;

  private final Map<List<CpuidLeaf>, SoftReference<KnownBlocks>> known = new ConcurrentHashMap<>();

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
    return new SoftwareMachine(host, known(host.cpuid()));
  }

  /** What is known of blocks for processors of a kind, as long as the heap has room for it. */
  private KnownBlocks known(List<CpuidLeaf> processor) {
    SoftReference<KnownBlocks> kept = known.get(processor);
    KnownBlocks blocks = kept == null ? null : kept.get();
    if (blocks == null) {
      blocks = new KnownBlocks(MOST_KNOWN_BYTES);
      known.put(processor, new SoftReference<>(blocks));
    }
    return blocks;
  }
}

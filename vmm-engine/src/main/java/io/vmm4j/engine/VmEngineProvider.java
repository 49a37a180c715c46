package io.vmm4j.engine;

import io.vmm4j.api.InvalidSpecException;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.SnapshotResolver;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmEngine;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.backend.VmBackend;
import io.vmm4j.engine.machine.DeviceCatalog;
import io.vmm4j.engine.machine.MachineBoot;
import io.vmm4j.engine.machine.MachineFactory;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;

/** The engine as {@link java.util.ServiceLoader} finds it. Safe for any thread. */
public final class VmEngineProvider implements VmEngine {
  private final MachineFactory machines;

  /** An engine of the devices, boards and backends that are present. */
  public VmEngineProvider() {
    this(DeviceCatalog.load(), new BootLoaders());
  }

  /** An engine of chosen parts. */
  public VmEngineProvider(DeviceCatalog catalog, MachineBoot boot) {
    this.machines = new MachineFactory(catalog, boot);
  }

  @Override
  public List<VmBackend> backends() {
    return machines.catalog().backends();
  }

  @Override
  public List<InvalidSpecException.Fault> check(VmSpec spec) {
    return machines.check(spec);
  }

  @Override
  public Vm create(VmSpec spec) {
    return machines.create(spec);
  }

  @Override
  public Snapshot read(InputStream in, SnapshotLimits limits, SnapshotResolver parents)
      throws IOException {
    return machines.read(in, limits, parents);
  }

  @Override
  public Snapshot read(Path file, SnapshotLimits limits, SnapshotResolver parents)
      throws IOException {
    return machines.read(file, limits, parents);
  }
}

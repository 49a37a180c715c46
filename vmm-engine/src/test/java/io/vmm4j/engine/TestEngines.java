package io.vmm4j.engine;

import io.vmm4j.api.VmEngine;
import io.vmm4j.api.backend.VmBackend;
import io.vmm4j.engine.machine.DeviceCatalog;
import java.util.List;

/** Engines for tests. */
public final class TestEngines {
  private TestEngines() {}

  /** An engine whose machines have one backend to choose from. */
  public static VmEngine with(VmBackend backend) {
    DeviceCatalog present = DeviceCatalog.load();
    return new VmEngineProvider(
        new DeviceCatalog(present.factories(), present.boards(), List.of(backend)),
        new BootLoaders());
  }
}

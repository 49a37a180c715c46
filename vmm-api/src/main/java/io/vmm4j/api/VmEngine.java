package io.vmm4j.api;

import io.vmm4j.api.backend.VmBackend;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.ServiceLoader;

/**
 * What builds and runs machines, found through {@link ServiceLoader}: the module {@code
 * io.vmm4j.engine}. Users call {@link Vm} and {@link Snapshot} instead.
 */
public interface VmEngine {

  /**
   * The engine that is present.
   *
   * @throws VmException if there is none
   */
  static VmEngine get() {
    return ServiceLoader.load(VmEngine.class)
        .findFirst()
        .or(() -> ServiceLoader.load(VmEngine.class, VmEngine.class.getClassLoader()).findFirst())
        .orElseThrow(
            () -> new VmException("no engine is present: put vmm-engine on the module path"));
  }

  /** Every backend, the most preferred first. */
  List<VmBackend> backends();

  /** The faults of a specification that only the engine can see, such as unknown devices. */
  List<InvalidSpecException.Fault> check(VmSpec spec);

  /** Builds a machine, paused before its first instruction. */
  Vm create(VmSpec spec);

  /** Reads a snapshot from a stream, to its footer and not further, and its parents. */
  Snapshot read(InputStream in, SnapshotLimits limits, SnapshotResolver parents) throws IOException;

  /** Reads a snapshot from a file, and its parents. */
  Snapshot read(Path file, SnapshotLimits limits, SnapshotResolver parents) throws IOException;
}

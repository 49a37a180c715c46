package io.vmm4j.engine.boot;

import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.boot.LinuxBoot;

/**
 * Brings one boot source into a machine's memory. Used once, before any vCPU runs, by the thread
 * that starts the machine.
 */
public sealed interface BootLoader
    permits LinuxLoader,
        PvhLoader,
        MultibootLoader,
        FlatLoader,
        DetectingLoader,
        ResetVectorLoader {

  /**
   * Reads the files and writes guest memory.
   *
   * @return what the bootstrap processor starts with
   * @throws io.vmm4j.api.BootException if a file can't be read, is not what it should be, or does
   *     not fit; guest memory may have been written in part
   */
  CpuState load(BootTarget target);

  /** The loader of a boot source. */
  static BootLoader of(BootSource source) {
    return switch (source) {
      case LinuxBoot linux -> new LinuxLoader(linux);
      case BootSource.Pvh pvh -> new PvhLoader(pvh);
      case BootSource.Multiboot multiboot -> new MultibootLoader(multiboot);
      case BootSource.FlatRealMode flat -> new FlatLoader(flat);
      case BootSource.Detect detect -> new DetectingLoader(detect);
      case BootSource.ResetVector _ -> new ResetVectorLoader();
    };
  }

  /**
   * Whether the source is firmware, which brings its own tables: no ACPI tables are written then.
   */
  static boolean isFirmware(BootSource source) {
    return source instanceof BootSource.ResetVector;
  }
}

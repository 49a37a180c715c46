package io.vmm4j.api.boot;

import java.nio.file.Path;
import java.util.Optional;

/** What a machine starts from. Files are read when the machine is started, not before. */
public sealed interface BootSource
    permits BootSource.ResetVector,
        BootSource.Multiboot,
        BootSource.Pvh,
        BootSource.FlatRealMode,
        BootSource.Detect,
        LinuxBoot {

  /**
   * Starts nothing: the first processor waits at the reset vector of whatever memory and device
   * memory hold there. For firmware that a device (such as {@code bootrom}) brings.
   */
  record ResetVector() implements BootSource {}

  /**
   * A multiboot 1 kernel (Multiboot specification 0.6.96), an ELF or a flat image with the address
   * fields of its header.
   */
  record Multiboot(Path kernel, String commandLine) implements BootSource {}

  /** An ELF kernel with a PVH entry note (Xen x86/HVM direct boot ABI). */
  record Pvh(Path kernel, Optional<Path> initrd, String commandLine) implements BootSource {}

  /**
   * A flat image, copied to {@code address} and entered there in real mode, with CS = address >> 4,
   * IP = 0 and the other segments alike.
   *
   * @param address a multiple of 16, below 0x100000
   */
  record FlatRealMode(Path image, int address) implements BootSource {}

  /** Looks at the file: a bzImage, a PVH ELF, or a Multiboot kernel. */
  record Detect(Path kernel, Optional<Path> initrd, String commandLine) implements BootSource {}
}

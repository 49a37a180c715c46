package io.vmm4j.api.boot;

import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;

/**
 * A Linux kernel by the 64-bit boot protocol (Linux Documentation/arch/x86/boot.rst, from 2.12).
 *
 * @param kernel a bzImage
 * @param initrd an initial RAM disk
 * @param commandLine at most 2047 bytes
 * @param unpackOnHost whether a payload in a compression that the library reads is unpacked on the
 *     host, so that the guest starts in the kernel proper
 */
public record LinuxBoot(
    Path kernel, Optional<Path> initrd, String commandLine, boolean unpackOnHost)
    implements BootSource {

  /** Refuses absent parts. */
  public LinuxBoot {
    Objects.requireNonNull(kernel, "kernel");
    Objects.requireNonNull(initrd, "initrd");
    Objects.requireNonNull(commandLine, "commandLine");
  }

  /** This kernel, without initial RAM disk or command line. */
  public static LinuxBoot kernel(Path bzImage) {
    return new LinuxBoot(bzImage, Optional.empty(), "", true);
  }

  /** The same with an initial RAM disk. */
  public LinuxBoot initrd(Path file) {
    return new LinuxBoot(kernel, Optional.of(file), commandLine, unpackOnHost);
  }

  /** The same with a command line. */
  public LinuxBoot commandLine(String text) {
    return new LinuxBoot(kernel, initrd, text, unpackOnHost);
  }

  /** The same, unpacking on the host or by the kernel's own stub in the guest. */
  public LinuxBoot unpackOnHost(boolean unpack) {
    return new LinuxBoot(kernel, initrd, commandLine, unpack);
  }
}

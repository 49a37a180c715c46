package io.vmm4j.api.boot;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * A Linux kernel by the boot protocol of its version (Linux Documentation/arch/x86/boot.rst): the
 * 64-bit one where the kernel has it (from 2.12), else the 32-bit one (from 2.10), else the 16-bit
 * one, which enters the kernel's setup in real mode. There is no BIOS for such a setup to call; the
 * data that a BIOS leaves is there.
 *
 * @param kernel a bzImage, or an image with the setup header of one
 * @param initrds initial RAM disks, which the kernel finds one after the other, each on a multiple
 *     of 4 bytes
 * @param commandLine at most as long as the kernel says, which is 2047 bytes for most
 * @param unpackOnHost whether a payload in a compression that the library reads is unpacked on the
 *     host, so that the guest starts in the kernel proper
 */
public record LinuxBoot(Path kernel, List<Path> initrds, String commandLine, boolean unpackOnHost)
    implements BootSource {

  /** Refuses absent parts. */
  public LinuxBoot {
    Objects.requireNonNull(kernel, "kernel");
    Objects.requireNonNull(initrds, "initrds");
    initrds = List.copyOf(initrds);
    Objects.requireNonNull(commandLine, "commandLine");
  }

  /** Returns this kernel, without initial RAM disk or command line. */
  public static LinuxBoot kernel(Path bzImage) {
    return new LinuxBoot(bzImage, List.of(), "", true);
  }

  /** Returns the same with one more initial RAM disk. */
  public LinuxBoot initrd(Path file) {
    List<Path> more = new ArrayList<>(initrds);
    more.add(Objects.requireNonNull(file, "file"));
    return new LinuxBoot(kernel, more, commandLine, unpackOnHost);
  }

  /** Returns the same with another command line. */
  public LinuxBoot commandLine(String text) {
    return new LinuxBoot(kernel, initrds, text, unpackOnHost);
  }

  /** Returns the same, unpacking on the host or by the kernel's own stub in the guest. */
  public LinuxBoot unpackOnHost(boolean unpack) {
    return new LinuxBoot(kernel, initrds, commandLine, unpack);
  }
}

package io.vmm4j.engine.boot;

import io.vmm4j.api.BootException;
import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.boot.LinuxBoot;
import java.nio.file.Path;
import java.util.List;

/** Looks at the file and hands it to the loader of its format. */
final class DetectingLoader implements BootLoader {
  private final BootSource.Detect source;

  DetectingLoader(BootSource.Detect source) {
    this.source = source;
  }

  @Override
  public CpuState load(BootTarget target) {
    return choose().load(target);
  }

  private BootLoader choose() {
    try (ImageBytes image = ImageBytes.openKernel(source.kernel())) {
      if (LinuxHeader.hasMagic(image)) {
        return new LinuxLoader(
            new LinuxBoot(source.kernel(), initrds(), source.commandLine(), true));
      }
      // Xen's hypervisor has both headers, and its PVH entry is for a guest of another Xen.
      if (MultibootHeader.find(image).isPresent()) {
        return new MultibootLoader(
            new BootSource.Multiboot(source.kernel(), source.modules(), source.commandLine()));
      }
      boolean elf = ElfImage.isElf(image);
      if (elf && PvhLoader.entry(ElfImage.parse(image)).isPresent()) {
        return new PvhLoader(
            new BootSource.Pvh(source.kernel(), source.modules(), source.commandLine()));
      }
      throw image.fault(
          "expected a Linux bzImage (HdrS at 0x202), a Multiboot 1 kernel (0x1BADB002 in the first"
              + " 8 KiB), or an ELF kernel with a PVH note; found %s%s",
          ImageKind.describe(image), elf ? ", with neither" + MultibootHeader.remedy(image) : "");
    }
  }

  private List<Path> initrds() {
    for (BootSource.Module module : source.modules()) {
      if (!module.arguments().isEmpty()) {
        throw new BootException(
            "%s: an initial RAM disk of Linux takes no arguments; found '%s'"
                .formatted(module.file(), module.arguments()));
      }
    }
    return source.modules().stream().map(BootSource.Module::file).toList();
  }
}

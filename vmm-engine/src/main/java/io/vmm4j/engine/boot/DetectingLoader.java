package io.vmm4j.engine.boot;

import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.boot.LinuxBoot;

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
    try (ImageBytes image = ImageBytes.open(source.kernel())) {
      if (LinuxHeader.isBzImage(image)) {
        return new LinuxLoader(
            new LinuxBoot(source.kernel(), source.initrd(), source.commandLine(), true));
      }
      boolean elf = ElfImage.isElf(image);
      if (elf && PvhLoader.entry(ElfImage.parse(image)).isPresent()) {
        return new PvhLoader(
            new BootSource.Pvh(source.kernel(), source.initrd(), source.commandLine()));
      }
      if (MultibootHeader.find(image).isPresent()) {
        return new MultibootLoader(
            new BootSource.Multiboot(source.kernel(), source.commandLine()), source.initrd());
      }
      throw image.fault(
          "expected a Linux bzImage (HdrS at 0x202), an ELF kernel with a PVH note, or a Multiboot"
              + " 1 kernel (0x1BADB002 in the first 8 KiB); found %s%s",
          ImageKind.describe(image), elf ? ", with neither" : "");
    }
  }
}

package io.vmm4j.engine.boot;

import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.memory.GuestMemory;
import java.util.List;
import java.util.OptionalLong;

/**
 * An ELF kernel entered by the x86/HVM direct boot ABI of Xen (docs/misc/pvh.pandoc and
 * xen/include/public/arch-x86/hvm/start_info.h), as Linux, FreeBSD and unikernels offer it.
 */
final class PvhLoader implements BootLoader {
  private static final int XEN_ELFNOTE_PHYS32_ENTRY = 18;
  private static final int START_INFO_MAGIC = 0x336E_C578;
  private static final int START_INFO_BYTES = 56;
  private static final long MEMORY_MAP = BootArea.INFORMATION + 0x100;
  private static final long MODULE_LIST = BootArea.INFORMATION + 0x200;
  private static final int MODULE_BYTES = 32;
  private static final int MAX_MODULES =
      (int) ((BootArea.BOOT_PARAMS - MODULE_LIST) / MODULE_BYTES);

  private final BootSource.Pvh source;

  PvhLoader(BootSource.Pvh source) {
    this.source = source;
  }

  /** The entry point that the note tells, if there is one. */
  static OptionalLong entry(ElfImage elf) {
    return elf.note("Xen", XEN_ELFNOTE_PHYS32_ENTRY);
  }

  @Override
  public CpuState load(BootTarget target) {
    try (ImageBytes image = ImageBytes.openKernel(source.kernel())) {
      ElfImage elf = ElfImage.parse(image);
      long entry =
          entry(elf)
              .orElseThrow(() ->
                  image.fault(
                      "expected a PVH entry (note Xen, type 18), found %s without one",
                      ImageKind.describe(image)));
      long end = elf.load(target);
      if (entry != (entry & 0xFFFF_FFFFL) || !target.ram().contains(entry, 1)) {
        throw image.fault("the PVH entry 0x%x (note Xen, type 18) is not in RAM", entry);
      }
      writeStartInfo(target, image, end);
      long[] gpr = new long[16];
      gpr[3] = BootArea.INFORMATION; // EBX
      return EntryState.protectedMode(target.memory(), entry, gpr);
    }
  }

  private void writeStartInfo(BootTarget target, ImageBytes image, long kernelEnd) {
    GuestMemory memory = target.memory();
    BootStrings strings = new BootStrings(memory);
    long at = BootArea.INFORMATION;
    memory.write(at, new byte[START_INFO_BYTES]);
    memory.writeInt(at, START_INFO_MAGIC);
    memory.writeInt(at + 4, 1); // version, with the memory map
    memory.writeLong(at + 24, strings.write(image, source.commandLine()));
    if (!source.modules().isEmpty()) {
      writeModules(target, image, strings, kernelEnd);
      memory.writeInt(at + 12, source.modules().size());
      memory.writeLong(at + 16, MODULE_LIST);
    }
    memory.writeLong(at + 32, target.rsdpAddress());
    List<BiosMemoryMap.Range> map = target.ram().map();
    memory.writeLong(at + 40, MEMORY_MAP);
    memory.writeInt(at + 48, map.size());
    long entry = MEMORY_MAP;
    for (BiosMemoryMap.Range range : map) {
      memory.writeLong(entry, range.address());
      memory.writeLong(entry + 8, range.length());
      memory.writeInt(entry + 16, range.type());
      memory.writeInt(entry + 20, 0);
      entry += 24;
    }
  }

  private void writeModules(
      BootTarget target, ImageBytes image, BootStrings strings, long kernelEnd) {
    GuestMemory memory = target.memory();
    BootModules.load(
        target,
        image,
        source.modules(),
        MAX_MODULES,
        kernelEnd,
        (number, module, file, address) -> {
          long entry = MODULE_LIST + (long) number * MODULE_BYTES;
          memory.writeLong(entry, address);
          memory.writeLong(entry + 8, file.size());
          memory.writeLong(
              entry + 16,
              module.arguments().isEmpty() ? 0 : strings.write(file, module.arguments()));
          memory.writeLong(entry + 24, 0);
        });
  }
}

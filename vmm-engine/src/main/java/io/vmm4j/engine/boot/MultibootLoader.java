package io.vmm4j.engine.boot;

import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.memory.GuestMemory;
import io.vmm4j.engine.memory.RamLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/**
 * A Multiboot 1 kernel (Multiboot specification 0.6.96): an ELF of 32 bits, one of 64 bits that
 * begins in 32-bit mode, or a flat image with the address fields of its header. It finds the
 * devices as a BIOS leaves them ({@link BiosHandover}), as the specification has the BIOS's vectors
 * and controllers left as they were (3.2).
 */
final class MultibootLoader implements BootLoader {
  private static final int BOOTLOADER_MAGIC = 0x2BAD_B002;
  private static final int HAS_MEMORY = 1;
  private static final int HAS_COMMAND_LINE = 1 << 2;
  private static final int HAS_MODULES = 1 << 3;
  private static final int HAS_MEMORY_MAP = 1 << 6;
  private static final int HAS_LOADER_NAME = 1 << 9;
  private static final int INFORMATION_BYTES = 120;

  private static final long LOADER_NAME = BootArea.INFORMATION + 0x80;
  private static final long MEMORY_MAP = BootArea.INFORMATION + 0x100;
  private static final long MODULE_LIST = BootArea.INFORMATION + 0x200;
  private static final int MODULE_BYTES = 16;
  private static final int MAX_MODULES =
      (int) ((BootArea.BOOT_PARAMS - MODULE_LIST) / MODULE_BYTES);

  private final BootSource.Multiboot source;

  MultibootLoader(BootSource.Multiboot source) {
    this.source = source;
  }

  /** Where the kernel ends and where it is entered. */
  private record Loaded(long end, long entry) {}

  @Override
  public CpuState load(BootTarget target) {
    try (ImageBytes image = ImageBytes.openKernel(source.kernel())) {
      MultibootHeader header =
          MultibootHeader.find(image)
              .orElseThrow(() ->
                  image.fault(
                      "expected a Multiboot 1 header (0x1BADB002 with a right checksum in the"
                          + " first 8 KiB), found %s%s",
                      ImageKind.describe(image), MultibootHeader.remedy(image)));
      if (header.unknownRequirements() != 0) {
        throw image.fault(
            "the Multiboot header's flags 0x%x require what this loader does not know (0x%x)",
            header.flags(), header.unknownRequirements());
      }
      Loaded loaded =
          header.hasAddresses() ? loadFlat(target, image, header) : loadElf(target, image);
      if (loaded.entry != (loaded.entry & 0xFFFF_FFFFL)
          || !target.ram().contains(loaded.entry, 1)) {
        throw image.fault("the entry address 0x%x is not in RAM below 4 GiB", loaded.entry);
      }
      writeInformation(target, image, loaded.end);
      long entry = BiosHandover.writeEntry(target.memory(), BOOTLOADER_MAGIC, loaded.entry);
      long[] gpr = new long[16];
      gpr[3] = BootArea.INFORMATION; // EBX
      return EntryState.protectedMode(target.memory(), entry, gpr);
    }
  }

  private static Loaded loadElf(BootTarget target, ImageBytes image) {
    ElfImage elf = ElfImage.parse(image);
    return new Loaded(elf.load(target), elf.physicalEntry());
  }

  private static Loaded loadFlat(BootTarget target, ImageBytes image, MultibootHeader header) {
    if (header.headerAddress() < header.loadAddress()) {
      throw image.fault(
          "the Multiboot header's load_addr 0x%x is above its header_addr 0x%x",
          header.loadAddress(), header.headerAddress());
    }
    long start = header.offset() - (header.headerAddress() - header.loadAddress());
    if (start < 0) {
      throw image.fault(
          "the Multiboot header's load_addr 0x%x lies 0x%x bytes before the file's beginning",
          header.loadAddress(), -start);
    }
    long length =
        header.loadEndAddress() == 0
            ? image.size() - start
            : header.loadEndAddress() - header.loadAddress();
    if (length < 0) {
      throw image.fault(
          "the Multiboot header's load_end_addr 0x%x is below its load_addr 0x%x",
          header.loadEndAddress(), header.loadAddress());
    }
    long loadEnd = header.loadAddress() + length;
    long end = header.bssEndAddress() == 0 ? loadEnd : header.bssEndAddress();
    if (end < loadEnd) {
      throw image.fault(
          "the Multiboot header's bss_end_addr 0x%x is below the end of what is loaded, 0x%x",
          end, loadEnd);
    }
    String what = "the Multiboot header's load_addr";
    target.requireRam(image, what, header.loadAddress(), end - header.loadAddress());
    target.requireFree(image, what, header.loadAddress(), end - header.loadAddress());
    target.load(image, what, start, header.loadAddress(), length);
    target.clear(loadEnd, end - loadEnd);
    return new Loaded(end, header.entryAddress());
  }

  private void writeInformation(BootTarget target, ImageBytes image, long kernelEnd) {
    GuestMemory memory = target.memory();
    BootStrings strings = new BootStrings(memory);
    BiosMemoryMap ram = target.ram();
    long at = BootArea.INFORMATION;
    memory.write(at, new byte[INFORMATION_BYTES]);
    int flags = HAS_MEMORY | HAS_COMMAND_LINE | HAS_MEMORY_MAP | HAS_LOADER_NAME;
    memory.writeInt(at + 4, (int) (ram.conventionalBytes() >> 10));
    memory.writeInt(at + 8, (int) (Math.max(0, ram.lowBytes() - RamLayout.EXTENDED) >> 10));
    String commandLine = withName(source.kernel(), source.commandLine());
    memory.writeInt(at + 16, (int) strings.write(image, commandLine));
    if (!source.modules().isEmpty()) {
      writeModules(target, image, strings, kernelEnd);
      memory.writeInt(at + 20, source.modules().size());
      memory.writeInt(at + 24, (int) MODULE_LIST);
      flags |= HAS_MODULES;
    }
    List<BiosMemoryMap.Range> map = ram.map();
    memory.writeInt(at + 44, map.size() * 24);
    memory.writeInt(at + 48, (int) MEMORY_MAP);
    long entry = MEMORY_MAP;
    for (BiosMemoryMap.Range range : map) {
      memory.writeInt(entry, 20); // the entry's size without this field
      memory.writeLong(entry + 4, range.address());
      memory.writeLong(entry + 12, range.length());
      memory.writeInt(entry + 20, range.type());
      entry += 24;
    }
    memory.write(LOADER_NAME, "vmm4j\0".getBytes(StandardCharsets.US_ASCII));
    memory.writeInt(at + 64, (int) LOADER_NAME);
    memory.writeInt(at, flags);
  }

  /** Like other loaders: the path first, as a program's arguments begin with its name. */
  private static String withName(Path file, String arguments) {
    return arguments.isEmpty() ? file.toString() : file + " " + arguments;
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
          String text = withName(module.file(), module.arguments());
          memory.writeInt(entry, (int) address);
          memory.writeInt(entry + 4, (int) (address + file.size()));
          memory.writeInt(entry + 8, (int) strings.write(file, text));
          memory.writeInt(entry + 12, 0);
        });
  }
}

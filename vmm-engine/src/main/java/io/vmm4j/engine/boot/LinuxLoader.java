package io.vmm4j.engine.boot;

import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.api.memory.GuestMemory;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A Linux bzImage by the 64-bit boot protocol (Linux Documentation/arch/x86/boot.rst), or the
 * 32-bit one where the kernel has no 64-bit entry point, or the 16-bit one ({@link LinuxSetup})
 * where it has neither.
 *
 * <p>Unpacked on the host, the vmlinux inside is loaded where it is linked and entered at its own
 * entry point; that needs no relocation, and turns KASLR off. Else the kernel's stub unpacks in the
 * guest.
 */
final class LinuxLoader implements BootLoader {
  private static final Logger LOG = LoggerFactory.getLogger(LinuxLoader.class);

  private static final int ENTRY_64_OFFSET = 0x200;
  private static final int LOADER_UNDEFINED = 0xFF;
  private static final int KASLR_FLAG = 1 << 1;

  private final LinuxBoot source;

  LinuxLoader(LinuxBoot source) {
    this.source = source;
  }

  /** Where the kernel is entered, and where the memory that it needs ends. */
  private record Kernel(long entry, long end) {}

  @Override
  public CpuState load(BootTarget target) {
    try (ImageBytes image = ImageBytes.open(source.kernel())) {
      LinuxHeader header = LinuxHeader.parse(image);
      if (!header.isEnteredInProtectedMode()) {
        return new LinuxSetup(source, image, header).load(target);
      }
      Kernel kernel = loadKernel(target, image, header);
      writeBootParams(target, image, header, kernel);
      long[] gpr = new long[16];
      gpr[6] = BootArea.BOOT_PARAMS; // RSI
      return header.is64Bit()
          ? EntryState.longMode(target.memory(), kernel.entry, gpr)
          : EntryState.protectedMode(target.memory(), kernel.entry, gpr);
    }
  }

  private Kernel loadKernel(BootTarget target, ImageBytes image, LinuxHeader header) {
    if (source.unpackOnHost()) {
      target.requireRam(image, "pref_address", header.preferredAddress(), header.initBytes());
      Optional<ImageBytes> vmlinux = LinuxPayload.unpack(image, header, header.initBytes());
      if (vmlinux.isPresent()) {
        try (ImageBytes unpacked = vmlinux.get()) {
          return loadUnpacked(target, unpacked, header);
        }
      }
      LOG.info(
          "{}: its compression is not read on the host; the guest unpacks the kernel",
          image.name());
    }
    return loadPacked(target, image, header);
  }

  private static Kernel loadUnpacked(BootTarget target, ImageBytes vmlinux, LinuxHeader header) {
    ElfImage elf = ElfImage.parse(vmlinux);
    long end = Math.max(elf.load(target), header.preferredAddress() + header.initBytes());
    if (!target.ram().contains(elf.entry(), 1)) {
      throw vmlinux.fault("e_entry 0x%x is not in RAM", elf.entry());
    }
    return new Kernel(elf.entry(), end);
  }

  private static Kernel loadPacked(BootTarget target, ImageBytes image, LinuxHeader header) {
    long address = header.loadAddress();
    long length = image.size() - header.protectedModeOffset();
    long needed = Math.max(length, header.initBytes());
    String what = "pref_address";
    target.requireRam(image, what, address, needed);
    target.requireFree(image, what, address, needed);
    target.load(image, "the kernel", header.protectedModeOffset(), address, length);
    return new Kernel(header.is64Bit() ? address + ENTRY_64_OFFSET : address, address + needed);
  }

  private void writeBootParams(
      BootTarget target, ImageBytes image, LinuxHeader header, Kernel kernel) {
    GuestMemory memory = target.memory();
    long params = BootArea.BOOT_PARAMS;
    memory.write(params, new byte[0x1000]);
    memory.write(params + LinuxHeader.BEGIN, header.bytes());
    memory.writeLong(params + 0x70, target.rsdpAddress());
    memory.writeByte(params + 0x210, LOADER_UNDEFINED);
    memory.writeByte(params + 0x211, memory.readByte(params + 0x211) & ~KASLR_FLAG);
    memory.writeInt(params + 0x214, (int) header.loadAddress()); // code32_start
    memory.writeLong(params + 0x250, 0); // setup_data

    long commandLine =
        new BootStrings(memory).write(image, source.commandLine(), header.commandLineBytes());
    memory.writeInt(params + 0x228, (int) commandLine);

    InitialRamDisk initrd =
        InitialRamDisk.load(target, source.initrds(), kernel.end, header.initrdEnd());
    memory.writeInt(params + 0x218, (int) initrd.address());
    memory.writeInt(params + 0x21C, (int) initrd.bytes());

    List<BiosMemoryMap.Range> map = target.ram().map();
    memory.writeByte(params + 0x1E8, map.size());
    long entry = params + 0x2D0;
    for (BiosMemoryMap.Range range : map) {
      memory.writeLong(entry, range.address());
      memory.writeLong(entry + 8, range.length());
      memory.writeInt(entry + 16, range.type());
      entry += 20;
    }
  }
}

package io.vmm4j.engine.boot;

import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.api.memory.GuestMemory;
import io.vmm4j.engine.memory.RamLayout;

/**
 * A kernel that is entered in its own setup, in real mode (Linux Documentation/arch/x86/boot.rst,
 * "The Real-Mode Kernel Header" and "Running the Kernel"): of a protocol before 2.10, or a zImage.
 * Old kernels are such, and images of boot loaders that pass for one.
 *
 * <p>The setup, its stack and its heap have the segment 0x9000, and the command line lies behind
 * them.
 */
final class LinuxSetup {
  private static final int SEGMENT = 0x9000;
  private static final long BASE = SEGMENT << 4;

  /** How far into its segment the entry lies, in paragraphs: 512 bytes. */
  private static final int ENTRY_PARAGRAPHS = 0x20;

  /** The end of the heap and the stack, where the command line begins. */
  private static final int HEAP_END = 0xE000;

  /** The same for protocols before 2.02, whose command line must lie in the first 40 KiB. */
  private static final int OLD_HEAP_END = 0x9800;

  /** How far below the end of the heap and stack the field for it points. */
  private static final int STACK_BYTES = 0x200;

  private static final int LOADER_UNDEFINED = 0xFF;
  private static final int CAN_USE_HEAP = 1 << 7;
  private static final int OLD_COMMAND_LINE_MAGIC = 0xA33F;

  private final LinuxBoot source;
  private final ImageBytes image;
  private final LinuxHeader header;

  LinuxSetup(LinuxBoot source, ImageBytes image, LinuxHeader header) {
    this.source = source;
    this.image = image;
    this.header = header;
  }

  CpuState load(BootTarget target) {
    target.requireRam(image, "the setup", BASE, BiosMemoryMap.CONVENTIONAL_END - BASE);
    long setupBytes = header.protectedModeOffset();
    int heapEnd = header.hasCommandLineField() ? HEAP_END : OLD_HEAP_END;
    if (setupBytes > heapEnd - STACK_BYTES) {
      throw image.fault("the setup has 0x%x bytes; there is room for 0x%x", setupBytes, heapEnd);
    }
    target.load(image, "the setup", 0, BASE, setupBytes);
    long kernel = header.realModeLoadAddress();
    long kernelBytes = image.size() - setupBytes;
    if (!header.isLoadedHigh() && kernel + kernelBytes > BASE) {
      throw image.fault(
          "a zImage of 0x%x bytes does not fit below its setup at 0x%x", kernelBytes, BASE);
    }
    target.load(image, "the kernel", setupBytes, kernel, kernelBytes);
    writeFields(target, heapEnd, Math.max(kernel + kernelBytes, RamLayout.EXTENDED));
    BiosHandover.writeRealModeEntry(target.memory(), SEGMENT + ENTRY_PARAGRAPHS, 0);
    return EntryState.realMode((int) BootArea.ENTRY_CODE >> 4, SEGMENT, heapEnd);
  }

  private void writeFields(BootTarget target, int heapEnd, long kernelEnd) {
    GuestMemory memory = target.memory();
    long commandLine = BASE + heapEnd;
    BootStrings strings =
        new BootStrings(memory, commandLine, BiosMemoryMap.CONVENTIONAL_END - commandLine);
    strings.write(image, source.commandLine(), header.commandLineBytes());
    if (header.hasCommandLineField()) {
      memory.writeInt(BASE + 0x228, (int) commandLine);
    } else {
      memory.writeShort(BASE + 0x20, OLD_COMMAND_LINE_MAGIC);
      memory.writeShort(BASE + 0x22, heapEnd);
    }
    memory.writeByte(BASE + 0x210, LOADER_UNDEFINED);
    if (header.takesHeap()) {
      memory.writeByte(BASE + 0x211, memory.readByte(BASE + 0x211) | CAN_USE_HEAP);
      memory.writeShort(BASE + 0x224, heapEnd - STACK_BYTES);
    }
    InitialRamDisk initrd =
        InitialRamDisk.load(target, source.initrds(), kernelEnd, header.initrdEnd());
    memory.writeInt(BASE + 0x218, (int) initrd.address());
    memory.writeInt(BASE + 0x21C, (int) initrd.bytes());
  }
}

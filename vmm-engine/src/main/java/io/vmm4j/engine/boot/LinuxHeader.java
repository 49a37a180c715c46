package io.vmm4j.engine.boot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The setup header of a Linux image (Linux Documentation/arch/x86/boot.rst, "The Real-Mode Kernel
 * Header"), of protocol 2.00 or later. What a version does not have reads as that page says of it.
 */
final class LinuxHeader {
  /** Where the header begins, in the file and in boot_params alike. */
  static final int BEGIN = 0x1F1;

  private static final int MAGIC_OFFSET = 0x202;
  private static final int MAGIC = 0x5372_6448; // "HdrS"
  private static final int BOOT_FLAG_OFFSET = 0x1FE;
  private static final int BOOT_FLAG = 0xAA55;
  private static final int MAX_END = 0x290; // what boot_params has room for
  private static final int SECTOR = 512;
  private static final int VERSION_2_01 = 0x201;
  private static final int VERSION_2_02 = 0x202;
  private static final int VERSION_2_03 = 0x203;
  private static final int VERSION_2_06 = 0x206;
  private static final int VERSION_2_10 = 0x20A;
  private static final int VERSION_2_12 = 0x20C;
  private static final int LOADED_HIGH = 1;
  private static final long OLD_INITRD_END = 0x3800_0000;
  private static final long OLD_COMMAND_LINE_BYTES = 255;
  private static final long ZIMAGE_LOAD_ADDRESS = 0x1_0000;
  private static final int XLF_KERNEL_64 = 1;
  private static final long LOW_LOAD_ADDRESS = 0x10_0000;

  private final ByteBuffer fields;
  private final int end;
  private final long protectedModeOffset;

  private LinuxHeader(ByteBuffer fields, int end, long protectedModeOffset) {
    this.fields = fields;
    this.end = end;
    this.protectedModeOffset = protectedModeOffset;
  }

  /** Whether the image carries the header's magic numbers. */
  static boolean hasMagic(ImageBytes image) {
    if (image.size() < MAGIC_OFFSET + 4) {
      return false;
    }
    ByteBuffer head = image.fields("the setup header", 0, MAGIC_OFFSET + 4);
    return head.getInt(MAGIC_OFFSET) == MAGIC
        && (head.getShort(BOOT_FLAG_OFFSET) & 0xFFFF) == BOOT_FLAG;
  }

  /**
   * Reads the header.
   *
   * @throws io.vmm4j.api.BootException if it is none, or is cut off
   */
  static LinuxHeader parse(ImageBytes image) {
    if (!hasMagic(image)) {
      throw image.fault(
          "expected a Linux bzImage (HdrS at 0x202, 0xAA55 at 0x1FE), found %s",
          ImageKind.describe(image));
    }
    // A header that ends early, as older protocols have it, reads as zeros beyond its end.
    ByteBuffer whole = ByteBuffer.wrap(new byte[MAX_END]).order(ByteOrder.LITTLE_ENDIAN);
    int end = MAGIC_OFFSET + (image.fields("the setup header", 0x201, 1).get(0) & 0xFF);
    if (end > MAX_END) {
      throw image.fault("the setup header ends at 0x%x; at most 0x%x is known", end, MAX_END);
    }
    whole.put(0, image.read("the setup header", 0, end));
    int sectors = whole.get(BEGIN) & 0xFF;
    LinuxHeader header = new LinuxHeader(whole, end, ((sectors == 0 ? 4 : sectors) + 1L) * SECTOR);
    if (header.protectedModeOffset >= image.size()) {
      throw image.fault(
          "setup_sects %d puts the kernel at offset 0x%x, but the image has only 0x%x byte(s)",
          sectors, header.protectedModeOffset, image.size());
    }
    return header;
  }

  /** The header's bytes, from {@link #BEGIN}. */
  byte[] bytes() {
    byte[] bytes = new byte[end - BEGIN];
    fields.get(BEGIN, bytes);
    return bytes;
  }

  /** The protocol's version: 0x20F is 2.15. */
  int version() {
    return fields.getShort(0x206) & 0xFFFF;
  }

  /** Whether it can be entered in protected mode, with boot_params instead of its own setup. */
  boolean isEnteredInProtectedMode() {
    return version() >= VERSION_2_10 && isLoadedHigh();
  }

  /** Whether the part for protected mode is loaded at 1 MiB: a bzImage, not a zImage. */
  boolean isLoadedHigh() {
    return (fields.get(0x211) & LOADED_HIGH) != 0;
  }

  /** Whether its setup takes a heap behind it. */
  boolean takesHeap() {
    return version() >= VERSION_2_01;
  }

  /** Whether the command line's address is a field of the header. */
  boolean hasCommandLineField() {
    return version() >= VERSION_2_02;
  }

  /** Whether it has a 64-bit entry point. */
  boolean is64Bit() {
    return version() >= VERSION_2_12 && (fields.getShort(0x236) & XLF_KERNEL_64) != 0;
  }

  /** Where in the file the part for protected mode begins. */
  long protectedModeOffset() {
    return protectedModeOffset;
  }

  /** Where the part for protected mode of a kernel lies that is entered in real mode. */
  long realModeLoadAddress() {
    return isLoadedHigh() ? LOW_LOAD_ADDRESS : ZIMAGE_LOAD_ADDRESS;
  }

  /** Where the kernel wants to be. */
  long loadAddress() {
    boolean relocatable = fields.get(0x234) != 0;
    return relocatable ? fields.getLong(0x258) : LOW_LOAD_ADDRESS;
  }

  /** Where the unpacked kernel lies. */
  long preferredAddress() {
    return fields.getLong(0x258);
  }

  /** How many bytes the kernel needs from where it is loaded until it knows of memory. */
  long initBytes() {
    return Integer.toUnsignedLong(fields.getInt(0x260));
  }

  /** The end of where the initial RAM disk may lie. */
  long initrdEnd() {
    return version() < VERSION_2_03
        ? OLD_INITRD_END
        : Integer.toUnsignedLong(fields.getInt(0x22C)) + 1;
  }

  /** The longest command line, without its zero. */
  long commandLineBytes() {
    return version() < VERSION_2_06
        ? OLD_COMMAND_LINE_BYTES
        : Integer.toUnsignedLong(fields.getInt(0x238));
  }

  /** Where in the file the packed kernel lies. */
  long payloadOffset() {
    return protectedModeOffset + Integer.toUnsignedLong(fields.getInt(0x248));
  }

  /** The packed kernel's length, with the four bytes that tell its unpacked size. */
  long payloadBytes() {
    return Integer.toUnsignedLong(fields.getInt(0x24C));
  }
}

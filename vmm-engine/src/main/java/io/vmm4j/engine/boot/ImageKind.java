package io.vmm4j.engine.boot;

import java.util.HexFormat;

/** Says what an image looks like that is not what was expected. */
final class ImageKind {
  private ImageKind() {}

  /** A few words: what it looks like, its size and how it begins. */
  static String describe(ImageBytes image) {
    byte[] head = image.head(1024);
    if (head.length == 0) {
      return "an empty file";
    }
    return "%s of %d bytes that begins with %s"
        .formatted(
            looks(head),
            image.size(),
            HexFormat.ofDelimiter(" ").formatHex(head, 0, Math.min(16, head.length)));
  }

  /** The architecture of an ELF machine number. */
  static String machine(int number) {
    return switch (number) {
      case 3 -> "i386";
      case 8 -> "MIPS";
      case 20 -> "PowerPC";
      case 21 -> "PowerPC 64";
      case 22 -> "S390";
      case 40 -> "Arm";
      case 62 -> "x86-64";
      case 183 -> "AArch64";
      case 243 -> "RISC-V";
      case 258 -> "LoongArch";
      default -> "another architecture";
    };
  }

  private static String looks(byte[] head) {
    if (begins(head, 0x7F, 'E', 'L', 'F')) {
      return elf(head);
    }
    if (begins(head, 0x1F, 0x8B)) {
      return "a gzip archive (unpack it first)";
    }
    if (begins(head, 0xFD, '7', 'z', 'X', 'Z')) {
      return "an xz archive (unpack it first)";
    }
    if (begins(head, 0x28, 0xB5, 0x2F, 0xFD)) {
      return "a zstd archive (unpack it first)";
    }
    if (begins(head, 'B', 'Z', 'h')) {
      return "a bzip2 archive (unpack it first)";
    }
    if (begins(head, 0x02, 0x21, 0x4C, 0x18) || begins(head, 0x04, 0x22, 0x4D, 0x18)) {
      return "an lz4 archive (unpack it first)";
    }
    if (begins(head, '0', '7', '0', '7', '0', '1')) {
      return "a cpio archive, such as an initial RAM disk";
    }
    if (begins(head, '!', '<', 'a', 'r', 'c', 'h', '>')) {
      return "an ar archive, such as a Debian package";
    }
    if (begins(head, 'Q', 'F', 'I', 0xFB)) {
      return "a qcow2 disk image";
    }
    if (at(head, 56, 'A', 'R', 'M', 0x64)) {
      return "a Linux kernel for AArch64";
    }
    if (begins(head, 'M', 'Z')) {
      return "a PE executable";
    }
    if (at(head, 510, 0x55, 0xAA)) {
      return "a boot sector or disk image";
    }
    return isText(head) ? "a text" : "an unknown format";
  }

  private static String elf(byte[] head) {
    if (head.length < 20) {
      return "a cut-off ELF file";
    }
    boolean big = head[5] == 2;
    int machine = (head[big ? 19 : 18] & 0xFF) | (head[big ? 18 : 19] & 0xFF) << 8;
    return "an ELF file of %s bits for %s"
        .formatted(head[4] == 1 ? "32" : head[4] == 2 ? "64" : "unknown", machine(machine));
  }

  private static boolean begins(byte[] head, int... magic) {
    return at(head, 0, magic);
  }

  private static boolean at(byte[] head, int offset, int... magic) {
    if (head.length < offset + magic.length) {
      return false;
    }
    for (int i = 0; i < magic.length; i++) {
      if ((head[offset + i] & 0xFF) != magic[i]) {
        return false;
      }
    }
    return true;
  }

  private static boolean isText(byte[] head) {
    for (byte b : head) {
      if (b >= 0 && b < ' ' && b != '\n' && b != '\r' && b != '\t') {
        return false;
      }
    }
    return true;
  }
}

package io.vmm4j.engine.boot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * The header in the first 8 KiB of a kernel (Multiboot specification 0.6.96, 3.1). The addresses
 * hold only where {@link #hasAddresses()}.
 *
 * @param offset of the header in the file
 */
record MultibootHeader(
    int offset,
    int flags,
    long headerAddress,
    long loadAddress,
    long loadEndAddress,
    long bssEndAddress,
    long entryAddress) {
  private static final int MAGIC = 0x1BAD_B002;
  private static final int SEARCHED_BYTES = 8192;
  private static final int ADDRESSES = 1 << 16;

  /** Looks for a header with a right checksum, on 4-byte boundaries. */
  static Optional<MultibootHeader> find(ImageBytes image) {
    byte[] head = image.head(SEARCHED_BYTES);
    ByteBuffer bytes = ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN);
    for (int at = 0; at + 12 <= head.length; at += 4) {
      int flags = bytes.getInt(at + 4);
      if (bytes.getInt(at) == MAGIC && MAGIC + flags + bytes.getInt(at + 8) == 0) {
        return Optional.of(at(image, bytes, at, flags));
      }
    }
    return Optional.empty();
  }

  private static MultibootHeader at(ImageBytes image, ByteBuffer bytes, int at, int flags) {
    if ((flags & ADDRESSES) == 0) {
      return new MultibootHeader(at, flags, 0, 0, 0, 0, 0);
    }
    if (at + 32 > bytes.limit()) {
      throw image.fault("the Multiboot header at 0x%x is cut off", at);
    }
    return new MultibootHeader(
        at,
        flags,
        Integer.toUnsignedLong(bytes.getInt(at + 12)),
        Integer.toUnsignedLong(bytes.getInt(at + 16)),
        Integer.toUnsignedLong(bytes.getInt(at + 20)),
        Integer.toUnsignedLong(bytes.getInt(at + 24)),
        Integer.toUnsignedLong(bytes.getInt(at + 28)));
  }

  /** Whether the header says where to load the file; an ELF's program headers do otherwise. */
  boolean hasAddresses() {
    return (flags & ADDRESSES) != 0;
  }

  /** Bits of features that the kernel requires and a loader of version 1 does not know. */
  int unknownRequirements() {
    return flags & 0xFFF8;
  }
}

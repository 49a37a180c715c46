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

  /** How far to look for one that is misplaced: beyond two pages of 2 MiB. */
  private static final int FAR_BYTES = 5 << 20;

  private static final int ADDRESSES = 1 << 16;

  /** Looks for a header with a right checksum, on 4-byte boundaries. */
  static Optional<MultibootHeader> find(ImageBytes image) {
    ByteBuffer bytes = head(image, SEARCHED_BYTES);
    int at = search(bytes, 0);
    return at < 0 ? Optional.empty() : Optional.of(at(image, bytes, at, bytes.getInt(at + 4)));
  }

  /** What to do about a header behind where loaders look for it, if there is one; else nothing. */
  static String remedy(ImageBytes image) {
    int at = search(head(image, FAR_BYTES), SEARCHED_BYTES - 8);
    return at < 0
        ? ""
        : ("; there is a Multiboot header at 0x%x of the file: to have it in the first 8 KiB, link with"
                + " -Wl,-n (ld -n), and put its section before the code")
            .formatted(at);
  }

  private static ByteBuffer head(ImageBytes image, int bytes) {
    return ByteBuffer.wrap(image.head(bytes)).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Where a header is, or -1. */
  private static int search(ByteBuffer bytes, int from) {
    for (int at = from; at + 12 <= bytes.limit(); at += 4) {
      int flags = bytes.getInt(at + 4);
      if (bytes.getInt(at) == MAGIC && MAGIC + flags + bytes.getInt(at + 8) == 0) {
        return at;
      }
    }
    return -1;
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

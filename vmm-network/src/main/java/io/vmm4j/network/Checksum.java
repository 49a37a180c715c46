package io.vmm4j.network;

/** The internet's checksum (RFC 1071). */
final class Checksum {
  private Checksum() {}

  /** Adds bytes, of which an odd last one is followed by 0. */
  static long sum(long sum, byte[] bytes, int offset, int length) {
    long total = sum;
    int end = offset + (length & ~1);
    for (int i = offset; i < end; i += 2) {
      total += (bytes[i] & 0xFF) << 8 | bytes[i + 1] & 0xFF;
    }
    return (length & 1) == 0 ? total : total + ((bytes[end] & 0xFF) << 8);
  }

  /** The pseudo header of UDP and TCP. */
  static long pseudo(int source, int destination, int protocol, int length) {
    return (source >>> 16)
        + (source & 0xFFFF)
        + (destination >>> 16)
        + (destination & 0xFFFF)
        + protocol
        + length;
  }

  /** What the checksum's field holds; 0 of bytes that contain a right one. */
  static int fold(long sum) {
    long folded = sum;
    while (folded >>> 16 != 0) {
      folded = (folded & 0xFFFF) + (folded >>> 16);
    }
    return (int) ~folded & 0xFFFF;
  }
}

package io.vmm4j.network;

import java.util.Optional;

/**
 * An IPv4 packet in a frame (RFC 791), whose lengths and checksum are right.
 *
 * @param frame all of it
 * @param source the sender's address
 * @param destination the receiver's
 * @param protocol ICMP, UDP, TCP
 * @param offset where the payload begins
 * @param length how many bytes the payload has
 */
record Ipv4Packet(byte[] frame, int source, int destination, int protocol, int offset, int length) {
  static final int ICMP = 1;
  static final int TCP = 6;
  static final int UDP = 17;

  static final int ETHERNET_BYTES = 14;
  static final int HEADER_BYTES = 20;

  private static final int FRAGMENT = 0x3FFF;

  /** The packet, unless it is none, or a fragment. */
  static Optional<Ipv4Packet> of(byte[] frame) {
    int at = ETHERNET_BYTES;
    if (frame.length < at + HEADER_BYTES || frame[at] >>> 4 != 4) {
      return Optional.empty();
    }
    int header = (frame[at] & 0xF) * 4;
    int total = Words.get16(frame, at + 2);
    if (header < HEADER_BYTES
        || total < header
        || total > frame.length - at
        || (Words.get16(frame, at + 6) & FRAGMENT) != 0
        || Checksum.fold(Checksum.sum(0, frame, at, header)) != 0) {
      return Optional.empty();
    }
    return Optional.of(
        new Ipv4Packet(
            frame,
            Words.get32(frame, at + 12),
            Words.get32(frame, at + 16),
            frame[at + 9] & 0xFF,
            at + header,
            total - header));
  }

  /** Whether the checksum over pseudo header and payload is right. */
  boolean isIntact() {
    long pseudo = Checksum.pseudo(source, destination, protocol, length);
    return Checksum.fold(Checksum.sum(pseudo, frame, offset, length)) == 0;
  }
}

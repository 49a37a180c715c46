package io.vmm4j.network;

import java.util.Optional;

/**
 * A segment from the guest (RFC 9293, 3.1), whose lengths are right.
 *
 * @param seq its sequence number
 * @param ack the acknowledgement
 * @param flags FIN, SYN, RST, PSH, ACK
 * @param window as it stands there, without scale
 * @param mss the option of that name, 0 without
 * @param scale the option "window scale", -1 without
 * @param bytes what the data lie in
 * @param offset where the data begin
 * @param length how many bytes of data there are
 */
record TcpSegment(
    int seq,
    int ack,
    int flags,
    int window,
    int mss,
    int scale,
    byte[] bytes,
    int offset,
    int length) {
  static final int FIN = 1;
  static final int SYN = 2;
  static final int RST = 4;
  static final int PSH = 8;
  static final int ACK = 16;

  static final int HEADER_BYTES = 20;

  private static final int END = 0;
  private static final int NOTHING = 1;
  private static final int MSS = 2;
  private static final int SCALE = 3;
  private static final int MOST_SCALE = 14;

  static Optional<TcpSegment> of(Ipv4Packet packet) {
    byte[] b = packet.frame();
    int at = packet.offset();
    if (packet.length() < HEADER_BYTES || !packet.isIntact()) {
      return Optional.empty();
    }
    int header = (b[at + 12] >>> 4 & 0xF) * 4;
    if (header < HEADER_BYTES || header > packet.length()) {
      return Optional.empty();
    }
    int mss = 0;
    int scale = -1;
    int end = at + header;
    int option = at + HEADER_BYTES;
    while (option < end && b[option] != END) {
      if (b[option] == NOTHING) {
        option++;
        continue;
      }
      int size = option + 1 < end ? b[option + 1] & 0xFF : 0;
      if (size < 2 || size > end - option) {
        break; // the options make no sense from here on
      }
      if (b[option] == MSS && size == 4) {
        mss = Words.get16(b, option + 2);
      } else if (b[option] == SCALE && size == 3) {
        scale = Math.min(MOST_SCALE, b[option + 2] & 0xFF);
      }
      option += size;
    }
    return Optional.of(
        new TcpSegment(
            Words.get32(b, at + 4),
            Words.get32(b, at + 8),
            b[at + 13] & 0x1F,
            Words.get16(b, at + 14),
            mss,
            scale,
            b,
            at + header,
            packet.length() - header));
  }

  boolean is(int flag) {
    return (flags & flag) != 0;
  }

  /** How many sequence numbers it takes. */
  int span() {
    return length + (is(SYN) ? 1 : 0) + (is(FIN) ? 1 : 0);
  }
}

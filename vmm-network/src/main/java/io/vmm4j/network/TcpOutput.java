package io.vmm4j.network;

import static io.vmm4j.network.TcpSegment.HEADER_BYTES;

import io.vmm4j.api.channel.ByteRing;

/** Makes segments for the guest. */
final class TcpOutput {
  private static final int OPTION_BYTES = 8;

  private final Wire wire;

  TcpOutput(Wire wire) {
    this.wire = wire;
  }

  /** The most bytes of data in a segment. */
  int mostBytes() {
    return wire.mtu() - Ipv4Packet.HEADER_BYTES - HEADER_BYTES;
  }

  /** Sends one without data. */
  void send(TcpKey key, int seq, int ack, int flags, int window) {
    finish(new byte[Wire.PAYLOAD + HEADER_BYTES], key, seq, ack, flags, window, HEADER_BYTES);
  }

  /**
   * Sends one that opens a connection.
   *
   * @param scale of the window, -1 for none
   */
  void sendOpening(TcpKey key, int seq, int ack, int flags, int window, int scale) {
    byte[] frame = new byte[Wire.PAYLOAD + HEADER_BYTES + OPTION_BYTES];
    int at = Wire.PAYLOAD + HEADER_BYTES;
    Words.put32(frame, at, 0x0204_0000 | mostBytes());
    Words.put32(frame, at + 4, scale < 0 ? 0 : 0x0103_0300 | scale);
    finish(frame, key, seq, ack, flags, window, HEADER_BYTES + OPTION_BYTES);
  }

  /** Sends bytes that lie in a ring from a place on. */
  void sendData(
      TcpKey key, int seq, int ack, int flags, int window, ByteRing ring, int from, int count) {
    byte[] frame = new byte[Wire.PAYLOAD + HEADER_BYTES + count];
    ring.copy(from, frame, Wire.PAYLOAD + HEADER_BYTES, count);
    finish(frame, key, seq, ack, flags, window, HEADER_BYTES);
  }

  /** Answers a segment that belongs to no connection (RFC 9293, 3.10.7.1). */
  void refuse(TcpKey key, TcpSegment s) {
    if (s.is(TcpSegment.RST)) {
      return;
    }
    if (s.is(TcpSegment.ACK)) {
      send(key, s.ack(), 0, TcpSegment.RST, 0);
    } else {
      send(key, 0, s.seq() + s.span(), TcpSegment.RST | TcpSegment.ACK, 0);
    }
  }

  private void finish(
      byte[] frame, TcpKey key, int seq, int ack, int flags, int window, int header) {
    int at = Wire.PAYLOAD;
    Words.put16(frame, at, key.remotePort());
    Words.put16(frame, at + 2, key.guestPort());
    Words.put32(frame, at + 4, seq);
    Words.put32(frame, at + 8, (flags & TcpSegment.ACK) != 0 ? ack : 0);
    frame[at + 12] = (byte) (header / 4 << 4);
    frame[at + 13] = (byte) flags;
    Words.put16(frame, at + 14, window);
    int length = frame.length - at;
    long sum = Checksum.pseudo(key.remote(), key.guest(), Ipv4Packet.TCP, length);
    Words.put16(frame, at + 16, Checksum.fold(Checksum.sum(sum, frame, at, length)));
    wire.send(frame, Ipv4Packet.TCP, key.remote(), key.guest());
  }
}

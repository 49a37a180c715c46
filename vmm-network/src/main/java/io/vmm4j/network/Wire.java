package io.vmm4j.network;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** Makes frames for the guest, and knows the addresses of its cards (RFC 826). */
final class Wire {
  /** Where a packet's payload begins. */
  static final int PAYLOAD = Ipv4Packet.ETHERNET_BYTES + Ipv4Packet.HEADER_BYTES;

  static final int TYPE_IPV4 = 0x0800;
  static final int TYPE_ARP = 0x0806;

  private static final int ARP_BYTES = 28;
  private static final int ARP_FIXED = 0x0001_0800;
  private static final int ARP_SIZES = 0x0604;
  private static final int REQUEST = 1;
  private static final int REPLY = 2;
  private static final int MOST_NEIGHBOURS = 16;
  private static final int TIME_TO_LIVE = 64;
  private static final int MORE_FRAGMENTS = 0x2000;

  private final int mtu;
  private final Consumer<byte[]> guest;
  private int identification;

  /** For other threads. */
  private volatile Map<Integer, Long> known = Map.of();

  private final Map<Integer, Long> neighbours =
      new LinkedHashMap<>(MOST_NEIGHBOURS, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Integer, Long> eldest) {
          return size() > MOST_NEIGHBOURS;
        }
      };

  Wire(int mtu, Consumer<byte[]> guest) {
    this.mtu = mtu;
    this.guest = guest;
  }

  int mtu() {
    return mtu;
  }

  /** Those that are known, with their addresses on the cable; any thread. */
  Map<Integer, Long> neighbours() {
    return known;
  }

  void forget() {
    neighbours.clear();
    known = Map.of();
  }

  /** Takes note of who has an address; what no card of a guest may have is not noted. */
  void learn(int address, long mac) {
    if (Addresses.isGuests(address) && (mac >>> 40 & 1) == 0 && mac != 0) {
      if (!Long.valueOf(mac).equals(neighbours.put(address, mac))) {
        known = Map.copyOf(neighbours);
      }
    }
  }

  /** Takes an ARP packet, and answers for the network's own addresses. */
  boolean arp(byte[] frame) {
    int at = Ipv4Packet.ETHERNET_BYTES;
    if (frame.length < at + ARP_BYTES
        || Words.get32(frame, at) != ARP_FIXED
        || Words.get16(frame, at + 4) != ARP_SIZES) {
      return false;
    }
    long mac = Words.get48(frame, at + 8);
    int sender = Words.get32(frame, at + 14);
    int target = Words.get32(frame, at + 24);
    learn(sender, mac);
    if (Words.get16(frame, at + 6) == REQUEST && Addresses.isOurs(target)) {
      sendArp(REPLY, target, mac, sender);
    }
    return true;
  }

  private void sendArp(int operation, int sender, long mac, int target) {
    byte[] frame = new byte[Ipv4Packet.ETHERNET_BYTES + ARP_BYTES];
    int at = Ipv4Packet.ETHERNET_BYTES;
    Words.put32(frame, at, ARP_FIXED);
    Words.put16(frame, at + 4, ARP_SIZES);
    Words.put16(frame, at + 6, operation);
    Words.put48(frame, at + 8, Addresses.GATEWAY_MAC);
    Words.put32(frame, at + 14, sender);
    Words.put48(frame, at + 18, operation == REPLY ? mac : 0);
    Words.put32(frame, at + 24, target);
    send(frame, mac, TYPE_ARP);
  }

  private void send(byte[] frame, long mac, int type) {
    Words.put48(frame, 0, mac);
    Words.put48(frame, 6, Addresses.GATEWAY_MAC);
    Words.put16(frame, 12, type);
    guest.accept(frame);
  }

  /**
   * Sends a packet whose payload begins at {@link #PAYLOAD}. If nobody is known to have the address
   * it is asked for, and the packet is lost.
   */
  void send(byte[] frame, int protocol, int source, int destination) {
    Optional<Long> mac = Optional.ofNullable(neighbours.get(destination));
    if (mac.isEmpty()) {
      sendArp(REQUEST, Addresses.GATEWAY, Addresses.BROADCAST_MAC, destination);
    } else {
      send(frame, mac.get(), protocol, source, destination);
    }
  }

  /** Sends a packet to an address on the cable, in fragments if it is long. */
  void send(byte[] frame, long mac, int protocol, int source, int destination) {
    identification = identification + 1 & 0xFFFF;
    int most = mtu - Ipv4Packet.HEADER_BYTES & ~7;
    int length = frame.length - PAYLOAD;
    if (frame.length - Ipv4Packet.ETHERNET_BYTES <= mtu) {
      send(frame, mac, protocol, source, destination, 0);
      return;
    }
    for (int from = 0; from < length; from += most) {
      int count = Math.min(most, length - from);
      byte[] fragment = new byte[PAYLOAD + count];
      System.arraycopy(frame, PAYLOAD + from, fragment, PAYLOAD, count);
      int more = from + count < length ? MORE_FRAGMENTS : 0;
      send(fragment, mac, protocol, source, destination, more | from / 8);
    }
  }

  private void send(
      byte[] frame, long mac, int protocol, int source, int destination, int fragment) {
    int at = Ipv4Packet.ETHERNET_BYTES;
    frame[at] = 0x45;
    Words.put16(frame, at + 2, frame.length - at);
    Words.put16(frame, at + 4, identification);
    Words.put16(frame, at + 6, fragment);
    frame[at + 8] = TIME_TO_LIVE;
    frame[at + 9] = (byte) protocol;
    Words.put16(frame, at + 10, 0);
    Words.put32(frame, at + 12, source);
    Words.put32(frame, at + 16, destination);
    long sum = Checksum.sum(0, frame, at, Ipv4Packet.HEADER_BYTES);
    Words.put16(frame, at + 10, Checksum.fold(sum));
    send(frame, mac, TYPE_IPV4);
  }
}

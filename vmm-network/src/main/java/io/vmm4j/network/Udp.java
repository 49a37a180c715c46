package io.vmm4j.network;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;

/** Datagrams (RFC 768): DHCP and, if allowed, NAT to the host's network. */
final class Udp {
  private static final int HEADER_BYTES = 8;
  private static final int DOMAIN = 53;
  private static final int MOST_FLOWS = 256;

  /** RFC 4787, REQ-5, wants 2 minutes at least. */
  private static final long IDLE_NANOS = 120_000_000_000L;

  private record Key(int guest, int guestPort, int remote, int remotePort) {}

  /** A socket of the host's for a pair of addresses. */
  private static final class Flow {
    private final Hosts.Datagrams socket;
    private long lastUsed;

    Flow(Hosts.Datagrams socket) {
      this.socket = socket;
    }
  }

  private final Wire wire;
  private final Hosts hosts;
  private final boolean outbound;
  private final LongSupplier clock;
  private final Map<Key, Flow> flows = new LinkedHashMap<>(16, 0.75f, true);

  Udp(Wire wire, Hosts hosts, boolean outbound, LongSupplier clock) {
    this.wire = wire;
    this.hosts = hosts;
    this.outbound = outbound;
    this.clock = clock;
  }

  /** What becomes of a datagram. */
  enum Fate {
    TAKEN,
    /** It makes no sense. */
    BAD,
    /** Nobody is there. */
    UNREACHABLE
  }

  Fate receive(Ipv4Packet packet) {
    byte[] b = packet.frame();
    int at = packet.offset();
    if (packet.length() < HEADER_BYTES) {
      return Fate.BAD;
    }
    int length = Words.get16(b, at + 4);
    if (length < HEADER_BYTES
        || length > packet.length()
        || Words.get16(b, at + 6) != 0 && !packet.isIntact()) {
      return Fate.BAD;
    }
    int from = Words.get16(b, at);
    int to = Words.get16(b, at + 2);
    int payload = at + HEADER_BYTES;
    int bytes = length - HEADER_BYTES;
    boolean toServer =
        packet.destination() == Addresses.LIMITED_BROADCAST
            || packet.destination() == Addresses.GATEWAY;
    if (to == Dhcp.SERVER_PORT && from == Dhcp.CLIENT_PORT && toServer) {
      Dhcp.answer(b, payload, bytes).ifPresent(this::answer);
      return Fate.TAKEN;
    }
    Key key = new Key(packet.source(), from, packet.destination(), to);
    Optional<InetSocketAddress> target = destination(key);
    if (target.isEmpty() || from == 0 || to == 0 || !Addresses.isGuests(packet.source())) {
      return Fate.UNREACHABLE;
    }
    try {
      Flow flow = flow(key, target.get());
      flow.lastUsed = clock.getAsLong();
      flow.socket.send(b, payload, bytes);
      return Fate.TAKEN;
    } catch (IOException e) {
      close(key);
      return Fate.UNREACHABLE;
    }
  }

  private Optional<InetSocketAddress> destination(Key key) {
    if (!outbound) {
      return Optional.empty();
    }
    if (key.remote == Addresses.GATEWAY) {
      return Optional.of(new InetSocketAddress(InetAddress.getLoopbackAddress(), key.remotePort));
    }
    if (key.remote == Addresses.NAME_SERVER) {
      return key.remotePort == DOMAIN ? Optional.of(hosts.nameServer()) : Optional.empty();
    }
    return Addresses.isOutside(key.remote)
        ? Optional.of(new InetSocketAddress(Addresses.host(key.remote), key.remotePort))
        : Optional.empty();
  }

  private Flow flow(Key key, InetSocketAddress target) throws IOException {
    Optional<Flow> known = Optional.ofNullable(flows.get(key));
    if (known.isPresent()) {
      return known.get();
    }
    if (flows.size() >= MOST_FLOWS) {
      close(flows.keySet().iterator().next()); // the one that was used longest ago
    }
    Flow made = new Flow(hosts.datagrams(target, bytes -> send(key, bytes)));
    flows.put(key, made);
    return made;
  }

  private void close(Key key) {
    Optional.ofNullable(flows.remove(key)).ifPresent(flow -> flow.socket.close());
  }

  private void send(Key key, byte[] bytes) {
    Optional.ofNullable(flows.get(key)).ifPresent(flow -> flow.lastUsed = clock.getAsLong());
    byte[] frame = datagram(key.remote, key.remotePort, key.guest, key.guestPort, bytes);
    wire.send(frame, Ipv4Packet.UDP, key.remote, key.guest);
  }

  private void answer(Dhcp.Answer answer) {
    int to = answer.address();
    byte[] frame =
        datagram(Addresses.GATEWAY, Dhcp.SERVER_PORT, to, Dhcp.CLIENT_PORT, answer.message());
    wire.send(frame, answer.mac(), Ipv4Packet.UDP, Addresses.GATEWAY, to);
  }

  private static byte[] datagram(int source, int from, int destination, int to, byte[] bytes) {
    int length = HEADER_BYTES + bytes.length;
    byte[] frame = new byte[Wire.PAYLOAD + length];
    int at = Wire.PAYLOAD;
    Words.put16(frame, at, from);
    Words.put16(frame, at + 2, to);
    Words.put16(frame, at + 4, length);
    System.arraycopy(bytes, 0, frame, at + HEADER_BYTES, bytes.length);
    long pseudo = Checksum.pseudo(source, destination, Ipv4Packet.UDP, length);
    int checksum = Checksum.fold(Checksum.sum(pseudo, frame, at, length));
    Words.put16(frame, at + 6, checksum == 0 ? 0xFFFF : checksum);
    return frame;
  }

  /** Whether there are any. */
  boolean isEmpty() {
    return flows.isEmpty();
  }

  /** Ends those that nobody has used for long. */
  void tick() {
    long now = clock.getAsLong();
    flows
        .values()
        .removeIf(flow -> {
          boolean idle = now - flow.lastUsed > IDLE_NANOS;
          if (idle) {
            flow.socket.close();
          }
          return idle;
        });
  }

  void endAll() {
    flows.values().forEach(flow -> flow.socket.close());
    flows.clear();
  }
}

package io.vmm4j.network;

import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/**
 * The network as the guest sees it, from Ethernet on. It takes frames whose every byte may be
 * wrong. One thread at a time.
 */
final class UserStack {
  private static final int ECHO = 8;
  private static final int UNREACHABLE = 3;
  private static final int PORT_UNREACHABLE = 3;
  private static final int ICMP_BYTES = 8;

  private final Wire wire;
  private final Tcp tcp;
  private final Udp udp;

  /**
   * A stack without connections.
   *
   * @param guest takes frames
   * @param clock nanoseconds of a clock that stands still while the machine does
   * @param random for sequence numbers
   */
  UserStack(
      int mtu,
      boolean outbound,
      Consumer<byte[]> guest,
      Hosts hosts,
      LongSupplier clock,
      RandomGenerator random) {
    this.wire = new Wire(mtu, guest);
    this.tcp = new Tcp(new TcpOutput(wire), hosts, outbound, clock, random);
    this.udp = new Udp(wire, hosts, outbound, clock);
  }

  Tcp tcp() {
    return tcp;
  }

  /** Whether there is anything that time may end. */
  boolean hasFlows() {
    return tcp.count() > 0 || !udp.isEmpty();
  }

  /**
   * Takes a frame from the guest.
   *
   * @return false if it makes no sense, or leads where nothing is
   */
  boolean receive(byte[] frame) {
    if (frame.length < Ipv4Packet.ETHERNET_BYTES) {
      return false;
    }
    return switch (Words.get16(frame, 12)) {
      case Wire.TYPE_ARP -> wire.arp(frame);
      case Wire.TYPE_IPV4 -> Ipv4Packet.of(frame).map(this::receive).orElse(false);
      default -> false;
    };
  }

  private boolean receive(Ipv4Packet packet) {
    boolean isGuests = Addresses.isGuests(packet.source());
    if (isGuests) {
      wire.learn(packet.source(), Words.get48(packet.frame(), 6));
    } else if (packet.protocol() != Ipv4Packet.UDP || packet.source() != 0) {
      return false; // DHCP alone begins without an address
    }
    return switch (packet.protocol()) {
      case Ipv4Packet.TCP -> tcp.receive(packet);
      case Ipv4Packet.UDP -> {
        Udp.Fate fate = udp.receive(packet);
        if (fate == Udp.Fate.UNREACHABLE && isGuests && isSingle(packet.destination())) {
          unreachable(packet);
        }
        yield fate == Udp.Fate.TAKEN;
      }
      case Ipv4Packet.ICMP -> echo(packet);
      default -> false;
    };
  }

  private static boolean isSingle(int address) {
    return address >>> 28 < 0xE && address != Addresses.BROADCAST;
  }

  private boolean echo(Ipv4Packet packet) {
    int length = packet.length();
    byte[] b = packet.frame();
    if (length < ICMP_BYTES
        || b[packet.offset()] != ECHO
        || !Addresses.isOurs(packet.destination())
        || Checksum.fold(Checksum.sum(0, b, packet.offset(), length)) != 0) {
      return false;
    }
    byte[] frame = new byte[Wire.PAYLOAD + length];
    System.arraycopy(b, packet.offset(), frame, Wire.PAYLOAD, length);
    frame[Wire.PAYLOAD] = 0;
    sendIcmp(frame, packet.destination(), packet.source());
    return true;
  }

  private void unreachable(Ipv4Packet packet) {
    int from = Ipv4Packet.ETHERNET_BYTES;
    int count = packet.offset() - from + Math.min(8, packet.length());
    byte[] frame = new byte[Wire.PAYLOAD + ICMP_BYTES + count];
    frame[Wire.PAYLOAD] = UNREACHABLE;
    frame[Wire.PAYLOAD + 1] = PORT_UNREACHABLE;
    System.arraycopy(packet.frame(), from, frame, Wire.PAYLOAD + ICMP_BYTES, count);
    int source = Addresses.isOurs(packet.destination()) ? packet.destination() : Addresses.GATEWAY;
    sendIcmp(frame, source, packet.source());
  }

  private void sendIcmp(byte[] frame, int source, int destination) {
    Words.put16(frame, Wire.PAYLOAD + 2, 0);
    long sum = Checksum.sum(0, frame, Wire.PAYLOAD, frame.length - Wire.PAYLOAD);
    Words.put16(frame, Wire.PAYLOAD + 2, Checksum.fold(sum));
    wire.send(frame, Ipv4Packet.ICMP, source, destination);
  }

  /** Moves what can be moved. */
  void flush() {
    tcp.flush();
  }

  /** Looks at the time. */
  void tick() {
    tcp.tick();
    udp.tick();
    tcp.flush();
  }

  /** Ends everything; the guest is not told. */
  void endAll(String why) {
    tcp.endAll(why);
    udp.endAll();
  }

  /** Begins anew for a guest that remembers connections. */
  void restart(Memory memory) {
    endAll("the machine was restored");
    wire.forget();
    memory.neighbours().forEach(wire::learn);
    tcp.resetRemembered(memory.connections());
  }

  /** What a restored guest will remember; any thread. */
  Memory memory() {
    return new Memory(wire.neighbours(), tcp.positions());
  }
}

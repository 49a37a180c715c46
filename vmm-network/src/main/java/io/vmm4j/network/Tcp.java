package io.vmm4j.network;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/** The TCP connections of a network, of which there are no more than a limit. */
final class Tcp {
  static final int MOST_CONNECTIONS = 512;

  private static final int FIRST_PORT = 49_152;
  private static final int PORTS = 16_384;
  private static final int DOMAIN = 53;
  private static final int GHOST_TRIES = 3;
  private static final long GHOST_NANOS = 1_000_000_000L;

  /** A connection of which only the guest still knows, since a restore. */
  private record Ghost(TcpKey key, TcpConnection.Position position, int tries, long deadline) {}

  private final TcpOutput output;
  private final Hosts hosts;
  private final boolean outbound;
  private final LongSupplier clock;
  private final RandomGenerator random;

  /** Other threads count it, and save positions. */
  private final Map<TcpKey, TcpConnection> connections = new ConcurrentHashMap<>();

  private final Set<TcpConnection> touched = new LinkedHashSet<>();
  private List<Ghost> ghosts = new ArrayList<>();
  private int lastPort;

  Tcp(TcpOutput output, Hosts hosts, boolean outbound, LongSupplier clock, RandomGenerator random) {
    this.output = output;
    this.hosts = hosts;
    this.outbound = outbound;
    this.clock = clock;
    this.random = random;
    this.lastPort = random.nextInt(PORTS);
  }

  TcpOutput output() {
    return output;
  }

  long now() {
    return clock.getAsLong();
  }

  /** How many there are; any thread. */
  int count() {
    return connections.size();
  }

  /** Where each one is; any thread. */
  Map<TcpKey, TcpConnection.Position> positions() {
    Map<TcpKey, TcpConnection.Position> found = new ConcurrentHashMap<>();
    connections.forEach((key, connection) -> found.put(key, connection.position()));
    return found;
  }

  void touch(TcpConnection connection) {
    touched.add(connection);
  }

  void remove(TcpConnection connection) {
    connections.remove(connection.key(), connection);
  }

  /** Takes a segment; false if it makes no sense. */
  boolean receive(Ipv4Packet packet) {
    Optional<TcpSegment> parsed = TcpSegment.of(packet);
    if (parsed.isEmpty()) {
      return false;
    }
    TcpSegment s = parsed.get();
    int at = packet.offset();
    int guestPort = Words.get16(packet.frame(), at);
    int remotePort = Words.get16(packet.frame(), at + 2);
    TcpKey key = new TcpKey(packet.source(), guestPort, packet.destination(), remotePort);
    Optional<TcpConnection> known = Optional.ofNullable(connections.get(key));
    boolean opens =
        (s.flags() & (TcpSegment.SYN | TcpSegment.ACK | TcpSegment.RST)) == TcpSegment.SYN;
    if (known.isPresent() && opens && known.get().isLingering()) {
      known.get().end("the guest uses the port again");
      known = Optional.empty();
    }
    if (known.isPresent()) {
      known.get().receive(s);
    } else if (opens && guestPort != 0 && remotePort != 0) {
      accept(key, s);
    } else {
      output.refuse(key, s);
    }
    return true;
  }

  private void accept(TcpKey key, TcpSegment s) {
    Optional<InetSocketAddress> to = destination(key);
    if (to.isEmpty() || !hasRoom()) {
      output.refuse(key, s);
      return;
    }
    try {
      connections.put(
          key,
          TcpConnection.asked(
              this, key, s, random.nextInt(), connection -> hosts.connect(to.get(), connection)));
    } catch (IOException e) {
      output.refuse(key, s);
    }
  }

  /** Where a connection of the guest's leads, if it may lead anywhere. */
  private Optional<InetSocketAddress> destination(TcpKey key) {
    if (!outbound) {
      return Optional.empty();
    }
    if (key.remote() == Addresses.GATEWAY) {
      return Optional.of(new InetSocketAddress(InetAddress.getLoopbackAddress(), key.remotePort()));
    }
    if (key.remote() == Addresses.NAME_SERVER) {
      return key.remotePort() == DOMAIN ? Optional.of(hosts.nameServer()) : Optional.empty();
    }
    return Addresses.isOutside(key.remote())
        ? Optional.of(new InetSocketAddress(Addresses.host(key.remote()), key.remotePort()))
        : Optional.empty();
  }

  private boolean hasRoom() {
    if (connections.size() >= MOST_CONNECTIONS) {
      List.copyOf(connections.values()).stream()
          .filter(TcpConnection::isLingering)
          .findAny()
          .ifPresent(lingering -> lingering.end("closed"));
    }
    return connections.size() < MOST_CONNECTIONS;
  }

  /**
   * Begins a connection into the guest.
   *
   * @throws IOException if there are too many
   */
  TcpConnection connect(int guestPort, HostSide host) throws IOException {
    if (!hasRoom()) {
      throw new IOException("%d connections are too many".formatted(connections.size()));
    }
    TcpKey key;
    do {
      lastPort = (lastPort + 1) % PORTS;
      key = new TcpKey(Addresses.GUEST, guestPort, Addresses.GATEWAY, FIRST_PORT + lastPort);
    } while (connections.containsKey(key));
    TcpConnection made = TcpConnection.ask(this, key, random.nextInt(), host);
    connections.put(key, made);
    return made;
  }

  /** Moves what can be moved. */
  void flush() {
    while (!touched.isEmpty()) {
      Iterator<TcpConnection> each = touched.iterator();
      TcpConnection connection = each.next();
      each.remove();
      connection.pump();
    }
  }

  /** Looks at the time. */
  void tick() {
    long now = now();
    for (TcpConnection connection : connections.values()) {
      connection.tick(now);
    }
    haunt(now);
  }

  /** Whether time matters soon. */
  boolean isTimed() {
    return !ghosts.isEmpty() || connections.values().stream().anyMatch(TcpConnection::isTimed);
  }

  /** Ends all connections; the guest is not told. */
  void endAll(String why) {
    List.copyOf(connections.values()).forEach(connection -> connection.end(why));
    touched.clear();
    ghosts.clear();
  }

  /** Tells the guest that connections that it remembers are no more. */
  void resetRemembered(Map<TcpKey, TcpConnection.Position> remembered) {
    remembered.forEach((key, position) -> ghosts.add(new Ghost(key, position, 0, now())));
    haunt(now());
  }

  /**
   * Resets are lost as other segments are, so there are several. If one does not match exactly the
   * guest asks (RFC 5961), and is answered as for any connection that does not exist.
   */
  private void haunt(long now) {
    List<Ghost> left = new ArrayList<>();
    for (Ghost ghost : ghosts) {
      if (now - ghost.deadline() < 0) {
        left.add(ghost);
      } else if (!connections.containsKey(ghost.key())) {
        TcpConnection.Position at = ghost.position();
        output.send(ghost.key(), at.seq(), at.ack(), TcpSegment.RST | TcpSegment.ACK, 0);
        if (ghost.tries() + 1 < GHOST_TRIES) {
          left.add(new Ghost(ghost.key(), at, ghost.tries() + 1, now + GHOST_NANOS));
        }
      }
    }
    ghosts = left;
  }
}

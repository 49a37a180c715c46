package io.vmm4j.network;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.channel.ByteRing;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Consumer;

/** A stack with a clock that is set by hand, hosts that do as they are told, and a guest's hand. */
final class StackBench implements Hosts {
  static final long GUEST_MAC = 0x5254_0012_3456L;
  static final int OUTSIDE = 0x5DB8_D822;
  private static final int WINDOW = 0xFFFF;

  /** The host's end of a connection. */
  static final class Host implements HostSide {
    private final ByteRing input = new ByteRing(1 << 20);
    private final ByteArrayOutputStream output = new ByteArrayOutputStream();
    private final TcpConnection connection;
    private boolean inputEnded;
    private boolean broken;
    private int most = Integer.MAX_VALUE;
    boolean opened;
    boolean outputEnded;
    boolean closed;
    Optional<String> reset = Optional.empty();

    Host(TcpConnection connection) {
      this.connection = connection;
    }

    void say(byte[] bytes) {
      input.append(bytes, 0, bytes.length);
      connection.hostReady();
    }

    void end() {
      inputEnded = true;
      connection.hostReady();
    }

    /** Takes so many bytes in all. */
    void takeAtMost(int bytes) {
      most = bytes;
      connection.hostReady();
    }

    void breakDown() {
      broken = true;
      connection.hostReady();
    }

    byte[] heard() {
      return output.toByteArray();
    }

    @Override
    public void opened() {
      opened = true;
    }

    @Override
    public int read(ByteRing target) throws IOException {
      if (broken) {
        throw new IOException("broken");
      }
      if (input.isEmpty()) {
        return inputEnded ? -1 : 0;
      }
      byte[] bytes = new byte[Math.min(input.size(), target.free())];
      input.copy(0, bytes, 0, bytes.length);
      input.drop(bytes.length);
      target.append(bytes, 0, bytes.length);
      return bytes.length;
    }

    @Override
    public void write(ByteRing source) {
      byte[] bytes = new byte[Math.min(source.size(), most - output.size())];
      source.copy(0, bytes, 0, bytes.length);
      source.drop(bytes.length);
      output.writeBytes(bytes);
    }

    @Override
    public void shutdownOutput() {
      outputEnded = true;
    }

    @Override
    public void await(boolean wantsInput, boolean room) {
      // The tests say when it is ready.
    }

    @Override
    public void close() {
      closed = true;
    }

    @Override
    public void reset(String why) {
      reset = Optional.of(why);
    }
  }

  final List<Host> hosts = new ArrayList<>();
  final List<InetSocketAddress> reached = new ArrayList<>();
  final List<byte[]> datagrams = new ArrayList<>();
  final List<Consumer<byte[]>> receivers = new ArrayList<>();
  final UserStack stack;
  private final Deque<byte[]> frames = new ArrayDeque<>();
  private int open;
  private long now = 1_000_000_000L;

  StackBench(boolean outbound) {
    this.stack = new UserStack(1500, outbound, frames::add, this, () -> now, new NearTheEnd());
  }

  /** Has sequence numbers go round soon. */
  private static final class NearTheEnd extends Random {
    private static final long serialVersionUID = 1L;

    NearTheEnd() {
      super(1);
    }

    @Override
    public int nextInt() {
      return -1000;
    }
  }

  // ---- the host ----

  @Override
  public HostSide connect(InetSocketAddress to, TcpConnection connection) throws IOException {
    if (to.getPort() == 1) {
      throw new IOException("unreachable");
    }
    reached.add(to);
    Host made = new Host(connection);
    hosts.add(made);
    return made;
  }

  @Override
  public Datagrams datagrams(InetSocketAddress to, Consumer<byte[]> receiver) {
    reached.add(to);
    receivers.add(receiver);
    open++;
    return new Datagrams() {
      @Override
      public void send(byte[] bytes, int offset, int length) {
        datagrams.add(Arrays.copyOfRange(bytes, offset, offset + length));
      }

      @Override
      public void close() {
        open--;
      }
    };
  }

  @Override
  public InetSocketAddress nameServer() {
    return new InetSocketAddress("192.0.2.53", 53);
  }

  /** How many datagram sockets are open. */
  int open() {
    return open;
  }

  // ---- time ----

  /** Lets time pass, in steps as the network's thread does. */
  void pass(long millis) {
    for (long i = 0; i < millis; i += 20) {
      now += 20_000_000L;
      stack.tick();
    }
  }

  // ---- frames ----

  /** Sends a frame as it is. */
  boolean send(byte[] frame) {
    boolean taken = stack.receive(frame);
    stack.flush();
    return taken;
  }

  /** What the guest has got since. */
  List<byte[]> frames() {
    List<byte[]> taken = new ArrayList<>(frames);
    frames.clear();
    return taken;
  }

  static byte[] ipv4(int protocol, int source, int destination, byte[] payload) {
    byte[] frame = new byte[34 + payload.length];
    Words.put48(frame, 0, Addresses.GATEWAY_MAC);
    Words.put48(frame, 6, GUEST_MAC);
    Words.put16(frame, 12, 0x0800);
    frame[14] = 0x45;
    Words.put16(frame, 16, 20 + payload.length);
    frame[22] = 64;
    frame[23] = (byte) protocol;
    Words.put32(frame, 26, source);
    Words.put32(frame, 30, destination);
    Words.put16(frame, 24, checksum(frame, 14, 20, 0));
    System.arraycopy(payload, 0, frame, 34, payload.length);
    return frame;
  }

  /** Written apart from the stack's own. */
  static int checksum(byte[] bytes, int offset, int length, int first) {
    int sum = first;
    for (int i = 0; i < length; i++) {
      sum += (bytes[offset + i] & 0xFF) << (i % 2 == 0 ? 8 : 0);
      sum = (sum & 0xFFFF) + (sum >>> 16);
    }
    return ~sum & 0xFFFF;
  }

  static byte[] udp(int source, int from, int destination, int to, byte[] payload) {
    byte[] datagram = new byte[8 + payload.length];
    Words.put16(datagram, 0, from);
    Words.put16(datagram, 2, to);
    Words.put16(datagram, 4, datagram.length);
    System.arraycopy(payload, 0, datagram, 8, payload.length);
    return ipv4(17, source, destination, datagram);
  }

  static byte[] tcp(
      int port, int destination, int to, int seq, int ack, int flags, int window, byte[] rest) {
    // rest: options (if SYN) or data
    boolean opens = (flags & TcpSegment.SYN) != 0;
    byte[] segment = new byte[20 + rest.length];
    Words.put16(segment, 0, port);
    Words.put16(segment, 2, to);
    Words.put32(segment, 4, seq);
    Words.put32(segment, 8, ack);
    segment[12] = (byte) ((opens ? 5 + rest.length / 4 : 5) << 4);
    segment[13] = (byte) flags;
    Words.put16(segment, 14, window);
    System.arraycopy(rest, 0, segment, 20, rest.length);
    byte[] pseudo = new byte[12];
    Words.put32(pseudo, 0, Addresses.GUEST);
    Words.put32(pseudo, 4, destination);
    pseudo[9] = 6;
    Words.put16(pseudo, 10, segment.length);
    int first = ~checksum(pseudo, 0, 12, 0) & 0xFFFF;
    Words.put16(segment, 16, checksum(segment, 0, segment.length, first));
    return ipv4(6, Addresses.GUEST, destination, segment);
  }

  /** The guest's hand at a TCP connection. */
  final class Peer {
    final int port;
    final int remote;
    final int remotePort;
    int seq = 1000;
    int ack;
    int window = WINDOW;

    Peer(int port, int remote, int remotePort) {
      this.port = port;
      this.remote = remote;
      this.remotePort = remotePort;
    }

    void send(int flags, byte... rest) {
      sendAt(seq, flags, rest);
    }

    void sendAt(int at, int flags, byte... rest) {
      StackBench.this.send(tcp(port, remote, remotePort, at, ack, flags, window, rest));
    }

    List<TcpSegment> segments() {
      return frames().stream()
          .map(Ipv4Packet::of)
          .flatMap(Optional::stream)
          .filter(packet -> packet.protocol() == 6)
          .map(packet -> TcpSegment.of(packet).orElseThrow())
          .toList();
    }

    TcpSegment only() {
      List<TcpSegment> all = segments();
      assertThat(all).hasSize(1);
      return all.getFirst();
    }

    /** Opens it from the guest's side. */
    Host open() {
      send(TcpSegment.SYN, (byte) 2, (byte) 4, (byte) 0x05, (byte) 0xB4);
      Host host = hosts.getLast();
      host.connection.hostConnected();
      TcpSegment answer = only();
      assertThat(answer.flags()).isEqualTo(TcpSegment.SYN | TcpSegment.ACK);
      assertThat(answer.ack()).isEqualTo(seq + 1);
      seq++;
      ack = answer.seq() + 1;
      send(TcpSegment.ACK);
      segments();
      return host;
    }

    /** Takes what has come in order, and acknowledges it. */
    byte[] take() {
      ByteArrayOutputStream taken = new ByteArrayOutputStream();
      for (List<TcpSegment> got = segments(); !got.isEmpty(); got = segments()) {
        for (TcpSegment s : got) {
          if (s.seq() == ack) {
            taken.write(s.bytes(), s.offset(), s.length());
            ack += s.span();
          }
        }
        send(TcpSegment.ACK);
      }
      return taken.toByteArray();
    }
  }

  Peer peer(int port, int remote, int remotePort) {
    return new Peer(port, remote, remotePort);
  }
}

package io.vmm4j.network;

import static io.vmm4j.network.TcpSegment.ACK;
import static io.vmm4j.network.TcpSegment.FIN;
import static io.vmm4j.network.TcpSegment.PSH;
import static io.vmm4j.network.TcpSegment.RST;
import static io.vmm4j.network.TcpSegment.SYN;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.DeviceException;
import io.vmm4j.api.channel.GuestChannel;
import io.vmm4j.api.network.NetworkLink;
import io.vmm4j.api.network.NetworkPort;
import io.vmm4j.api.network.NetworkSettings;
import io.vmm4j.api.network.PortForward;
import io.vmm4j.api.network.UserNetwork;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The network with its thread and the host's sockets; the guest's frames are made by hand. */
@Timeout(60)
class UserNetworkTest {
  private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

  /** A card, and the guest behind it. */
  private static final class Card implements NetworkPort, AutoCloseable {
    private final BlockingQueue<byte[]> frames = new LinkedBlockingQueue<>();
    private final boolean restoring;
    private Optional<Object> offered = Optional.empty();
    private final NetworkLink link;

    Card(boolean outbound, boolean restoring, PortForward... forwards) {
      this.restoring = restoring;
      this.link =
          new UserNetworkFactory().connect(new NetworkSettings(outbound, List.of(forwards)), this);
      // the guest says who it is
      link.send(StackBench.udp(Addresses.GUEST, 9, Addresses.GATEWAY, 68, new byte[0]));
    }

    UserNetwork network() {
      return (UserNetwork) offered.orElseThrow();
    }

    /** The next TCP segment, with its ports. */
    Received segment() throws InterruptedException {
      while (true) {
        byte[] frame = frames.poll(30, TimeUnit.SECONDS);
        assertThat(frame).as("a frame").isNotNull();
        Optional<Ipv4Packet> packet = Ipv4Packet.of(frame);
        if (packet.isPresent() && packet.get().protocol() == Ipv4Packet.TCP) {
          int at = packet.get().offset();
          return new Received(
              Words.get16(frame, at),
              Words.get16(frame, at + 2),
              TcpSegment.of(packet.get()).orElseThrow());
        }
      }
    }

    void send(int port, int to, int seq, int ack, int flags, byte[] rest) {
      link.send(StackBench.tcp(port, Addresses.GATEWAY, to, seq, ack, flags, 0xFFFF, rest));
    }

    /** Takes a connection into the guest. */
    Received accept() throws InterruptedException {
      Received syn = segment();
      assertThat(syn.segment.flags()).isEqualTo(SYN);
      send(syn.to, syn.from, 7000, syn.segment.seq() + 1, SYN | ACK, new byte[0]);
      return syn;
    }

    @Override
    public String path() {
      return "pci/00:05.0";
    }

    @Override
    public boolean restoring() {
      return restoring;
    }

    @Override
    public byte[] macAddress() {
      return new byte[6];
    }

    @Override
    public int mtu() {
      return 1500;
    }

    @Override
    public boolean deliver(byte[] frame) {
      return frames.add(frame);
    }

    @Override
    public long guestNanos() {
      return System.nanoTime();
    }

    @Override
    public <T> void offer(Class<T> type, T endpoint) {
      offered = Optional.of(endpoint);
    }

    @Override
    public void close() {
      link.close();
    }
  }

  private record Received(int from, int to, TcpSegment segment) {}

  private static byte[] text(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  @Test
  void theGuestReachesTheHostsLoopbackThroughTheGateway() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 5, LOOPBACK);
        Card card = new Card(true, false)) {
      card.send(4000, server.getLocalPort(), 100, 0, SYN, new byte[0]);
      Received opened = card.segment();
      assertThat(opened.segment.flags()).isEqualTo(SYN | ACK);
      int ack = opened.segment.seq() + 1;
      card.send(4000, server.getLocalPort(), 101, ack, ACK | PSH, text("ping"));
      try (Socket accepted = server.accept()) {
        assertThat(accepted.getInputStream().readNBytes(4)).isEqualTo(text("ping"));
        accepted.getOutputStream().write(text("pong"));
        Received pong = card.segment();
        while (pong.segment.length() == 0) {
          pong = card.segment();
        }
        assertThat(pong.segment.length()).isEqualTo(4);
        // a reset of the guest's reaches the host
        card.send(4000, server.getLocalPort(), 105, ack + 4, RST, new byte[0]);
        assertThatThrownBy(() -> accepted.getInputStream().read()).hasMessageContaining("reset");
      }
    }
  }

  @Test
  void aPortWhereNobodyListensIsRefused() throws Exception {
    int port;
    try (ServerSocket taken = new ServerSocket(0, 5, LOOPBACK)) {
      port = taken.getLocalPort();
    }
    try (Card card = new Card(true, false)) {
      card.send(4000, port, 100, 0, SYN, new byte[0]);
      assertThat(card.segment().segment.flags()).isEqualTo(RST | ACK);
    }
  }

  @Test
  void datagramsReachTheHost() throws Exception {
    try (DatagramSocket server = new DatagramSocket(0, LOOPBACK);
        Card card = new Card(true, false)) {
      card.link.send(
          StackBench.udp(
              Addresses.GUEST, 5000, Addresses.GATEWAY, server.getLocalPort(), text("ping")));
      DatagramPacket got = new DatagramPacket(new byte[100], 100);
      server.receive(got);
      assertThat(got.getLength()).isEqualTo(4);
      server.send(new DatagramPacket(text("pong!"), 5, got.getSocketAddress()));
      byte[] frame = card.frames.poll(30, TimeUnit.SECONDS);
      assertThat(frame).hasSize(42 + 5);
      assertThat(Words.get16(frame, 36)).isEqualTo(5000);
    }
  }

  @Test
  void aForwardLeadsIntoTheGuestAndItsPortIsFreeAtTheEnd() throws Exception {
    int hostPort;
    try (Card card = new Card(false, false, new PortForward(0, 22))) {
      PortForward forward = card.network().forwards().getFirst();
      hostPort = forward.hostPort();
      assertThat(forward.guestPort()).isEqualTo(22);
      assertThat(hostPort).isPositive();
      try (Socket socket = new Socket(LOOPBACK, hostPort)) {
        socket.getOutputStream().write(text("hello"));
        Received syn = card.accept();
        assertThat(syn.to).isEqualTo(22);
        Received hello = card.segment();
        while (hello.segment.length() == 0) {
          hello = card.segment();
        }
        assertThat(hello.segment.length()).isEqualTo(5);
        card.send(22, syn.from, 7001, hello.segment.seq() + 5, ACK | FIN, new byte[0]);
        assertThat(socket.getInputStream().read()).isEqualTo(-1);
        assertThat(card.network().counters().connections()).isEqualTo(1);
      }

      // a second network can't have the port, and says which, unless it is restored
      assertThatThrownBy(() -> new Card(false, false, new PortForward(hostPort, 22)))
          .isInstanceOf(DeviceException.class)
          .hasMessageContaining("host port " + hostPort);
      try (Card fork = new Card(false, true, new PortForward(hostPort, 22))) {
        assertThat(fork.network().forwards().getFirst().hostPort()).isNotEqualTo(hostPort);
      }
    }
    new ServerSocket(hostPort, 5, LOOPBACK).close();
  }

  private static CompletableFuture<GuestChannel> connecting(Card card, int port) {
    return CompletableFuture.supplyAsync(() -> {
      try {
        return card.network().connect(port);
      } catch (IOException e) {
        throw new CompletionException(e);
      }
    });
  }

  @Test
  void aChannelReadsAndWritesAndEnds() throws Exception {
    try (Card card = new Card(false, false)) {
      CompletableFuture<GuestChannel> opening = connecting(card, 80);
      Received syn = card.accept();
      int ack = syn.segment.seq() + 1;
      try (GuestChannel channel = opening.join()) {
        assertThat(card.segment().segment.flags()).isEqualTo(ACK);
        assertThat(channel.write(ByteBuffer.wrap(text("hello")))).isEqualTo(5);
        assertThat(card.segment().segment.length()).isEqualTo(5);
        card.send(80, syn.from, 7001, ack + 5, ACK, text("answer"));
        ByteBuffer answer = ByteBuffer.allocate(100);
        assertThat(channel.read(answer)).isEqualTo(6);
        assertThat(card.segment().segment.ack()).isEqualTo(7007);

        channel.shutdownOutput();
        assertThat(card.segment().segment.is(FIN)).isTrue();
        assertThatThrownBy(() -> channel.write(ByteBuffer.allocate(1)))
            .isInstanceOf(ClosedChannelException.class);
        card.send(80, syn.from, 7007, ack + 6, ACK | FIN, new byte[0]);
        assertThat(channel.read(answer)).isEqualTo(-1);
        assertThat(channel.isOpen()).isTrue();
      }
    }
  }

  @Test
  void whoWaitsForTheGuestLearnsOfItsRefusalOfARestoreAndOfTheEnd() throws Exception {
    Card card = new Card(false, false);
    try (card) {
      CompletableFuture<GuestChannel> refused = connecting(card, 80);
      Received syn = card.segment();
      card.send(80, syn.from, 0, syn.segment.seq() + 1, RST | ACK, new byte[0]);
      assertThatThrownBy(refused::join).hasMessageContaining("refuses");

      CompletableFuture<GuestChannel> opening = connecting(card, 80);
      card.accept();
      GuestChannel channel = opening.join();
      card.link.restore(new byte[0]);
      assertThatThrownBy(() -> channel.read(ByteBuffer.allocate(1)))
          .hasMessageContaining("restored");
      assertThatThrownBy(() -> card.link.restore(new byte[] {9}))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> card.network().connect(0))
          .isInstanceOf(IllegalArgumentException.class);

      CompletableFuture<GuestChannel> never = connecting(card, 81);
      card.close();
      assertThatThrownBy(never::join).hasMessageContaining("closed");
    }
    assertThatThrownBy(() -> card.network().connect(80)).hasMessageContaining("closed");
  }

  @Test
  void anInterruptClosesTheChannelOfAThreadThatWaits() throws Exception {
    try (Card card = new Card(false, false)) {
      CompletableFuture<GuestChannel> opening = connecting(card, 80);
      card.accept();
      GuestChannel channel = opening.join();
      Thread.currentThread().interrupt();
      assertThatThrownBy(() -> channel.read(ByteBuffer.allocate(1)))
          .isInstanceOf(ClosedByInterruptException.class);
      assertThat(Thread.interrupted()).isTrue();
      assertThat(channel.isOpen()).isFalse();
    }
  }
}

package io.vmm4j.network;

import io.vmm4j.api.channel.GuestChannel;
import io.vmm4j.api.channel.GuestChannelException;
import io.vmm4j.api.channel.ProgramChannel;
import io.vmm4j.api.network.NetworkCounters;
import io.vmm4j.api.network.NetworkLink;
import io.vmm4j.api.network.NetworkPort;
import io.vmm4j.api.network.NetworkSettings;
import io.vmm4j.api.network.PortForward;
import io.vmm4j.api.network.UserNetwork;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The network's end of the cable, and what its user sees of it. */
final class UserLink implements NetworkLink, UserNetwork {
  private static final Logger LOG = LoggerFactory.getLogger(UserLink.class);
  private static final int MOST_PORT = 65535;

  private final NetworkLoop loop;
  private final List<PortForward> forwards;

  /**
   * Begins to listen.
   *
   * @throws IOException if a host port can't be had; the message names it
   */
  UserLink(NetworkSettings settings, NetworkPort port) throws IOException {
    this.loop = new NetworkLoop(port, settings.outbound());
    List<ServerSocketChannel> listening = new ArrayList<>();
    List<PortForward> opened = new ArrayList<>();
    try {
      for (PortForward forward : settings.forwards()) {
        ServerSocketChannel channel = ServerSocketChannel.open();
        listening.add(channel);
        bind(channel, forward, port);
        loop.listen(channel, forward.guestPort());
        int hostPort = ((InetSocketAddress) channel.getLocalAddress()).getPort();
        opened.add(new PortForward(hostPort, forward.guestPort()));
      }
    } catch (IOException | RuntimeException e) {
      listening.forEach(NetworkLoop::close);
      loop.discard();
      throw e;
    }
    this.forwards = List.copyOf(opened);
    loop.start();
  }

  private static void bind(ServerSocketChannel channel, PortForward forward, NetworkPort port)
      throws IOException {
    InetAddress loopback = InetAddress.getLoopbackAddress();
    try {
      channel.bind(new InetSocketAddress(loopback, forward.hostPort()));
    } catch (BindException e) {
      if (!port.restoring()) {
        throw new IOException(
            "host port %d can't be had: %s".formatted(forward.hostPort(), e.getMessage()), e);
      }
      // The machine that was saved may still run, or another fork of it.
      channel.bind(new InetSocketAddress(loopback, 0));
      LOG.info(
          "{}: host port {} is taken: guest port {} is at {}",
          port.path(),
          forward.hostPort(),
          forward.guestPort(),
          channel.getLocalAddress());
    }
  }

  // ---- the card's network ----

  @Override
  public boolean send(byte[] frame) {
    return loop.send(frame);
  }

  @Override
  public byte[] save() {
    return loop.stack().memory().toBytes();
  }

  @Override
  public void restore(byte[] saved) {
    Memory memory = Memory.of(saved);
    loop.clear();
    loop.execute(() -> loop.stack().restart(memory));
  }

  @Override
  public void reset() {
    loop.clear();
    loop.execute(() -> loop.stack().endAll("the machine was reset or restored"));
  }

  @Override
  public void close() {
    loop.close();
  }

  // ---- the user's ----

  @Override
  public GuestChannel connect(int guestPort) throws IOException {
    if (guestPort < 1 || guestPort > MOST_PORT) {
      throw new IllegalArgumentException("guestPort: %d is not 1 to 65535".formatted(guestPort));
    }
    Opening opening = new Opening(guestPort);
    if (!loop.execute(opening::begin)) {
      throw new IOException("the network is closed");
    }
    opening.channel.awaitOpen();
    return opening.channel;
  }

  /** A connection that is being opened. */
  private final class Opening {
    private final int guestPort;
    private final ProgramChannel channel = new ProgramChannel(this::wake);
    private volatile Optional<TcpConnection> connection = Optional.empty();

    Opening(int guestPort) {
      this.guestPort = guestPort;
    }

    void begin() {
      if (loop.isClosed()) {
        channel.fail(GuestChannelException.Reason.CLOSED, "the network is closed");
        return;
      }
      try {
        connection = Optional.of(loop.stack().tcp().connect(guestPort, new ChannelSide(channel)));
      } catch (IOException e) {
        channel.fail(GuestChannelException.Reason.ENDED_BY_GUEST, String.valueOf(e.getMessage()));
      }
    }

    private void wake() {
      connection.ifPresent(made -> loop.execute(made::hostReady));
    }
  }

  @Override
  public List<PortForward> forwards() {
    return forwards;
  }

  @Override
  public NetworkCounters counters() {
    return new NetworkCounters(
        loop.fromGuest(),
        loop.toGuest(),
        loop.dropped(),
        loop.refused(),
        loop.stack().tcp().count());
  }
}

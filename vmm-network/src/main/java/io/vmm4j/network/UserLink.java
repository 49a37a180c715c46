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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The network's end of the cable, and what its user sees of it. */
final class UserLink implements NetworkLink, UserNetwork {
  private static final Logger LOG = LoggerFactory.getLogger(UserLink.class);
  private static final int MOST_PORT = 65535;

  private final NetworkLoop loop;
  private final List<PortForward> forwards = new CopyOnWriteArrayList<>();

  /**
   * Begins to listen.
   *
   * @throws IOException if a host port can't be had; the message names it
   */
  UserLink(NetworkSettings settings, NetworkPort port) throws IOException {
    this.loop = new NetworkLoop(port, settings.outbound());
    List<ServerSocketChannel> listening = new ArrayList<>();
    try {
      for (PortForward forward : settings.forwards()) {
        ServerSocketChannel channel = ServerSocketChannel.open();
        listening.add(channel);
        bind(channel, forward, port);
        loop.listen(channel, forward.guestPort());
        forwards.add(opened(channel, forward));
      }
    } catch (IOException | RuntimeException e) {
      listening.forEach(NetworkLoop::close);
      loop.discard();
      throw e;
    }
    loop.start();
  }

  private static PortForward opened(ServerSocketChannel channel, PortForward wanted)
      throws IOException {
    int hostPort = ((InetSocketAddress) channel.getLocalAddress()).getPort();
    return new PortForward(hostPort, wanted.guestPort());
  }

  private static void bind(ServerSocketChannel channel, PortForward forward) throws IOException {
    try {
      channel.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), forward.hostPort()));
    } catch (BindException e) {
      throw new IOException(
          "host port %d can't be had: %s".formatted(forward.hostPort(), e.getMessage()), e);
    }
  }

  private static void bind(ServerSocketChannel channel, PortForward forward, NetworkPort port)
      throws IOException {
    try {
      bind(channel, forward);
    } catch (IOException e) {
      if (!port.restoring()) {
        throw e;
      }
      // The machine that was saved may still run, or another fork of it.
      channel.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
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
  public PortForward forward(PortForward wanted) throws IOException {
    ServerSocketChannel channel = ServerSocketChannel.open();
    try {
      bind(channel, wanted);
      PortForward opened = opened(channel, wanted);
      CompletableFuture<Void> listens = new CompletableFuture<>();
      if (!loop.execute(() -> listen(channel, wanted.guestPort(), listens))) {
        throw new IOException("the network is closed");
      }
      listens.join();
      forwards.add(opened);
      return opened;
    } catch (CompletionException e) {
      NetworkLoop.close(channel);
      throw new IOException("the network is closed", e);
    } catch (IOException | RuntimeException e) {
      NetworkLoop.close(channel);
      throw e;
    }
  }

  /** On the network's thread. */
  private void listen(ServerSocketChannel channel, int guestPort, CompletableFuture<Void> done) {
    try {
      if (loop.isClosed()) {
        throw new IOException("the network is closed");
      }
      loop.listen(channel, guestPort);
      done.complete(null);
    } catch (IOException | RuntimeException e) {
      done.completeExceptionally(e);
    }
  }

  @Override
  public List<PortForward> forwards() {
    return List.copyOf(forwards);
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

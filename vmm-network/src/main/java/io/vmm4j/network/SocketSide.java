package io.vmm4j.network;

import io.vmm4j.api.channel.ByteRing;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.Optional;
import java.util.function.Consumer;

/** A socket of the host's as an end of a connection. */
final class SocketSide implements HostSide {
  private final SocketChannel channel;
  private final SelectionKey key;
  private Optional<TcpConnection> connection = Optional.empty();

  private SocketSide(SocketChannel channel, Selector selector) throws IOException {
    this.channel = channel;
    channel.configureBlocking(false);
    channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    NetworkLoop.Ready ready = this::ready;
    this.key = channel.register(selector, 0, ready);
  }

  /** One that somebody of the host's has opened. */
  static SocketSide accepted(SocketChannel channel, Selector selector) throws IOException {
    return new SocketSide(channel, selector);
  }

  /** One that is opened for the guest. */
  static SocketSide connecting(
      InetSocketAddress to, TcpConnection connection, Selector selector, Consumer<Runnable> later)
      throws IOException {
    SocketChannel channel = SocketChannel.open();
    try {
      SocketSide side = new SocketSide(channel, selector);
      side.bind(connection);
      if (channel.connect(to)) {
        later.accept(connection::hostConnected);
      } else {
        side.key.interestOps(SelectionKey.OP_CONNECT);
      }
      return side;
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  void bind(TcpConnection to) {
    connection = Optional.of(to);
  }

  private void ready(SelectionKey ready) {
    TcpConnection to = connection.orElseThrow();
    if (!ready.isConnectable()) {
      to.hostReady();
      return;
    }
    ready.interestOps(0);
    try {
      channel.finishConnect();
      to.hostConnected();
    } catch (IOException e) {
      to.hostRefused();
    }
  }

  @Override
  public void opened() {
    // Whoever has connected needs no word.
  }

  @Override
  public int read(ByteRing target) throws IOException {
    return target.readFrom(channel);
  }

  @Override
  public void write(ByteRing source) throws IOException {
    source.writeTo(channel);
  }

  @Override
  public void shutdownOutput() throws IOException {
    channel.shutdownOutput();
  }

  @Override
  public void await(boolean input, boolean room) {
    int wanted = (input ? SelectionKey.OP_READ : 0) | (room ? SelectionKey.OP_WRITE : 0);
    if (key.isValid() && key.interestOps() != wanted) {
      key.interestOps(wanted);
    }
  }

  @Override
  public void close() {
    NetworkLoop.close(channel);
  }

  @Override
  public void reset(String why) {
    if (channel.isOpen()) {
      try {
        channel.setOption(StandardSocketOptions.SO_LINGER, 0); // its peer sees a reset
      } catch (IOException e) {
        // It is closed all the same.
      }
      NetworkLoop.close(channel);
    }
  }
}

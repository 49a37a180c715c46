package io.vmm4j.network;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.Arrays;
import java.util.function.Consumer;

/** A datagram socket of the host's. */
final class DatagramSide implements Hosts.Datagrams {
  /** The most bytes of a datagram over IPv4. */
  private static final int MOST_BYTES = 65_507;

  private static final int BATCH = 32;

  private final DatagramChannel channel;
  private final Consumer<byte[]> receiver;

  private DatagramSide(DatagramChannel channel, Consumer<byte[]> receiver) {
    this.channel = channel;
    this.receiver = receiver;
  }

  static DatagramSide open(InetSocketAddress to, Consumer<byte[]> receiver, Selector selector)
      throws IOException {
    DatagramChannel channel = DatagramChannel.open();
    try {
      channel.configureBlocking(false);
      channel.connect(to);
      DatagramSide side = new DatagramSide(channel, receiver);
      NetworkLoop.Ready ready = key -> side.receive();
      channel.register(selector, SelectionKey.OP_READ, ready);
      return side;
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private void receive() {
    ByteBuffer bytes = ByteBuffer.allocate(MOST_BYTES);
    try {
      for (int i = 0; i < BATCH && channel.read(bytes) > 0; i++) {
        receiver.accept(Arrays.copyOf(bytes.array(), bytes.position()));
        bytes.clear();
      }
    } catch (IOException e) {
      // Nobody listens there, which says the next datagram of the guest's as well.
    }
  }

  @Override
  public void send(byte[] bytes, int offset, int length) throws IOException {
    channel.write(ByteBuffer.wrap(bytes, offset, length)); // one that finds no room is lost
  }

  @Override
  public void close() {
    NetworkLoop.close(channel);
  }
}

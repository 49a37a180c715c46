package io.vmm4j.gdb;

import io.vmm4j.gdb.protocol.Frame;
import io.vmm4j.gdb.protocol.FrameReader;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** A debugger's side of the protocol, byte by byte. */
final class RspClient implements AutoCloseable {
  private final SocketChannel channel;
  private final ByteBuffer one = ByteBuffer.allocate(1);
  private final FrameReader reader = new FrameReader();

  RspClient(SocketAddress address) throws IOException {
    channel = SocketChannel.open(address);
  }

  void write(String bytes) throws IOException {
    channel.write(ByteBuffer.wrap(bytes.getBytes(StandardCharsets.ISO_8859_1)));
  }

  void send(String packet) throws IOException {
    channel.write(ByteBuffer.wrap(FrameReader.frame(packet.getBytes(StandardCharsets.ISO_8859_1))));
  }

  /** The next byte, or -1 at the end of the connection. */
  int read() throws IOException {
    one.clear();
    try {
      return channel.read(one) < 0 ? -1 : one.get(0) & 0xFF;
    } catch (IOException e) {
      return -1; // reset by the other side
    }
  }

  /** The next packet. */
  String receive() throws IOException {
    while (true) {
      int b = read();
      if (b < 0) {
        throw new EOFException();
      }
      Optional<Frame> frame = reader.accept((byte) b);
      if (frame.isPresent() && frame.get() instanceof Frame.Packet packet) {
        return new String(packet.payload(), StandardCharsets.ISO_8859_1);
      }
    }
  }

  String ask(String packet) throws IOException {
    send(packet);
    return receive();
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

package io.vmm4j.vsock;

import io.vmm4j.api.vsock.VsockChannel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Moves bytes between a socket and a channel into the guest, each half to its end. */
final class Pump {
  private static final Logger LOG = LoggerFactory.getLogger(Pump.class);
  private static final int BUFFER_BYTES = 32 << 10;

  private final SocketChannel socket;
  private final VsockChannel channel;

  Pump(SocketChannel socket, VsockChannel channel) {
    this.socket = socket;
    this.channel = channel;
  }

  @FunctionalInterface
  private interface Half {
    void run() throws IOException;
  }

  /** Moves all of them, on this thread and another one, and closes both. */
  void run() throws InterruptedException {
    Thread other = Thread.ofVirtual().start(() -> move(this::toGuest));
    move(this::fromGuest);
    other.join();
    close();
  }

  private void move(Half half) {
    try {
      half.run();
    } catch (IOException e) {
      LOG.debug("port {} of the guest: {}", channel.guestPort(), e.toString());
      close(); // the other half ends by that
    }
  }

  private void toGuest() throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES);
    while (socket.read(buffer) >= 0) {
      channel.write(buffer.flip());
      buffer.clear();
    }
    channel.shutdownOutput();
  }

  private void fromGuest() throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES);
    while (channel.read(buffer) >= 0) {
      buffer.flip();
      while (buffer.hasRemaining()) {
        socket.write(buffer);
      }
      buffer.clear();
    }
    socket.shutdownOutput();
  }

  private void close() {
    channel.close();
    try {
      socket.close();
    } catch (IOException e) {
      LOG.debug("a socket does not close: {}", e.toString());
    }
  }
}

package io.vmm4j.vsock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Virtio sockets as UNIX-domain sockets. */
@Timeout(60)
class VsockSocketsTest {
  @TempDir private Path directory;
  private final EchoingGuest guest = new EchoingGuest();

  private SocketChannel client() throws IOException {
    return SocketChannel.open(UnixDomainSocketAddress.of(directory.resolve(VsockSockets.NAME)));
  }

  private static void send(SocketChannel socket, String text) throws IOException {
    socket.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII)));
  }

  private static String readAll(SocketChannel socket) throws IOException {
    ByteBuffer all = ByteBuffer.allocate(1000);
    while (socket.read(all) >= 0) {
      assertThat(all.hasRemaining()).isTrue();
    }
    return new String(all.array(), 0, all.position(), StandardCharsets.US_ASCII);
  }

  @Test
  void aProgramOfTheHostReachesTheGuest() throws IOException {
    try (VsockSockets sockets = VsockSockets.open(guest, directory);
        SocketChannel client = client()) {
      assertThat(sockets.path()).isEqualTo(directory.resolve("vsock.sock"));
      send(client, "CONNECT 80\nand what is behind it");
      client.shutdownOutput();
      assertThat(readAll(client)).isEqualTo("OK 1234\nand what is behind it");
    }
  }

  @Test
  void whatIsRefusedOrMakesNoSenseEndsWithoutAnAnswer() throws IOException {
    try (VsockSockets sockets = VsockSockets.open(guest, directory)) {
      for (String line :
          new String[] {
            "CONNECT 81\n", "CONNECT\n", "connect 80\n", "CONNECT 4294967295\n", "x".repeat(100)
          }) {
        try (SocketChannel client = client()) {
          send(client, line);
          assertThat(readAll(client)).as(line).isEmpty();
        } catch (IOException e) {
          assertThat(e).as(line).hasMessageContaining("reset"); // bytes were left unread
        }
      }
      assertThat(sockets.path()).exists();
    }
  }

  @Test
  void aProgramOfTheGuestReachesWhoListensAndIsRefusedElsewhere() throws Exception {
    try (VsockSockets sockets = VsockSockets.open(guest, directory);
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      assertThat(sockets.path()).exists();
      server.bind(UnixDomainSocketAddress.of(directory.resolve("vsock.sock_5000")));
      EchoingGuest.Asking asking = new EchoingGuest.Asking(5000);
      guest.handler.orElseThrow().accept(asking);
      try (SocketChannel socket = server.accept()) {
        send(socket, "and back");
        socket.shutdownOutput();
        assertThat(readAll(socket)).isEqualTo("and back");
      }
      EchoingGuest.Asking elsewhere = new EchoingGuest.Asking(5001);
      guest.handler.orElseThrow().accept(elsewhere);
      elsewhere.refused.await();
    }
    assertThat(guest.handler).isEmpty();
  }

  @Test
  void itEndsWithItsConnectionsAndLeavesNoFile() throws IOException {
    VsockSockets sockets = VsockSockets.open(guest, directory);
    try (SocketChannel client = client()) {
      send(client, "CONNECT 80\nx");
      ByteBuffer answer = ByteBuffer.allocate(9);
      while (answer.hasRemaining()) {
        client.read(answer);
      }
      assertThatThrownBy(() -> VsockSockets.open(guest, directory))
          .hasMessageContaining("vsock.sock: another server listens there");
      sockets.close();
      assertThat(readAll(client)).isEmpty();
    }
    assertThat(directory).isEmptyDirectory();
    assertThatThrownBy(() -> VsockSockets.open(guest, directory.resolve("nowhere")))
        .hasMessageContaining("nowhere");
  }
}

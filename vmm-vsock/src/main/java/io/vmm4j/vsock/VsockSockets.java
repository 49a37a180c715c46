package io.vmm4j.vsock;

import io.vmm4j.api.vsock.Vsock;
import io.vmm4j.api.vsock.VsockChannel;
import io.vmm4j.api.vsock.VsockRequest;
import io.vmm4j.socket.SocketFile;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The virtio sockets of a machine as UNIX-domain sockets in a directory, as Firecracker and Cloud
 * Hypervisor have them:
 *
 * <ul>
 *   <li>A program that connects to {@code vsock.sock} and sends {@code CONNECT 80} and a line feed
 *       reaches port 80 of the guest. It gets {@code OK} and a port of the host first. If the guest
 *       refuses, the connection ends without an answer.
 *   <li>A program of the guest that connects to port 5000 of the host (CID 2) reaches whoever
 *       listens at {@code vsock.sock_5000}; if nobody does it is refused.
 * </ul>
 *
 * <p>Only the user who has started this reaches {@code vsock.sock}. Safe for any thread.
 *
 * {@snippet :
 * try (VsockSockets sockets = VsockSockets.open(vm.device(path, Vsock.class), Path.of("/run/vm"))) {
 *   vm.awaitExit(Duration.ofHours(1));
 * }
 * }
 */
public final class VsockSockets implements AutoCloseable {
  /** The name of the socket to which programs of the host connect. */
  public static final String NAME = "vsock.sock";

  private static final Logger LOG = LoggerFactory.getLogger(VsockSockets.class);
  private static final int BACKLOG = 128;
  private static final int MOST_CLIENTS = 1024;
  private static final int MOST_LINE_BYTES = 32;
  private static final Pattern CONNECT = Pattern.compile("CONNECT ([0-9]{1,10})\r?");

  private final Vsock vsock;
  private final Path path;
  private final ServerSocketChannel server;
  private final SocketFile file;
  private final AutoCloseable handler;
  private final Set<SocketChannel> clients = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  private VsockSockets(Vsock vsock, Path path, ServerSocketChannel server) throws IOException {
    this.vsock = vsock;
    this.path = path;
    this.server = server;
    this.file = SocketFile.create(path, at -> server.bind(UnixDomainSocketAddress.of(at), BACKLOG));
    this.handler = vsock.listenElsewhere(this::asked);
  }

  /**
   * Makes the socket, and listens.
   *
   * @param directory where; it must exist
   * @throws IOException if that can't be done; the message names the path
   */
  public static VsockSockets open(Vsock vsock, Path directory) throws IOException {
    Path path = directory.resolve(NAME);
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      VsockSockets made = new VsockSockets(vsock, path, server);
      Thread.ofPlatform().daemon().name("vmm-vsock").start(made::accept);
      return made;
    } catch (IOException e) {
      server.close();
      throw new IOException(path + ": " + e.getMessage(), e);
    }
  }

  /** Returns the path of the socket to which programs of the host connect. */
  public Path path() {
    return path;
  }

  // ---- from the host ----

  private void accept() {
    while (!closed) {
      try {
        SocketChannel client = server.accept();
        if (keep(client)) {
          Thread.ofVirtual().start(() -> serve(client));
        }
      } catch (IOException e) {
        if (!closed) {
          LOG.warn("{}: nobody can connect any more: {}", path, e.toString());
        }
        return;
      }
    }
  }

  /** Keeps a socket, to be closed with this, unless there are too many. */
  private boolean keep(SocketChannel client) throws IOException {
    if (clients.size() < MOST_CLIENTS) {
      clients.add(client);
      if (!closed) {
        return true;
      }
      clients.remove(client);
    }
    client.close();
    return false;
  }

  private void serve(SocketChannel client) {
    try (client) {
      Optional<Long> port = wanted(client);
      if (port.isPresent()) {
        VsockChannel channel = vsock.connect(port.get());
        client.write(
            ByteBuffer.wrap(
                "OK %d\n".formatted(channel.hostPort()).getBytes(StandardCharsets.US_ASCII)));
        new Pump(client, channel).run();
      }
    } catch (IOException e) {
      LOG.debug("{}: {}", path, e.toString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      clients.remove(client);
    }
  }

  /** Reads the line, and no byte behind it; the port, if it is such a line. */
  private static Optional<Long> wanted(SocketChannel client) throws IOException {
    StringBuilder line = new StringBuilder();
    ByteBuffer one = ByteBuffer.allocate(1);
    while (line.length() < MOST_LINE_BYTES && client.read(one.clear()) > 0) {
      char c = (char) (one.get(0) & 0xFF);
      if (c == '\n') {
        Matcher matcher = CONNECT.matcher(line);
        return matcher.matches()
            ? Optional.of(Long.valueOf(matcher.group(1))).filter(port -> port <= Vsock.MOST_PORT)
            : Optional.empty();
      }
      line.append(c);
    }
    return Optional.empty();
  }

  // ---- from the guest ----

  private void asked(VsockRequest request) {
    Thread.ofVirtual().start(() -> reach(request));
  }

  private void reach(VsockRequest request) {
    Path listener = path.resolveSibling(NAME + "_" + request.hostPort());
    try (SocketChannel socket = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      if (!keep(socket)) {
        request.refuse();
        return;
      }
      try {
        socket.connect(UnixDomainSocketAddress.of(listener));
        new Pump(socket, request.accept()).run();
      } finally {
        clients.remove(socket);
        request.refuse(); // if it was not accepted
      }
    } catch (IOException e) {
      LOG.debug("{}: {}", listener, e.toString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Listens no more, ends the connections, and removes the socket. */
  @Override
  public void close() {
    closed = true;
    try {
      handler.close();
      server.close();
      file.delete();
      for (SocketChannel client : clients) {
        client.close();
      }
    } catch (Exception e) {
      LOG.warn("{}: {}", path, e.toString());
    }
  }
}

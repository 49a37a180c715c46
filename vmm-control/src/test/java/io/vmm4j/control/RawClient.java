package io.vmm4j.control;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Bytes to and from a control socket, as {@code nc -U} would send them. */
final class RawClient implements AutoCloseable {
  final SocketChannel channel;
  final InputStream in;
  final OutputStream out;

  /** Connects, and leaves the greeting to be read. */
  RawClient(Path path) throws IOException {
    channel = SocketChannel.open(UnixDomainSocketAddress.of(path));
    in = new BufferedInputStream(Channels.newInputStream(channel));
    out = Channels.newOutputStream(channel);
  }

  /** Connects and reads the greeting. */
  static RawClient greeted(Path path) throws IOException {
    RawClient client = new RawClient(path);
    client.line();
    return client;
  }

  void send(String text) throws IOException {
    out.write(text.getBytes(StandardCharsets.UTF_8));
  }

  /** Sends a line and gives the next one. */
  String ask(String line) throws IOException {
    send(line + "\n");
    return line();
  }

  String line() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int next = in.read(); next != '\n'; next = in.read()) {
      if (next < 0) {
        throw new EOFException("after " + line);
      }
      line.write(next);
    }
    return line.toString(StandardCharsets.UTF_8);
  }

  /** Whether the server has ended the connection, once all it sent has been read. */
  boolean atEnd() {
    try {
      return in.read() < 0;
    } catch (IOException e) {
      return true; // reset: it did not want what was still to be read
    }
  }

  /** Sends on until the server ends the connection. */
  void sendUntilCut(byte[] bytes) {
    try {
      while (true) {
        out.write(bytes);
      }
    } catch (IOException e) {
      // That is the end.
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}

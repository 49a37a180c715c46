package io.vmm4j.network;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** The host's name server: the first in {@code resolv.conf}, or else the host itself. */
final class NameServer {
  private static final Path FILE = Path.of("/etc/resolv.conf");
  private static final String WORD = "nameserver ";
  private static final int PORT = 53;

  private Optional<InetSocketAddress> known = Optional.empty();

  InetSocketAddress address() throws IOException {
    if (known.isEmpty()) {
      known = Optional.of(new InetSocketAddress(read(), PORT));
    }
    return known.get();
  }

  private static InetAddress read() throws IOException {
    if (!Files.isReadable(FILE)) {
      return InetAddress.getLoopbackAddress();
    }
    Optional<String> named =
        Files.readAllLines(FILE).stream()
            .map(line -> line.replace('\t', ' ').strip())
            .filter(line -> line.startsWith(WORD))
            .map(line -> line.substring(WORD.length()).strip())
            .findFirst();
    try {
      return named.isPresent()
          ? InetAddress.ofLiteral(named.get())
          : InetAddress.getLoopbackAddress();
    } catch (IllegalArgumentException e) {
      return InetAddress.getLoopbackAddress();
    }
  }
}

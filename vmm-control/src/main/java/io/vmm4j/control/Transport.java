package io.vmm4j.control;

import io.netty.channel.IoHandlerFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.util.Version;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What carries the bytes: Netty's native epoll where its jars are present and native access is
 * granted, else the JDK's own channels.
 *
 * @param name {@code epoll} or {@code nio}
 */
record Transport(
    String name,
    IoHandlerFactory io,
    Class<? extends ServerChannel> channel,
    Function<Path, SocketAddress> address) {
  private static final Logger LOG = LoggerFactory.getLogger(Transport.class);

  static Transport choose() {
    Transport chosen =
        epoll()
            .orElseGet(() ->
                new Transport(
                    "nio",
                    NioIoHandler.newFactory(),
                    NioServerDomainSocketChannel.class,
                    UnixDomainSocketAddress::of));
    LOG.debug("control sockets use {}", chosen.name());
    return chosen;
  }

  private static Optional<Transport> epoll() {
    // Asked first: to look whether epoll works is to load a library, of which the JVM would warn.
    if (!Version.class.getModule().isNativeAccessEnabled()) {
      return Optional.empty();
    }
    try {
      return EpollTransport.find();
    } catch (NoClassDefFoundError e) {
      return Optional.empty(); // its jar is not there
    }
  }
}

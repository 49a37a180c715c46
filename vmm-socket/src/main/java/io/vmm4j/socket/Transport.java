package io.vmm4j.socket;

import io.netty.channel.IoHandlerFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
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
 * @param io what the event loop waits with
 * @param unixChannel the kind of channel that listens at a file
 * @param unixAddress a file's path as an address for that kind of channel
 * @param tcpChannel the kind of channel that listens at a port
 */
public record Transport(
    String name,
    IoHandlerFactory io,
    Class<? extends ServerChannel> unixChannel,
    Function<Path, SocketAddress> unixAddress,
    Class<? extends ServerChannel> tcpChannel) {
  private static final Logger LOG = LoggerFactory.getLogger(Transport.class);

  /** Chooses what is there and allowed. */
  public static Transport choose() {
    Transport chosen =
        epoll()
            .orElseGet(() ->
                new Transport(
                    "nio",
                    NioIoHandler.newFactory(),
                    NioServerDomainSocketChannel.class,
                    UnixDomainSocketAddress::of,
                    NioServerSocketChannel.class));
    LOG.debug("listening sockets use {}", chosen.name());
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

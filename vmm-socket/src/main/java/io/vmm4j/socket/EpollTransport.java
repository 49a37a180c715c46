package io.vmm4j.socket;

import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.UnixChannel;
import java.util.Optional;

/** Apart from {@link Transport}, since the classes it names may not be there. */
final class EpollTransport {
  private EpollTransport() {}

  static Optional<Transport> find() {
    // Both have native methods, and each is a module of its own.
    boolean allowed =
        Epoll.class.getModule().isNativeAccessEnabled()
            && UnixChannel.class.getModule().isNativeAccessEnabled();
    return allowed && Epoll.isAvailable()
        ? Optional.of(
            new Transport(
                "epoll",
                EpollIoHandler.newFactory(),
                EpollServerDomainSocketChannel.class,
                path -> new DomainSocketAddress(path.toFile()),
                EpollServerSocketChannel.class))
        : Optional.empty();
  }
}

package io.vmm4j.network;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.function.Consumer;

/** The host's network, as the stack uses it. Never waits. */
interface Hosts {

  /**
   * Begins a connection. {@link TcpConnection#hostConnected} or {@link TcpConnection#hostRefused}
   * follows.
   */
  HostSide connect(InetSocketAddress to, TcpConnection connection) throws IOException;

  /** A datagram socket. */
  interface Datagrams {
    /** Sends one. */
    void send(byte[] bytes, int offset, int length) throws IOException;

    /** Releases it. */
    void close();
  }

  /** Opens a datagram socket that speaks with one address only. */
  Datagrams datagrams(InetSocketAddress to, Consumer<byte[]> receiver) throws IOException;

  /** The host's name server. */
  InetSocketAddress nameServer();
}

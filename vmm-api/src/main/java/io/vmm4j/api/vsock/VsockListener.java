package io.vmm4j.api.vsock;

import java.io.IOException;
import java.time.Duration;

/** A port of the host, at which connections of the guest arrive. Safe for any thread. */
public interface VsockListener extends AutoCloseable {
  /** Returns the port. */
  long port();

  /**
   * Waits for a connection.
   *
   * @throws java.net.SocketTimeoutException if none comes in time
   * @throws java.nio.channels.ClosedChannelException if the listener or the machine is closed
   * @throws java.io.InterruptedIOException if the thread is interrupted
   */
  VsockChannel accept(Duration timeout) throws IOException;

  /** Listens no more. Connections that nobody has accepted are closed. */
  @Override
  void close();
}

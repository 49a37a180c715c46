package io.vmm4j.vsock;

import io.vmm4j.api.vsock.Vsock;
import io.vmm4j.api.vsock.VsockChannel;
import io.vmm4j.api.vsock.VsockListener;
import io.vmm4j.api.vsock.VsockRequest;
import java.io.IOException;
import java.net.ConnectException;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;

/** A guest that echoes at port 80, and refuses at all others. */
final class EchoingGuest implements Vsock {
  volatile Optional<Consumer<VsockRequest>> handler = Optional.empty();

  @Override
  public long guestCid() {
    return 3;
  }

  @Override
  public VsockChannel connect(long guestPort, Duration timeout) throws IOException {
    if (guestPort != 80) {
      throw new ConnectException("the guest refuses");
    }
    return new Echo(1234, 80);
  }

  @Override
  public VsockListener listen(long hostPort) {
    throw new UnsupportedOperationException();
  }

  @Override
  public AutoCloseable listenElsewhere(Consumer<VsockRequest> asked) {
    handler = Optional.of(asked);
    return () -> handler = Optional.empty();
  }

  /** A connection that the guest asks for; what it sends first is {@code hello}. */
  static final class Asking implements VsockRequest {
    final CountDownLatch refused = new CountDownLatch(1);
    private final long port;
    private boolean accepted;

    Asking(long port) {
      this.port = port;
    }

    @Override
    public long hostPort() {
      return port;
    }

    @Override
    public long guestPort() {
      return 99;
    }

    @Override
    public VsockChannel accept() {
      accepted = true;
      try {
        return new Echo(port, 99);
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    }

    @Override
    public void refuse() {
      if (!accepted) {
        refused.countDown();
      }
    }
  }

  private static final class Echo implements VsockChannel {
    private final long hostPort;
    private final long guestPort;
    private final Pipe pipe = Pipe.open();

    Echo(long hostPort, long guestPort) throws IOException {
      this.hostPort = hostPort;
      this.guestPort = guestPort;
    }

    @Override
    public long hostPort() {
      return hostPort;
    }

    @Override
    public long guestPort() {
      return guestPort;
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
      return pipe.source().read(target);
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
      return pipe.sink().write(source);
    }

    @Override
    public void shutdownOutput() throws IOException {
      pipe.sink().close();
    }

    @Override
    public boolean isOpen() {
      return pipe.source().isOpen();
    }

    @Override
    public void close() {
      try {
        pipe.sink().close();
        pipe.source().close();
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    }
  }
}

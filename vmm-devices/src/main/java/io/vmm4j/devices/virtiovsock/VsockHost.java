package io.vmm4j.devices.virtiovsock;

import io.vmm4j.api.vsock.Vsock;
import io.vmm4j.api.vsock.VsockChannel;
import io.vmm4j.api.vsock.VsockListener;
import io.vmm4j.api.vsock.VsockRequest;
import java.io.IOException;
import java.net.BindException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/** The device as the programs of the host have it. Any thread; without the machine lock. */
final class VsockHost implements Vsock {

  /** What it asks of the device. */
  interface Device {
    /** Begins a connection. */
    void begin(Connection connection);

    /** Looks at a connection. */
    void wake(Connection connection);

    /** Accepts or refuses what the guest has asked for. */
    void decide(Connection connection, boolean accepted);
  }

  private final long guestCid;
  private final Device device;
  private final Map<Long, Listener> listeners = new ConcurrentHashMap<>();
  private final AtomicReference<Optional<Consumer<VsockRequest>>> elsewhere =
      new AtomicReference<>(Optional.empty());
  private volatile boolean closed;

  VsockHost(long guestCid, Device device) {
    this.guestCid = guestCid;
    this.device = device;
  }

  @Override
  public long guestCid() {
    return guestCid;
  }

  private void requirePort(String name, long port) throws IOException {
    if (port < 0 || port > MOST_PORT) {
      throw new IllegalArgumentException("%s: %d is not 0 to %d".formatted(name, port, MOST_PORT));
    }
    if (closed) {
      throw new IOException("the machine is closed");
    }
  }

  @Override
  public VsockChannel connect(long guestPort, Duration timeout) throws IOException {
    requirePort("guestPort", guestPort);
    Connection connection = Connection.toGuest(guestCid, guestPort, device::wake);
    device.begin(connection);
    connection.channel().awaitOpen(timeout);
    return new HostChannel(connection);
  }

  @Override
  public VsockListener listen(long hostPort) throws IOException {
    requirePort("hostPort", hostPort);
    Listener listener = new Listener(hostPort, made -> listeners.remove(hostPort, made));
    if (listeners.putIfAbsent(hostPort, listener) != null) {
      throw new BindException("somebody listens at port %d already".formatted(hostPort));
    }
    if (closed) {
      listener.close();
    }
    return listener;
  }

  @Override
  public AutoCloseable listenElsewhere(Consumer<VsockRequest> handler) {
    Optional<Consumer<VsockRequest>> mine = Optional.of(handler);
    elsewhere.set(mine);
    return () -> elsewhere.compareAndSet(mine, Optional.empty());
  }

  /** Finds who takes a connection; whether there is somebody. With the machine lock held. */
  boolean offer(Connection connection) {
    Listener listener = listeners.get(connection.hostPort());
    if (listener != null) {
      if (!listener.offer(new HostChannel(connection))) {
        return false;
      }
      connection.accept();
      return true;
    }
    Optional<Consumer<VsockRequest>> handler = elsewhere.get();
    handler.ifPresent(asked -> asked.accept(new Request(connection)));
    return handler.isPresent();
  }

  void close() {
    closed = true;
    List.copyOf(listeners.values()).forEach(Listener::close);
  }

  private final class Request implements VsockRequest {
    private final Connection connection;

    Request(Connection connection) {
      this.connection = connection;
    }

    @Override
    public long hostPort() {
      return connection.hostPort();
    }

    @Override
    public long guestPort() {
      return connection.guestPort();
    }

    @Override
    public VsockChannel accept() {
      device.decide(connection, true);
      return new HostChannel(connection);
    }

    @Override
    public void refuse() {
      device.decide(connection, false);
    }
  }
}

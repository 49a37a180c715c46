package io.vmm4j.devices.virtiovsock;

import io.vmm4j.api.vsock.VsockChannel;
import java.io.IOException;
import java.nio.ByteBuffer;

/** A connection as the host's program has it. */
record HostChannel(Connection connection) implements VsockChannel {
  @Override
  public long hostPort() {
    return connection.hostPort();
  }

  @Override
  public long guestPort() {
    return connection.guestPort();
  }

  @Override
  public int read(ByteBuffer target) throws IOException {
    return connection.channel().read(target);
  }

  @Override
  public int write(ByteBuffer source) throws IOException {
    return connection.channel().write(source);
  }

  @Override
  public void shutdownOutput() throws IOException {
    connection.channel().shutdownOutput();
  }

  @Override
  public boolean isOpen() {
    return connection.channel().isOpen();
  }

  @Override
  public void close() {
    connection.channel().close();
  }
}

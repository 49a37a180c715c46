package io.vmm4j.devices.virtionet;

import io.vmm4j.api.network.NetworkFactory;
import io.vmm4j.api.network.NetworkLink;
import io.vmm4j.api.network.NetworkPort;
import io.vmm4j.api.network.NetworkSettings;
import java.util.ArrayList;
import java.util.List;

/** A network that keeps what it gets. */
final class TestNetwork implements NetworkLink {
  final NetworkPort port;
  final NetworkSettings settings;
  final List<byte[]> sent = new ArrayList<>();
  byte[] remembered = {1, 2, 3};
  boolean closed;

  private TestNetwork(NetworkSettings settings, NetworkPort port) {
    this.settings = settings;
    this.port = port;
  }

  /** Makes them. */
  public static final class Factory implements NetworkFactory {
    /** For the service loader. */
    public Factory() {}

    @Override
    public String type() {
      return "test";
    }

    @Override
    public NetworkLink connect(NetworkSettings settings, NetworkPort port) {
      TestNetwork made = new TestNetwork(settings, port);
      port.offer(TestNetwork.class, made);
      return made;
    }
  }

  @Override
  public boolean send(byte[] frame) {
    return sent.add(frame);
  }

  @Override
  public byte[] save() {
    return remembered.clone();
  }

  @Override
  public void restore(byte[] saved) {
    remembered = saved.clone();
  }

  @Override
  public void reset() {
    sent.clear();
  }

  @Override
  public void close() {
    closed = true;
  }
}

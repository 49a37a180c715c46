package io.vmm4j.devices.virtionet;

import io.vmm4j.api.DeviceException;
import io.vmm4j.api.network.NetworkFactory;
import io.vmm4j.api.network.NetworkLink;
import io.vmm4j.api.network.NetworkPort;
import io.vmm4j.api.network.NetworkSettings;
import java.util.List;
import java.util.ServiceLoader;
import java.util.TreeSet;

/** Finds the network that a card is connected to. */
final class Networks {
  private Networks() {}

  static NetworkLink connect(VirtioNetConfig config, NetworkPort port) {
    if (config.network().equals(VirtioNetConfig.NONE)) {
      return new Nothing();
    }
    NetworkSettings settings = new NetworkSettings(config.outbound(), config.forwards());
    TreeSet<String> known = new TreeSet<>(List.of(VirtioNetConfig.NONE));
    // With the thread's class loader and with that of the devices, as devices are found.
    for (ServiceLoader<NetworkFactory> found :
        List.of(
            ServiceLoader.load(NetworkFactory.class),
            ServiceLoader.load(NetworkFactory.class, Networks.class.getClassLoader()))) {
      for (NetworkFactory factory : found) {
        if (factory.type().equals(config.network())) {
          return factory.connect(settings, port);
        }
        known.add(factory.type());
      }
    }
    throw new DeviceException(
        port.path(), "network '%s' is not one of %s".formatted(config.network(), known));
  }

  /** A cable that leads nowhere. */
  private static final class Nothing implements NetworkLink {
    @Override
    public boolean send(byte[] frame) {
      return false;
    }

    @Override
    public byte[] save() {
      return new byte[0];
    }

    @Override
    public void restore(byte[] saved) {
      // There is nothing to remember.
    }

    @Override
    public void reset() {
      // There is nothing to end.
    }

    @Override
    public void close() {
      // There is nothing to release.
    }
  }
}

package io.vmm4j.network;

import io.vmm4j.api.DeviceException;
import io.vmm4j.api.network.NetworkFactory;
import io.vmm4j.api.network.NetworkLink;
import io.vmm4j.api.network.NetworkPort;
import io.vmm4j.api.network.NetworkSettings;
import io.vmm4j.api.network.UserNetwork;
import java.io.IOException;

/**
 * Makes networks in user mode, of a guest's own: {@code user}. Each offers a {@link UserNetwork}
 * under the card's path.
 *
 * <p>With {@link NetworkSettings#outbound} the guest reaches what the host reaches, as ordinary
 * sockets of the host's: also the host's loopback address, as 10.0.2.2, and the host's name server,
 * as 10.0.2.3. Without it there are ARP, DHCP, the gateway's echo, forwards, and {@link
 * UserNetwork#connect}.
 */
public final class UserNetworkFactory implements NetworkFactory {

  /** For {@link java.util.ServiceLoader}. */
  public UserNetworkFactory() {}

  @Override
  public String type() {
    return "user";
  }

  @Override
  public NetworkLink connect(NetworkSettings settings, NetworkPort port) {
    try {
      UserLink link = new UserLink(settings, port);
      try {
        port.offer(UserNetwork.class, link);
        return link;
      } catch (RuntimeException e) {
        link.close();
        throw e;
      }
    } catch (IOException e) {
      throw new DeviceException(port.path(), "network 'user': " + e.getMessage(), e);
    }
  }
}

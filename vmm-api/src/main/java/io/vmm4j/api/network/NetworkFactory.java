package io.vmm4j.api.network;

/**
 * Makes networks of one kind, to which network cards are connected. Found through {@link
 * java.util.ServiceLoader}, as device factories are.
 */
public interface NetworkFactory {

  /** The name of this kind in configurations, such as {@code user}. */
  String type();

  /**
   * Connects a card to a network.
   *
   * @param settings as the card's configuration has them
   * @param port the card's end; it may be given frames from now on
   * @throws io.vmm4j.api.DeviceException if the host can't give what the settings ask for
   */
  NetworkLink connect(NetworkSettings settings, NetworkPort port);
}

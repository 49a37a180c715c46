package io.vmm4j.devices.virtionet;

import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.api.network.NetworkSettings;
import io.vmm4j.api.network.PortForward;
import io.vmm4j.devices.Checks;
import java.util.HexFormat;
import java.util.List;

/**
 * A network card.
 *
 * @param mac its address such as {@code 52:54:00:12:34:56}; if empty, one that follows from the
 *     machine's seed
 * @param mtu the most bytes of a frame behind its Ethernet header, 576 to 9000
 * @param network what it is connected to: {@code none}, {@code user}, or another kind for which
 *     there is a {@link io.vmm4j.api.network.NetworkFactory}
 * @param outbound whether the guest reaches the host's network
 * @param forwards ports of the host that lead into the guest
 */
public record VirtioNetConfig(
    String mac, int mtu, String network, boolean outbound, List<PortForward> forwards)
    implements DeviceConfig {
  /** The type of device. */
  public static final String TYPE = "virtio-net";

  /** The network of a card that is connected to nothing. */
  public static final String NONE = "none";

  /** The network in user mode. */
  public static final String USER = "user";

  /** Connected to nothing. */
  public static final VirtioNetConfig DEFAULT =
      new VirtioNetConfig("", 1500, NONE, false, List.of());

  private static final int MAC_BYTES = 6;

  /** Checks ranges. */
  public VirtioNetConfig {
    forwards = new NetworkSettings(outbound, forwards).forwards();
    Checks.range("mtu", mtu, 576, 9000);
    if (!mac.isEmpty()) {
      address(mac);
    }
    if (network.equals(NONE) && (outbound || !forwards.isEmpty())) {
      throw new IllegalArgumentException("network: 'none' has no way out and no forwards");
    }
  }

  /** Connected to a network of its own in user mode, without a way out. */
  public static VirtioNetConfig user() {
    return new VirtioNetConfig("", DEFAULT.mtu, USER, false, List.of());
  }

  /** The same with or without a way to the host's network. */
  public VirtioNetConfig withOutbound(boolean open) {
    return new VirtioNetConfig(mac, mtu, network, open, forwards);
  }

  /** The same with these forwards. */
  public VirtioNetConfig withForwards(PortForward... ports) {
    return new VirtioNetConfig(mac, mtu, network, outbound, List.of(ports));
  }

  static byte[] address(String mac) {
    try {
      byte[] bytes = HexFormat.ofDelimiter(":").parseHex(mac);
      if (bytes.length == MAC_BYTES && (bytes[0] & 1) == 0) {
        return bytes;
      }
    } catch (IllegalArgumentException e) {
      // Said below, in the user's words.
    }
    throw new IllegalArgumentException(
        "mac: '%s' is not the address of a card, such as 52:54:00:12:34:56".formatted(mac));
  }

  @Override
  public String deviceType() {
    return TYPE;
  }
}

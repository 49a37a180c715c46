package io.vmm4j.api.network;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What a network card's configuration says about its network.
 *
 * @param outbound whether the guest reaches the host's network
 * @param forwards ports of the host that lead into the guest
 */
public record NetworkSettings(boolean outbound, List<PortForward> forwards) {
  private static final int MOST_FORWARDS = 64;

  /** Lets nothing in or out. */
  public static final NetworkSettings ISOLATED = new NetworkSettings(false, List.of());

  /** Checks that no host port is there twice. */
  public NetworkSettings {
    forwards = List.copyOf(forwards);
    if (forwards.size() > MOST_FORWARDS) {
      throw new IllegalArgumentException(
          "forwards: %d are more than %d".formatted(forwards.size(), MOST_FORWARDS));
    }
    Set<Integer> seen = new HashSet<>();
    for (PortForward forward : forwards) {
      if (forward.hostPort() != 0 && !seen.add(forward.hostPort())) {
        throw new IllegalArgumentException(
            "forwards: host port %d is there twice".formatted(forward.hostPort()));
      }
    }
  }
}

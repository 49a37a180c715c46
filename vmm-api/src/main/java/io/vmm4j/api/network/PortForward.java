package io.vmm4j.api.network;

/**
 * A TCP port of the host's loopback address that leads to a port of the guest.
 *
 * @param hostPort 0 for any free one
 * @param guestPort 1 to 65535
 */
public record PortForward(int hostPort, int guestPort) {
  private static final int MOST = 65535;

  /** Checks ranges. */
  public PortForward {
    if (hostPort < 0 || hostPort > MOST) {
      throw new IllegalArgumentException("hostPort: %d is not 0 to 65535".formatted(hostPort));
    }
    if (guestPort < 1 || guestPort > MOST) {
      throw new IllegalArgumentException("guestPort: %d is not 1 to 65535".formatted(guestPort));
    }
  }
}

package io.vmm4j.devices.virtiorng;

import io.vmm4j.api.device.DeviceConfig;

/**
 * A source of entropy.
 *
 * @param seeded whether what it gives follows from the machine's seed, so that a run repeats; else
 *     it is the host's entropy. Under virtual time it always does
 */
public record VirtioRngConfig(boolean seeded) implements DeviceConfig {
  /** The type of device. */
  public static final String TYPE = "virtio-rng";

  /** The host's entropy. */
  public static final VirtioRngConfig DEFAULT = new VirtioRngConfig(false);

  @Override
  public String deviceType() {
    return TYPE;
  }
}

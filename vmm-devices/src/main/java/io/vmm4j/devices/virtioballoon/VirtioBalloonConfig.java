package io.vmm4j.devices.virtioballoon;

import io.vmm4j.api.device.DeviceConfig;

/**
 * A balloon.
 *
 * @param reporting whether the guest may report memory that it does not use at the moment
 */
public record VirtioBalloonConfig(boolean reporting) implements DeviceConfig {
  /** The type of device. */
  public static final String TYPE = "virtio-balloon";

  /** With reports. */
  public static final VirtioBalloonConfig DEFAULT = new VirtioBalloonConfig(true);

  @Override
  public String deviceType() {
    return TYPE;
  }
}

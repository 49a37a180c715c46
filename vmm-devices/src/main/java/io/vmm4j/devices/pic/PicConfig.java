package io.vmm4j.devices.pic;

import io.vmm4j.api.device.DeviceConfig;

/** The PC's interrupt controllers at their fixed ports: nothing to choose. */
public record PicConfig() implements DeviceConfig {
  /** The type of device. */
  public static final String TYPE = "i8259-pic";

  /** The only one. */
  public static final PicConfig DEFAULT = new PicConfig();

  @Override
  public String deviceType() {
    return TYPE;
  }
}

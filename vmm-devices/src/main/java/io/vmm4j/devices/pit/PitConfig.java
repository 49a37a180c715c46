package io.vmm4j.devices.pit;

import io.vmm4j.api.device.DeviceConfig;

/** The PC's timer at its fixed ports: nothing to choose. */
public record PitConfig() implements DeviceConfig {
  /** The type of device. */
  public static final String TYPE = "i8254-pit";

  /** The only one. */
  public static final PitConfig DEFAULT = new PitConfig();

  @Override
  public String deviceType() {
    return TYPE;
  }
}

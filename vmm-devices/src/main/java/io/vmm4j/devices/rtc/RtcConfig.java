package io.vmm4j.devices.rtc;

import io.vmm4j.api.device.DeviceConfig;

/** The PC's clock at its fixed ports: nothing to choose. Its time is the machine's wall clock. */
public record RtcConfig() implements DeviceConfig {
  /** The type of device. */
  public static final String TYPE = "mc146818-rtc";

  /** The only one. */
  public static final RtcConfig DEFAULT = new RtcConfig();

  @Override
  public String deviceType() {
    return TYPE;
  }
}

package io.vmm4j.devices.i8042;

import io.vmm4j.api.device.DeviceConfig;

/** The PC's keyboard controller at its fixed ports: nothing to choose. */
public record I8042Config() implements DeviceConfig {
  /** The type of device. */
  public static final String TYPE = "i8042";

  /** The only one. */
  public static final I8042Config DEFAULT = new I8042Config();

  @Override
  public String deviceType() {
    return TYPE;
  }
}

package io.vmm4j.devices.systemcontrol;

import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.devices.Checks;

/**
 * Where the port is.
 *
 * @param port the port
 */
public record SystemControlConfig(int port) implements DeviceConfig {
  /** The type of device. */
  public static final String TYPE = "system-control";

  /** Port 0x92. */
  public static final SystemControlConfig DEFAULT = new SystemControlConfig(0x92);

  /** Checks ranges. */
  public SystemControlConfig {
    Checks.port("port", port, 1);
  }

  @Override
  public String deviceType() {
    return TYPE;
  }
}

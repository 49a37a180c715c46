package io.vmm4j.devices.debugcon;

import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.devices.Checks;

/**
 * Where the debug console is.
 *
 * @param port its port
 */
public record DebugConsoleConfig(int port) implements DeviceConfig {
  /** The type of device. */
  public static final String TYPE = "debug-console";

  /** Port 0xE9. */
  public static final DebugConsoleConfig DEFAULT = new DebugConsoleConfig(0xE9);

  /** Checks ranges. */
  public DebugConsoleConfig {
    Checks.port("port", port, 1);
  }

  @Override
  public String deviceType() {
    return TYPE;
  }
}

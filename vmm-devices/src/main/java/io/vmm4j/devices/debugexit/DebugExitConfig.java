package io.vmm4j.devices.debugexit;

import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.devices.Checks;

/**
 * Where the debug exit port is.
 *
 * @param port the first of 4 ports
 */
public record DebugExitConfig(int port) implements DeviceConfig {
  /** The type of device. */
  public static final String TYPE = "debug-exit";

  /** Port 0xF4, where kvm-unit-tests expect it. */
  public static final DebugExitConfig DEFAULT = new DebugExitConfig(0xF4);

  /** Checks ranges. */
  public DebugExitConfig {
    Checks.port("port", port, DebugExit.PORTS);
  }

  @Override
  public String deviceType() {
    return TYPE;
  }
}

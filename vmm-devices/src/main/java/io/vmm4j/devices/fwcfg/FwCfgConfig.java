package io.vmm4j.devices.fwcfg;

import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.devices.Checks;

/**
 * Where the firmware configuration is.
 *
 * @param port the first of 2 ports
 */
public record FwCfgConfig(int port) implements DeviceConfig {
  /** The type of device. */
  public static final String TYPE = "fwcfg";

  /** Port 0x510, where QEMU has it. */
  public static final FwCfgConfig DEFAULT = new FwCfgConfig(0x510);

  /** Checks ranges. */
  public FwCfgConfig {
    Checks.port("port", port, FwCfg.PORTS);
  }

  @Override
  public String deviceType() {
    return TYPE;
  }
}

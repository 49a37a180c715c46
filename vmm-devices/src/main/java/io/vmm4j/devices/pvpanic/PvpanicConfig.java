package io.vmm4j.devices.pvpanic;

import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.devices.Checks;

/**
 * A port through which a guest says that it has panicked.
 *
 * @param port which one
 */
public record PvpanicConfig(int port) implements DeviceConfig {
  /** The type of device. */
  public static final String TYPE = "pvpanic";

  /** Port 0x505, as QEMU has it. */
  public static final PvpanicConfig DEFAULT = new PvpanicConfig(0x505);

  /** Checks ranges. */
  public PvpanicConfig {
    Checks.port("port", port, 1);
  }

  @Override
  public String deviceType() {
    return TYPE;
  }
}

package io.vmm4j.devices.pci;

import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.devices.Checks;

/**
 * A PCI Express root port.
 *
 * @param slot the number of its slot, 0 to 255, which no other port has
 */
public record RootPortConfig(int slot) implements DeviceConfig {
  /** The type of device. */
  public static final String TYPE = "pci-root-port";

  /** Slot 1. */
  public static final RootPortConfig DEFAULT = new RootPortConfig(1);

  /** Checks ranges. */
  public RootPortConfig {
    Checks.unsignedByte("slot", slot);
  }

  @Override
  public String deviceType() {
    return TYPE;
  }
}

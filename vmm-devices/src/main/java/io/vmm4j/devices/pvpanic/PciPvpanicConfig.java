package io.vmm4j.devices.pvpanic;

import io.vmm4j.api.device.DeviceConfig;

/** A PCI function through which a guest says that it has panicked. */
public record PciPvpanicConfig() implements DeviceConfig {
  /** The type of device. */
  public static final String TYPE = "pvpanic-pci";

  /** There is nothing to choose. */
  public static final PciPvpanicConfig DEFAULT = new PciPvpanicConfig();

  @Override
  public String deviceType() {
    return TYPE;
  }
}

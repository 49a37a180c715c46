package io.vmm4j.devices.watchdog;

import io.vmm4j.api.device.DeviceConfig;

/**
 * A watchdog timer on the PCI bus.
 *
 * @param action what happens when it expires
 */
public record WatchdogConfig(WatchdogAction action) implements DeviceConfig {
  /** The type of device. */
  public static final String TYPE = "i6300esb";

  /** It resets the machine. */
  public static final WatchdogConfig DEFAULT = new WatchdogConfig(WatchdogAction.RESET);

  @Override
  public String deviceType() {
    return TYPE;
  }
}

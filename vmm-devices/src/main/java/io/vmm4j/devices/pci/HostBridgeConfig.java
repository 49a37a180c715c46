package io.vmm4j.devices.pci;

import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.devices.Checks;

/**
 * Where the host bridge has its windows.
 *
 * @param configuration where configuration space is mapped after power-on, 256 MiB: a multiple of
 *     256 MiB, from 3 GiB up to the top 256 MiB below 4 GiB
 */
public record HostBridgeConfig(long configuration) implements DeviceConfig {
  /** The type of device. */
  public static final String TYPE = "pci-host-bridge";

  /** Configuration space at 0xE0000000. */
  public static final HostBridgeConfig DEFAULT = new HostBridgeConfig(0xE000_0000L);

  /** Checks ranges. */
  public HostBridgeConfig {
    Checks.range("configuration", configuration, 0xC000_0000L, 0xE000_0000L);
    Checks.range(
        "configuration modulo 0x10000000", configuration % HostBridge.CONFIGURATION_BYTES, 0, 0);
  }

  @Override
  public String deviceType() {
    return TYPE;
  }
}

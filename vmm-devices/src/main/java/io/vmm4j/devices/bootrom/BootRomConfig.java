package io.vmm4j.devices.bootrom;

import io.vmm4j.api.device.DeviceConfig;

/**
 * What is in the boot ROM.
 *
 * @param image the path of a file of 1 byte to 16 MiB. It is read when a machine is started, and
 *     not when one is restored
 */
public record BootRomConfig(String image) implements DeviceConfig {
  /** The type of device. */
  public static final String TYPE = "bootrom";

  /** No image: a machine with it can't be started. */
  public static final BootRomConfig DEFAULT = new BootRomConfig("");

  @Override
  public String deviceType() {
    return TYPE;
  }
}

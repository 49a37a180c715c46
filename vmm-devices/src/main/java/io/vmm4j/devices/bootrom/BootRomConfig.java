package io.vmm4j.devices.bootrom;

import io.vmm4j.api.device.DeviceConfig;

/**
 * What is in the boot ROM.
 *
 * @param image the path of a file of 1 byte to 16 MiB. It is read when a machine is started, and
 *     not when one is restored
 * @param shadow whether what is seen under 1 MiB is RAM with a copy of the image's last 256 KiB, as
 *     a chipset leaves it that has shadowed its BIOS; else it is the image's last 128 KiB,
 *     read-only
 */
public record BootRomConfig(String image, boolean shadow) implements DeviceConfig {
  /** The type of device. */
  public static final String TYPE = "bootrom";

  /** No image: a machine with it can't be started. */
  public static final BootRomConfig DEFAULT = new BootRomConfig("", false);

  /** An image that is seen under 1 MiB as it is. */
  public BootRomConfig(String image) {
    this(image, false);
  }

  @Override
  public String deviceType() {
    return TYPE;
  }
}

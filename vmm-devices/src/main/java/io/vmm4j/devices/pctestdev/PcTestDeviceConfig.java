package io.vmm4j.devices.pctestdev;

import io.vmm4j.api.device.DeviceConfig;

/** The device has one form only: kvm-unit-tests know where it is. */
public record PcTestDeviceConfig() implements DeviceConfig {
  /** The type of device, named as in QEMU. */
  public static final String TYPE = "pc-testdev";

  @Override
  public String deviceType() {
    return TYPE;
  }
}

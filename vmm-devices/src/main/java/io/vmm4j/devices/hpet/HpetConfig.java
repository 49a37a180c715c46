package io.vmm4j.devices.hpet;

import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.devices.Checks;

/**
 * Where the timer block is, and how many timers it has.
 *
 * @param address its base: a multiple of 4 KiB below 4 GiB
 * @param timers how many timers, 3 to 32
 */
public record HpetConfig(long address, int timers) implements DeviceConfig {
  /** The type of device. */
  public static final String TYPE = "hpet";

  /** At 0xFED00000, with 3 timers. */
  public static final HpetConfig DEFAULT = new HpetConfig(0xFED0_0000L, 3);

  /** Checks ranges. */
  public HpetConfig {
    Checks.range("address", address, 0x10_0000L, 0xFFFF_F000L);
    Checks.range("address modulo 4096", address & 0xFFF, 0, 0);
    Checks.range("timers", timers, 3, 32);
  }

  @Override
  public String deviceType() {
    return TYPE;
  }
}

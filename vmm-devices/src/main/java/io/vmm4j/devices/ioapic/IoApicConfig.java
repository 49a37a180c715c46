package io.vmm4j.devices.ioapic;

import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.devices.Checks;

/**
 * Where an I/O APIC is.
 *
 * @param address of its window, a multiple of 4 KiB below 4 GiB
 * @param id its APIC ID after reset, 0 to 15
 */
public record IoApicConfig(long address, int id) implements DeviceConfig {
  /** The type of device. */
  public static final String TYPE = "ioapic";

  /** At 0xFEC00000, ID 0. */
  public static final IoApicConfig DEFAULT = new IoApicConfig(0xFEC0_0000L, 0);

  /** Checks ranges. */
  public IoApicConfig {
    Checks.range("address", address, 0x10_0000L, 0xFFFF_F000L);
    Checks.range("address modulo 4096", address & 0xFFF, 0, 0);
    Checks.range("id", id, 0, 15);
  }

  @Override
  public String deviceType() {
    return TYPE;
  }
}

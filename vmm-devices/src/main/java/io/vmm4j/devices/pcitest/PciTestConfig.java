package io.vmm4j.devices.pcitest;

import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.devices.Checks;

/**
 * A PCI function for tests.
 *
 * @param memoryPages the size of its memory in pages of 4 KiB: a power of 2, 1 to 65536
 * @param messages how many MSI vectors it has: 1, 2, 4, 8, 16, 32, or 0 for no MSI
 * @param tableEntries how many MSI-X vectors it has, 0 to 2048; 0 for no MSI-X
 */
public record PciTestConfig(int memoryPages, int messages, int tableEntries)
    implements DeviceConfig {
  /** The type of device. */
  public static final String TYPE = "pci-test";

  /** 64 KiB, 4 MSI vectors, 3 MSI-X vectors. */
  public static final PciTestConfig DEFAULT = new PciTestConfig(16, 4, 3);

  /** Checks ranges. */
  public PciTestConfig {
    Checks.range("memoryPages", memoryPages, 1, 65536);
    Checks.range("bits of memoryPages", Integer.bitCount(memoryPages), 1, 1);
    Checks.range("messages", messages, 0, 32);
    Checks.range("bits of messages", Integer.bitCount(messages), 0, 1);
    Checks.range("tableEntries", tableEntries, 0, 2048);
  }

  @Override
  public String deviceType() {
    return TYPE;
  }
}

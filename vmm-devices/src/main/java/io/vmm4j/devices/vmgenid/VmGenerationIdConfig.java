package io.vmm4j.devices.vmgenid;

import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.devices.Checks;

/**
 * Where the VM generation id is, and what it is at first.
 *
 * @param address of the page with the id: a multiple of 4 KiB from 1 MiB to 4 GiB, where there is
 *     nothing else
 * @param irq the interrupt line of the change, 16 to 23
 * @param port the port of the change's status
 * @param id the GUID of a machine that is not a clone, as {@code
 *     01234567-89ab-cdef-0123-456789abcdef}; empty means one that follows from the machine's random
 *     seed, and so is another in each machine unless the specification sets the seed
 */
public record VmGenerationIdConfig(long address, int irq, int port, String id)
    implements DeviceConfig {
  /** The type of device. */
  public static final String TYPE = "vmgenid";

  /** At 0xFEF00000, interrupt line 22, port 0x610, the id from the seed. */
  public static final VmGenerationIdConfig DEFAULT =
      new VmGenerationIdConfig(0xFEF0_0000L, 22, 0x610, "");

  /** Checks ranges, and the form of the id. */
  public VmGenerationIdConfig {
    Checks.range("address", address, 0x10_0000L, 0xFFFF_F000L);
    Checks.range("address modulo 4096", address & 0xFFF, 0, 0);
    Checks.range("irq", irq, 16, 23);
    Checks.port("port", port, 1);
    if (!id.matches("|\\p{XDigit}{8}(-\\p{XDigit}{4}){3}-\\p{XDigit}{12}")) {
      throw new IllegalArgumentException("id: '%s' is no GUID".formatted(id));
    }
  }

  @Override
  public String deviceType() {
    return TYPE;
  }
}

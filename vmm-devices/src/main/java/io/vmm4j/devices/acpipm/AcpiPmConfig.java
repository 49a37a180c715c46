package io.vmm4j.devices.acpipm;

import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.devices.Checks;

/**
 * Where the ACPI fixed hardware is.
 *
 * @param port the first of 12 ports: PM1a event block at 0, PM1a control block at 4, PM timer at 8
 * @param irq the system control interrupt
 * @param sleepType SLP_TYP that means soft-off (S5), 0 to 7
 * @param resetPort the port of the reset register
 */
public record AcpiPmConfig(int port, int irq, int sleepType, int resetPort)
    implements DeviceConfig {
  /** The type of device. */
  public static final String TYPE = "acpi-pm";

  /**
   * Ports 0x600 to 0x60B and 0xCF9, interrupt line 9, S5 is 0. So 0x2000 written to port 0x604 is a
   * power-off, as it is in QEMU's machines: kernels that read no tables write that.
   */
  public static final AcpiPmConfig DEFAULT = new AcpiPmConfig(0x600, 9, 0, 0xCF9);

  /** Checks ranges. */
  public AcpiPmConfig {
    Checks.port("port", port, 12);
    Checks.range("port modulo 4", port & 3, 0, 0);
    Checks.range("irq", irq, 3, 23);
    Checks.range("sleepType", sleepType, 0, 7);
    Checks.port("resetPort", resetPort, 1);
  }

  @Override
  public String deviceType() {
    return TYPE;
  }
}

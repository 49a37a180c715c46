package io.vmm4j.devices.uart;

import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.devices.Checks;

/**
 * Where a serial port is. Its other end is the console of the device's path.
 *
 * @param port the first of its 8 ports
 * @param irq its interrupt line, 0 to 23
 */
public record UartConfig(int port, int irq) implements DeviceConfig {
  /** The type of device. */
  public static final String TYPE = "uart16550";

  /** COM1: port 0x3F8, IRQ 4. */
  public static final UartConfig DEFAULT = new UartConfig(0x3F8, 4);

  /** Checks ranges. */
  public UartConfig {
    Checks.port("port", port, 8);
    Checks.range("irq", irq, 0, 23);
  }

  @Override
  public String deviceType() {
    return TYPE;
  }
}

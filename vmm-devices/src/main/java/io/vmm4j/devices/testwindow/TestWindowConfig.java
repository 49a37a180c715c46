package io.vmm4j.devices.testwindow;

import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.devices.Checks;

/**
 * A window of device memory that its guest moves.
 *
 * @param port the first of 8 ports
 * @param pages its size in pages of 4 KiB, 1 to 4096
 */
public record TestWindowConfig(int port, int pages) implements DeviceConfig {
  /** The type of device. */
  public static final String TYPE = "test-window";

  /** Port 0x510, 64 KiB. */
  public static final TestWindowConfig DEFAULT = new TestWindowConfig(0x510, 16);

  /** Checks ranges. */
  public TestWindowConfig {
    Checks.port("port", port, TestWindow.PORTS);
    Checks.range("port modulo 4", port & 3, 0, 0);
    Checks.range("pages", pages, 1, 4096);
  }

  @Override
  public String deviceType() {
    return TYPE;
  }
}

package io.vmm4j.devices.pctestdev;

import io.vmm4j.devices.Checks;

/**
 * What the test device remembers.
 *
 * @param ports the bytes written to ports 0xE0 to 0xE3
 * @param lines the asserted interrupt lines, bit 0 being line 0
 * @param window the contents of the trapped window, 64 KiB
 */
public record PcTestDeviceState(byte[] ports, int lines, byte[] window) {
  /** Checks lengths. */
  public PcTestDeviceState {
    Checks.length("ports", ports, PcTestDevice.MEMORY_PORTS);
    Checks.length("window", window, PcTestDevice.WINDOW_BYTES);
  }
}

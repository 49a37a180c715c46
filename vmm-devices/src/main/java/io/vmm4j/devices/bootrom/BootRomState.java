package io.vmm4j.devices.bootrom;

import io.vmm4j.devices.Checks;

/**
 * State of the boot ROM. Its contents are in the machine's memory.
 *
 * @param bytes its size, a multiple of 4 KiB
 */
public record BootRomState(long bytes) {

  /** Checks ranges. */
  public BootRomState {
    Checks.range("bytes", bytes, BootRom.PAGE, BootRom.MOST_BYTES);
    Checks.range("bytes modulo 4096", bytes % BootRom.PAGE, 0, 0);
  }
}

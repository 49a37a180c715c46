package io.vmm4j.devices.acpipm;

import io.vmm4j.devices.Checks;

/**
 * State of the ACPI fixed hardware.
 *
 * @param status PM1_STS
 * @param enable PM1_EN
 * @param control PM1_CNT
 * @param timerPeriods how often bit 23 of the PM timer had changed when it was last looked at
 * @param resetControl the reset register
 */
public record AcpiPmState(
    int status, int enable, int control, long timerPeriods, int resetControl) {

  /** Checks ranges. */
  public AcpiPmState {
    Checks.range("status", status, 0, 0xFFFF);
    Checks.range("enable", enable, 0, 0xFFFF);
    Checks.range("control", control, 0, 0xFFFF);
    Checks.range("timerPeriods", timerPeriods, 0, 1L << 32);
    Checks.unsignedByte("resetControl", resetControl);
  }
}

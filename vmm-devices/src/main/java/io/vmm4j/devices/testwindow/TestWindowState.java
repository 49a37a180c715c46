package io.vmm4j.devices.testwindow;

import io.vmm4j.api.device.GuestAccess;
import io.vmm4j.devices.Checks;

/**
 * State of the window.
 *
 * @param wantedPage the page number last written to the base register
 * @param page where it is mapped, in pages of 4 KiB
 * @param access what the guest may do there
 * @param generation how often it was mapped anew, modulo 2^16
 * @param refused whether the last request was refused
 */
public record TestWindowState(
    int wantedPage, int page, GuestAccess access, int generation, boolean refused) {

  /** Checks ranges. */
  public TestWindowState {
    Checks.range("generation", generation, 0, 0xFFFF);
  }
}

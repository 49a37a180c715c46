package io.vmm4j.devices.systemcontrol;

import io.vmm4j.devices.Checks;

/**
 * State of the port.
 *
 * @param value what was written last; bit 0 is the fast reset, bit 1 the gate of address line 20
 */
public record SystemControlState(int value) {

  /** Checks ranges. */
  public SystemControlState {
    Checks.unsignedByte("value", value);
  }
}

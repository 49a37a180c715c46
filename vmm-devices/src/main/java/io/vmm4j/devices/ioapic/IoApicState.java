package io.vmm4j.devices.ioapic;

import io.vmm4j.devices.Checks;
import java.util.List;

/**
 * State of the I/O APIC.
 *
 * @param select IOREGSEL, 0 to 255
 * @param id the APIC ID, 0 to 15
 * @param pins which pins are asserted, a bit each
 * @param redirections the 24 entries of the redirection table, in the datasheet's form
 */
public record IoApicState(int select, int id, int pins, List<Long> redirections) {

  /** Checks ranges. */
  public IoApicState {
    Checks.unsignedByte("select", select);
    Checks.range("id", id, 0, 15);
    Checks.range("pins", pins, 0, 0xFF_FFFF);
    redirections = List.copyOf(redirections);
    Checks.range("redirections", redirections.size(), IoApic.PINS, IoApic.PINS);
    for (long entry : redirections) {
      if ((entry & ~IoApic.ENTRY_BITS) != 0) {
        throw new IllegalArgumentException(
            "redirections: %#x has reserved bits set".formatted(entry));
      }
    }
  }
}

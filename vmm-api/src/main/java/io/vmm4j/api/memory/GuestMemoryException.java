package io.vmm4j.api.memory;

import io.vmm4j.api.VmException;

/** An access to a guest physical address where there is no memory that allows it. */
public final class GuestMemoryException extends VmException {
  private static final long serialVersionUID = 1L;

  private final long guestPhysicalAddress;

  /** Names the address and the access. */
  public GuestMemoryException(String access, long guestPhysicalAddress, long length) {
    super(
        "cannot %s %d byte(s) at guest physical address 0x%x: no such memory"
            .formatted(access, length, guestPhysicalAddress));
    this.guestPhysicalAddress = guestPhysicalAddress;
  }

  /** The first address of the access. */
  public long guestPhysicalAddress() {
    return guestPhysicalAddress;
  }
}

package io.vmm4j.api.debug;

import io.vmm4j.api.VmException;

/** A linear address that leads to no memory, or to none that can be written. */
public final class LinearAddressException extends VmException {
  private static final long serialVersionUID = 1L;

  private final long linearAddress;

  /** Names the address and the access. */
  public LinearAddressException(String access, long linearAddress) {
    super("cannot %s at linear address 0x%x: no such memory".formatted(access, linearAddress));
    this.linearAddress = linearAddress;
  }

  /** The first address that can't be accessed. */
  public long linearAddress() {
    return linearAddress;
  }
}

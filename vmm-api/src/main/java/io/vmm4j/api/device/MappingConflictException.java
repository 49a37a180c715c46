package io.vmm4j.api.device;

import io.vmm4j.api.DeviceException;

/** A specification puts device memory where something else is seen. */
public final class MappingConflictException extends DeviceException {
  private static final long serialVersionUID = 1L;

  /** Names the device, the range asked for and what is there. */
  public MappingConflictException(String path, long base, long length, String occupant) {
    super(
        path, "cannot map 0x%x..0x%x: it overlaps %s".formatted(base, base + length - 1, occupant));
  }
}

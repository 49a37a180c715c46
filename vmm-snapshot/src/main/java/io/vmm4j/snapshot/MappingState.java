package io.vmm4j.snapshot;

import io.vmm4j.api.device.GuestAccess;

/**
 * Where the guest sees a piece of device memory. Restored through the same door as a device's own
 * remap, so every address is checked there once more.
 *
 * @param path the device
 * @param memory the name of its device memory
 * @param mapping the name of the mapping
 * @param offset where the piece begins in the memory, a multiple of 4096
 * @param length of the piece in bytes, a multiple of 4096
 * @param guestPhysicalAddress where the guest sees it, a multiple of 4096
 * @param access what the guest may do there
 */
public record MappingState(
    String path,
    String memory,
    String mapping,
    long offset,
    long length,
    long guestPhysicalAddress,
    GuestAccess access) {

  /** Refuses what is not made of whole pages. */
  public MappingState {
    if (offset < 0
        || length <= 0
        || ((offset | length | guestPhysicalAddress) & (SnapshotFormat.PAGE_BYTES - 1)) != 0) {
      throw new IllegalArgumentException(
          "mapping '%s' of '%s/%s' is not made of whole pages".formatted(mapping, path, memory));
    }
  }
}

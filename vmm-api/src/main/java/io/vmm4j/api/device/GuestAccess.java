package io.vmm4j.api.device;

/** What the guest may do with mapped device memory. */
public enum GuestAccess {
  /** Not visible: accesses find nobody home. */
  OFF,
  /**
   * Loads and instruction fetches; stores are ignored, as of a ROM, or go to {@link
   * DeviceMemoryMapping#onStore}, as of a flash.
   */
  READ_ONLY,
  /** Everything. */
  READ_WRITE
}

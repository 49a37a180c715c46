package io.vmm4j.api.device;

/** A place where the guest sees (a part of) a {@link DeviceMemory}. */
public interface DeviceMemoryMapping {

  /** Unique within its memory. */
  String name();

  /** Where it begins, a multiple of 4 KiB. */
  long guestPhysicalAddress();

  /** What the guest may do there. */
  GuestAccess access();

  /**
   * Moves it or changes what the guest may do, in one step. With {@link GuestAccess#OFF} it takes
   * no room.
   *
   * @throws MappingConflictException if the new place is taken; the old mapping is kept
   */
  void remap(long guestPhysicalAddress, GuestAccess access);
}

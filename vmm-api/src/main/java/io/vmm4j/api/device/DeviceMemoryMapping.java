package io.vmm4j.api.device;

/** A place where the guest sees (a part of) a {@link DeviceMemory}. */
public interface DeviceMemoryMapping {

  /** Unique within its memory. */
  String name();

  /** Where it begins, a multiple of 4 KiB. */
  long guestPhysicalAddress();

  /** Whether all of it is seen: it is not off, and nothing that comes first covers a part. */
  boolean isSeen();

  /** What the guest may do there. */
  GuestAccess access();

  /**
   * Says who takes the guest's stores while it may only read: loads go straight to the memory, and
   * stores to the handler, as to a flash. Without one they are lost. It is no part of a snapshot: a
   * device says so whenever it maps the memory.
   */
  void onStore(StoreHandler handler);

  /**
   * Moves it or changes what the guest may do, in one step. With {@link GuestAccess#OFF} it takes
   * no room. Nobody is refused a place: {@link AddressClaim} says who is seen where several are.
   *
   * @param guestPhysicalAddress a multiple of 4 KiB; beyond the end of the address space it is seen
   *     nowhere
   */
  void remap(long guestPhysicalAddress, GuestAccess access);
}

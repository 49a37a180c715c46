package io.vmm4j.api.device;

import io.vmm4j.api.MemorySize;
import java.lang.foreign.MemorySegment;

/**
 * Real memory that a device owns and may map into the guest's physical address space, as often as
 * it likes and wherever it likes. The memory is one thing, a mapping of it another: the host's view
 * does not depend on any mapping.
 */
public interface DeviceMemory {

  /** Unique within the device. */
  String name();

  /** A multiple of 4 KiB. */
  MemorySize size();

  /**
   * The host's view of all of it, valid until the machine is closed. Contents are zero at first. A
   * store through it is seen by the guest, but not as code that is already decoded: use {@link
   * #write} for what may be executed.
   */
  MemorySegment view();

  /** Copies bytes in, invalidating decoded code. */
  void write(long offset, byte[] bytes);

  /**
   * Maps {@code [offset, offset + length)} of it at a guest physical address. {@link AddressClaim}
   * says who is seen where several are. What the first {@link DeviceModel#reset} has mapped must be
   * seen whole: a machine where it isn't is refused.
   *
   * @param name of the mapping, unique within this memory; kept in the snapshot
   * @param offset a multiple of 4 KiB
   * @param length a multiple of 4 KiB
   * @param guestPhysicalAddress a multiple of 4 KiB
   */
  DeviceMemoryMapping map(
      String name, long offset, long length, long guestPhysicalAddress, GuestAccess access);

  /** Maps all of it, under the name {@code main}. */
  default DeviceMemoryMapping map(long guestPhysicalAddress, GuestAccess access) {
    return map("main", 0, size().bytes(), guestPhysicalAddress, access);
  }
}

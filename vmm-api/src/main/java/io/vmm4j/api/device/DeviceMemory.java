package io.vmm4j.api.device;

import io.vmm4j.api.MemorySize;
import java.lang.foreign.MemorySegment;
import java.util.List;

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
   * The host's view of all of it, to be read; valid until the machine is closed, wherever it is
   * mapped. Contents are zero at first.
   */
  MemorySegment view();

  /**
   * The same, to be written too. Whoever stores through it says so by {@link #written}: a snapshot
   * has no other way to know.
   */
  MemorySegment writableView();

  /**
   * Says that bytes were stored through {@link #writableView}: they are part of the next snapshot,
   * and code that was decoded from them is void. Any thread.
   */
  void written(long offset, long length);

  /**
   * Has the host keep room for the first bytes of sparse memory, as far as it does not yet. Without
   * that a store may find no room, which ends the machine. Any thread.
   *
   * @throws io.vmm4j.api.DeviceException if the host has not so much; names the file system
   */
  void keepRoom(long bytes);

  /** Copies bytes in: no more is to be said. Any thread. */
  void write(long offset, byte[] bytes);

  /**
   * Bytes of it.
   *
   * @param offset a multiple of 4 KiB
   * @param length a multiple of 4 KiB
   */
  record Range(long offset, long length) {}

  /**
   * The pages that the guest, a device or a restore may have written since the last call, in order,
   * as few ranges as they make; all of it at the first call. For one asker: whoever shows a frame
   * buffer.
   *
   * <p>The machine stands for a moment, so this is for threads of the host, without the machine
   * lock.
   *
   * @throws IllegalStateException if the calling thread is one of the machine itself
   */
  List<Range> takeDirty();

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

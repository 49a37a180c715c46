package io.vmm4j.api.memory;

import java.lang.invoke.VarHandle;

/**
 * Guest physical memory (RAM and mapped device memory) as devices and the host see it. Values are
 * little-endian, addresses need no alignment, and an access may cross from one range to the next.
 * Writes go through the same door as the guest's own: they are seen by dirty tracking and
 * invalidate decoded code. Read-only device memory can't be written.
 *
 * <p>Device models call it while they hold the machine lock, or from a {@link
 * io.vmm4j.api.device.DeviceWorker}. A host thread may call it at any time and sees whatever a
 * running guest leaves there.
 *
 * <p>Every address is checked. What a guest has given wrongly is a {@link GuestMemoryException} and
 * nothing else, which a device turns into an error of its own.
 *
 * <p>Rings that are shared with vCPUs on other threads take the ordered loads and stores. What the
 * guest stored before it stored an index is seen by whoever loads the index with <em>acquire</em>,
 * and the other way round with <em>release</em>.
 */
public interface GuestMemory {

  /** Whether all of {@code [address, address + length)} is RAM or mapped device memory. */
  boolean contains(long guestPhysicalAddress, long length);

  /** Whether all of {@code [address, address + length)} can be written. */
  boolean isWritable(long guestPhysicalAddress, long length);

  /**
   * Copies guest memory out.
   *
   * @throws GuestMemoryException if any byte of the range is neither RAM nor mapped device memory;
   *     nothing is copied then
   */
  void read(long guestPhysicalAddress, byte[] target, int offset, int length);

  /**
   * Copies into guest memory.
   *
   * @throws GuestMemoryException if any byte of the range is not writable memory; nothing is
   *     written then
   */
  void write(long guestPhysicalAddress, byte[] source, int offset, int length);

  /** Copies {@code length} bytes out into a new array. */
  default byte[] read(long guestPhysicalAddress, int length) {
    byte[] bytes = new byte[length];
    read(guestPhysicalAddress, bytes, 0, length);
    return bytes;
  }

  /** Copies all of {@code source} into guest memory. */
  default void write(long guestPhysicalAddress, byte[] source) {
    write(guestPhysicalAddress, source, 0, source.length);
  }

  /** One byte, zero-extended. */
  int readByte(long guestPhysicalAddress);

  /** Two bytes, little-endian, zero-extended. */
  int readShort(long guestPhysicalAddress);

  /** Four bytes, little-endian. */
  int readInt(long guestPhysicalAddress);

  /** Eight bytes, little-endian. */
  long readLong(long guestPhysicalAddress);

  /** Writes the low byte of {@code value}. */
  void writeByte(long guestPhysicalAddress, int value);

  /** Writes the low two bytes of {@code value}, little-endian. */
  void writeShort(long guestPhysicalAddress, int value);

  /** Writes four bytes, little-endian. */
  void writeInt(long guestPhysicalAddress, int value);

  /** Writes eight bytes, little-endian. */
  void writeLong(long guestPhysicalAddress, long value);

  /**
   * Two bytes, zero-extended; later accesses stay behind this one.
   *
   * @throws GuestMemoryException if the address is not a multiple of 2, too
   */
  default int readShortAcquire(long guestPhysicalAddress) {
    requireAligned("read", guestPhysicalAddress, Short.BYTES);
    int value = readShort(guestPhysicalAddress);
    VarHandle.acquireFence();
    return value;
  }

  /**
   * Four bytes; later accesses stay behind this one.
   *
   * @throws GuestMemoryException if the address is not a multiple of 4, too
   */
  default int readIntAcquire(long guestPhysicalAddress) {
    requireAligned("read", guestPhysicalAddress, Integer.BYTES);
    int value = readInt(guestPhysicalAddress);
    VarHandle.acquireFence();
    return value;
  }

  /**
   * Eight bytes; later accesses stay behind this one.
   *
   * @throws GuestMemoryException if the address is not a multiple of 8, too
   */
  default long readLongAcquire(long guestPhysicalAddress) {
    requireAligned("read", guestPhysicalAddress, Long.BYTES);
    long value = readLong(guestPhysicalAddress);
    VarHandle.acquireFence();
    return value;
  }

  /**
   * Writes the low two bytes of {@code value}; earlier accesses stay before this one.
   *
   * @throws GuestMemoryException if the address is not a multiple of 2, too
   */
  default void writeShortRelease(long guestPhysicalAddress, int value) {
    requireAligned("write", guestPhysicalAddress, Short.BYTES);
    VarHandle.releaseFence();
    writeShort(guestPhysicalAddress, value);
  }

  /**
   * Writes four bytes; earlier accesses stay before this one.
   *
   * @throws GuestMemoryException if the address is not a multiple of 4, too
   */
  default void writeIntRelease(long guestPhysicalAddress, int value) {
    requireAligned("write", guestPhysicalAddress, Integer.BYTES);
    VarHandle.releaseFence();
    writeInt(guestPhysicalAddress, value);
  }

  /**
   * Writes eight bytes; earlier accesses stay before this one.
   *
   * @throws GuestMemoryException if the address is not a multiple of 8, too
   */
  default void writeLongRelease(long guestPhysicalAddress, long value) {
    requireAligned("write", guestPhysicalAddress, Long.BYTES);
    VarHandle.releaseFence();
    writeLong(guestPhysicalAddress, value);
  }

  private static void requireAligned(String access, long guestPhysicalAddress, int bytes) {
    if ((guestPhysicalAddress & bytes - 1) != 0) {
      throw new GuestMemoryException(access, guestPhysicalAddress, bytes);
    }
  }

  /**
   * Says that the guest needs the contents of memory no more. They become zeros, and whole pages of
   * RAM go back to the host, as far as it can take them.
   *
   * @throws GuestMemoryException if any byte of the range is not writable memory; nothing is
   *     changed then
   */
  default void discard(long guestPhysicalAddress, long length) {
    this.<RuntimeException>writeInPlace(
        guestPhysicalAddress, length, piece -> piece.fill((byte) 0));
  }

  /**
   * Has memory read in place, piece by piece in the order of addresses, without a copy. The guest
   * may change it meanwhile: read what must not change twice into a copy first.
   *
   * @throws GuestMemoryException if any byte of the range is neither RAM nor mapped device memory;
   *     nothing is read then
   */
  <X extends Exception> void readInPlace(
      long guestPhysicalAddress, long length, MemoryPiece<X> reader) throws X;

  /**
   * Has memory written in place, piece by piece in the order of addresses, without a copy. Each
   * piece counts as written whole, whether or not the writer returns.
   *
   * @throws GuestMemoryException if any byte of the range is not writable memory; nothing is
   *     written then
   */
  <X extends Exception> void writeInPlace(
      long guestPhysicalAddress, long length, MemoryPiece<X> writer) throws X;
}

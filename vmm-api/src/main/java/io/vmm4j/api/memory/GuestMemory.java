package io.vmm4j.api.memory;

/**
 * Guest physical memory (RAM and mapped device memory) as devices and the host see it. Values are
 * little-endian, addresses need no alignment, and an access may cross from one range to the next.
 * Writes go through the same door as the guest's own: they are seen by dirty tracking and
 * invalidate decoded code. Read-only device memory can't be written.
 *
 * <p>Device models call it while they hold the machine lock; a host thread may call it at any time
 * and sees whatever a running guest leaves there.
 */
public interface GuestMemory {

  /** Whether all of {@code [address, address + length)} is RAM or mapped device memory. */
  boolean contains(long guestPhysicalAddress, long length);

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
}

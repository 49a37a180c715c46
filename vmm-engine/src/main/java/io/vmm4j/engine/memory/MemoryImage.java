package io.vmm4j.engine.memory;

import io.vmm4j.api.HostMemoryException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.OptionalLong;

/**
 * Contents that machines' memory begins with: RAM from offset 0, then device memory. Any number of
 * machines share it copy-on-write; it never changes while one of them lives. Any thread.
 */
public interface MemoryImage {

  /** Its size in bytes, a multiple of 4 KiB; what is mapped, not what is written. */
  long size();

  /** Its size without what is left for sparse memory that a restored device has not had before. */
  long usedBytes();

  /**
   * Where what guests may see ends; behind it is sparse memory alone, of which some may be before.
   */
  long guestBytes();

  /** How much of that is used, the rest being left for devices' memory. */
  long usedGuestBytes();

  /**
   * Maps all of it privately: what is written through the mapping is seen there only. {@link
   * #unmapped} must follow, when the arena is closed.
   */
  MemorySegment mapPrivate(Arena arena) throws IOException;

  /** A mapping by {@link #mapPrivate} is no more. */
  void unmapped();

  /** What a fault of a mapping means. */
  HostMemoryException explain(Throwable fault);

  /** Copies out; pages that were never written are zeros and are left alone. */
  void read(long offset, byte[] target, int targetOffset, int length) throws IOException;

  /** Whether a page is known to be of zeros. */
  boolean isZero(int page);

  /** The first page, from one on, that is not known to be of zeros; the largest number if none. */
  int nextFilled(int page);

  /** Where the memory of a region lies, if it is here and has this size. */
  OptionalLong offsetOf(String region, long bytes);

  /** The versions of its pages. */
  PageVersions versions();

  /** Keeps it from being released until {@link #release} is called once more. */
  void retain();

  /** Gives up what {@link #retain} or its making has got. */
  void release();
}

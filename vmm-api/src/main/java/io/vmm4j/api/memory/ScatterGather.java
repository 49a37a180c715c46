package io.vmm4j.api.memory;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Ranges of guest memory as one row of bytes: the buffers of a descriptor chain. Every range is
 * checked when it is added, and once more when it is used, as the guest may change its memory map
 * meanwhile. Not safe for several threads.
 *
 * {@snippet :
 * ScatterGather buffers = new ScatterGather(context.memory(), ScatterGather.Use.WRITTEN, 1 << 20);
 * buffers.add(descriptor.address(), descriptor.length());
 * buffers.writeInPlace(0, buffers.length(), piece -> channel.read(piece.asByteBuffer()));
 * }
 */
public final class ScatterGather {

  /** What a device does with the bytes. */
  public enum Use {
    /** It reads them. */
    READ,
    /** It writes them. */
    WRITTEN
  }

  private record Range(long address, long length) {}

  private final GuestMemory memory;
  private final Use use;
  private final long limit;
  private final List<Range> ranges = new ArrayList<>();
  private long length;

  /**
   * No bytes yet.
   *
   * @param limit how many there may be at most
   */
  public ScatterGather(GuestMemory memory, Use use, long limit) {
    this.memory = Objects.requireNonNull(memory, "memory");
    this.use = Objects.requireNonNull(use, "use");
    this.limit = limit;
  }

  /**
   * Adds a range behind the others.
   *
   * @throws GuestMemoryException if it is not memory of this use, or the bytes exceed the limit;
   *     nothing is added
   */
  public void add(long guestPhysicalAddress, long bytes) {
    boolean usable =
        bytes >= 0
            && bytes <= limit - length
            && (use == Use.READ
                ? memory.contains(guestPhysicalAddress, bytes)
                : memory.isWritable(guestPhysicalAddress, bytes));
    if (!usable) {
      throw new GuestMemoryException(
          use == Use.READ ? "read" : "write", guestPhysicalAddress, bytes);
    }
    if (bytes > 0) {
      ranges.add(new Range(guestPhysicalAddress, bytes));
      length += bytes;
    }
  }

  /** How many bytes there are. */
  public long length() {
    return length;
  }

  /**
   * Copies bytes out.
   *
   * @throws GuestMemoryException if the memory is not there any more
   */
  public void read(long offset, byte[] target, int at, int count) {
    Objects.checkFromIndexSize(at, count, target.length);
    int[] done = {0};
    each(
        offset,
        count,
        (address, bytes) -> {
          memory.read(address, target, at + done[0], (int) bytes);
          done[0] += (int) bytes;
        });
  }

  /**
   * Copies bytes in.
   *
   * @throws GuestMemoryException if the memory is not there any more
   */
  public void write(long offset, byte[] source, int at, int count) {
    requireWritten();
    Objects.checkFromIndexSize(at, count, source.length);
    int[] done = {0};
    each(
        offset,
        count,
        (address, bytes) -> {
          memory.write(address, source, at + done[0], (int) bytes);
          done[0] += (int) bytes;
        });
  }

  /**
   * Has bytes read in place: {@link GuestMemory#readInPlace}.
   *
   * @throws GuestMemoryException if the memory is not there any more
   */
  public <X extends Exception> void readInPlace(long offset, long count, MemoryPiece<X> reader)
      throws X {
    each(offset, count, (address, bytes) -> memory.readInPlace(address, bytes, reader));
  }

  /**
   * Has bytes written in place: {@link GuestMemory#writeInPlace}.
   *
   * @throws GuestMemoryException if the memory is not there any more
   */
  public <X extends Exception> void writeInPlace(long offset, long count, MemoryPiece<X> writer)
      throws X {
    requireWritten();
    each(offset, count, (address, bytes) -> memory.writeInPlace(address, bytes, writer));
  }

  /**
   * Discards all of it: {@link GuestMemory#discard}.
   *
   * @throws GuestMemoryException if the memory is not there any more
   */
  public void discard() {
    requireWritten();
    each(0, length, memory::discard);
  }

  private void requireWritten() {
    if (use != Use.WRITTEN) {
      throw new IllegalStateException("these bytes are there to be read");
    }
  }

  @FunctionalInterface
  private interface RangeAction<X extends Exception> {
    void accept(long address, long bytes) throws X;
  }

  private <X extends Exception> void each(long offset, long count, RangeAction<X> action) throws X {
    Objects.checkFromIndexSize(offset, count, length);
    long skip = offset;
    long left = count;
    for (Range range : ranges) {
      long from = Math.min(skip, range.length);
      long bytes = Math.min(left, range.length - from);
      if (bytes > 0) {
        action.accept(range.address + from, bytes);
      }
      skip -= from;
      left -= bytes;
    }
  }
}

package io.vmm4j.engine.memory;

import io.vmm4j.api.backend.MemoryLocation;
import io.vmm4j.api.memory.GuestMemory;
import io.vmm4j.api.memory.GuestMemoryException;
import io.vmm4j.api.memory.MemoryPiece;
import io.vmm4j.snapshot.SharedFile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.BitSet;
import java.util.Objects;

/** Guest physical memory by way of the memory map. Any thread. */
public final class MappedGuestMemory implements GuestMemory {
  private static final long PAGE = 4096;

  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final VarHandle ORDERED_SHORT =
      ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
  private static final VarHandle ORDERED_INT =
      ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
  private static final VarHandle ORDERED_LONG =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

  /** Hears of writes, so that decoded code can be dropped. */
  @FunctionalInterface
  public interface WriteListener {
    /** Bytes {@code [offset, offset + length)} of the machine's one segment have been written. */
    void written(long offset, long length);
  }

  private final PhysicalMemoryMap map;
  private final MachineMemory memory;
  private final MemorySegment segment;
  private final WriteListener listener;
  private final MachineMemory.PageReleaser releaser;

  /** Memory of a machine that gives nothing back to the host. */
  public MappedGuestMemory(PhysicalMemoryMap map, MachineMemory memory, WriteListener listener) {
    this(map, memory, listener, (offset, length, shared) -> false);
  }

  /** Memory of a machine. */
  public MappedGuestMemory(
      PhysicalMemoryMap map,
      MachineMemory memory,
      WriteListener listener,
      MachineMemory.PageReleaser releaser) {
    this.map = map;
    this.memory = memory;
    this.segment = memory.segment();
    this.listener = listener;
    this.releaser = releaser;
  }

  @Override
  public void discard(long guestPhysicalAddress, long length) {
    if (!covers(guestPhysicalAddress, length, true)) {
      throw new GuestMemoryException("discard", guestPhysicalAddress, length);
    }
    long done = 0;
    while (done < length) {
      long address = guestPhysicalAddress + done;
      MemoryLocation location = map.locate(address);
      long piece = Math.min(length - done, location.base() + location.length() - address);
      long at = offsetOf("discard", location, address, piece);
      if (at < memory.ramBytes()) {
        discardAt(at, piece);
      } else {
        // Device memory may be watched through views: it is written.
        GuestMemory.super.discard(address, piece);
      }
      done += piece;
    }
  }

  private void discardAt(long at, long length) {
    long first = at + PAGE - 1 & -PAGE;
    long last = Math.max(first, at + length & -PAGE);
    if (first >= last) {
      zero(at, length);
      return;
    }
    zero(at, first - at);
    BitSet changed = memory.discard(first, last - first, releaser);
    for (int page = changed.nextSetBit(0); page >= 0; ) {
      int end = changed.nextClearBit(page);
      listener.written(page * PAGE, (end - page) * PAGE);
      page = changed.nextSetBit(end);
    }
    zero(last, at + length - last);
  }

  /** Less than two pages. */
  private void zero(long at, long length) {
    if (length > 0) {
      memory.write(at, new byte[(int) length], 0, (int) length);
      listener.written(at, length);
    }
  }

  @Override
  public boolean contains(long guestPhysicalAddress, long length) {
    return covers(guestPhysicalAddress, length, false);
  }

  @Override
  public boolean isWritable(long guestPhysicalAddress, long length) {
    return covers(guestPhysicalAddress, length, true);
  }

  private boolean covers(long address, long length, boolean writable) {
    if (length < 0 || address < 0 || address > PhysicalMemoryMap.END - length) {
      return false;
    }
    long at = address;
    long end = address + length;
    while (at < end) {
      MemoryLocation location = map.locate(at);
      if (!location.isMemory() || (writable && !location.writable())) {
        return false;
      }
      at = location.base() + location.length();
    }
    return true;
  }

  @Override
  public void read(long guestPhysicalAddress, byte[] target, int offset, int length) {
    Objects.requireNonNull(target, "target");
    Objects.checkFromIndexSize(offset, length, target.length);
    if (!covers(guestPhysicalAddress, length, false)) {
      throw new GuestMemoryException("read", guestPhysicalAddress, length);
    }
    int done = 0;
    while (done < length) {
      long address = guestPhysicalAddress + done;
      MemoryLocation location = map.locate(address);
      int piece = (int) Math.min(length - done, location.base() + location.length() - address);
      copyOut(offsetOf("read", location, address, piece), target, offset + done, piece);
      done += piece;
    }
  }

  @Override
  public void write(long guestPhysicalAddress, byte[] source, int offset, int length) {
    Objects.requireNonNull(source, "source");
    Objects.checkFromIndexSize(offset, length, source.length);
    if (!covers(guestPhysicalAddress, length, true)) {
      throw new GuestMemoryException("write", guestPhysicalAddress, length);
    }
    int done = 0;
    while (done < length) {
      long address = guestPhysicalAddress + done;
      MemoryLocation location = map.locate(address);
      int piece = (int) Math.min(length - done, location.base() + location.length() - address);
      long at = offsetOf("write", location, address, piece);
      memory.write(at, source, offset + done, piece);
      listener.written(at, piece);
      done += piece;
    }
  }

  private void copyOut(long at, byte[] target, int offset, int length) {
    try {
      MemorySegment.copy(segment, ValueLayout.JAVA_BYTE, at, target, offset, length);
      SharedFile.throwFaultNow();
    } catch (InternalError e) {
      throw memory.failure(e);
    }
  }

  /** Checked once more, since another thread may have changed the map since {@link #covers}. */
  private static long offsetOf(String access, MemoryLocation location, long address, long length) {
    if (!location.isMemory()) {
      throw new GuestMemoryException(access, address, length);
    }
    return location.offset() + address - location.base();
  }

  /** The offset of an access that lies in one range, or -1. */
  private long single(long address, int length, boolean writable) {
    MemoryLocation location = map.locate(address);
    long distance = address - location.base();
    return location.isMemory()
            && (location.writable() || !writable)
            && distance <= location.length() - length
        ? location.offset() + distance
        : -1;
  }

  private long readPieces(long address, int length) {
    byte[] bytes = new byte[length];
    read(address, bytes, 0, length);
    long value = 0;
    for (int i = length - 1; i >= 0; i--) {
      value = value << 8 | (bytes[i] & 0xFF);
    }
    return value;
  }

  private void writePieces(long address, int length, long value) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = (byte) (value >>> (8 * i));
    }
    write(address, bytes, 0, length);
  }

  /** A byte of the machine's one segment. */
  public int readByteAt(long offset) {
    try {
      int value = segment.get(ValueLayout.JAVA_BYTE, offset) & 0xFF;
      SharedFile.throwFaultNow();
      return value;
    } catch (InternalError e) {
      throw memory.failure(e);
    }
  }

  /** Writes a byte of the machine's one segment. */
  public void writeByteAt(long offset, int value) {
    try {
      segment.set(ValueLayout.JAVA_BYTE, offset, (byte) value);
      SharedFile.throwFaultNow();
    } catch (InternalError e) {
      throw memory.failure(e);
    }
    listener.written(offset, 1);
  }

  @Override
  public int readByte(long guestPhysicalAddress) {
    long at = single(guestPhysicalAddress, 1, false);
    if (at < 0) {
      return (int) readPieces(guestPhysicalAddress, 1);
    }
    return readByteAt(at);
  }

  @Override
  public int readShort(long guestPhysicalAddress) {
    long at = single(guestPhysicalAddress, 2, false);
    if (at < 0) {
      return (int) readPieces(guestPhysicalAddress, 2);
    }
    try {
      int value = segment.get(SHORT, at) & 0xFFFF;
      SharedFile.throwFaultNow();
      return value;
    } catch (InternalError e) {
      throw memory.failure(e);
    }
  }

  @Override
  public int readInt(long guestPhysicalAddress) {
    long at = single(guestPhysicalAddress, 4, false);
    if (at < 0) {
      return (int) readPieces(guestPhysicalAddress, 4);
    }
    try {
      int value = segment.get(INT, at);
      SharedFile.throwFaultNow();
      return value;
    } catch (InternalError e) {
      throw memory.failure(e);
    }
  }

  @Override
  public long readLong(long guestPhysicalAddress) {
    long at = single(guestPhysicalAddress, 8, false);
    if (at < 0) {
      return readPieces(guestPhysicalAddress, 8);
    }
    try {
      long value = segment.get(LONG, at);
      SharedFile.throwFaultNow();
      return value;
    } catch (InternalError e) {
      throw memory.failure(e);
    }
  }

  @Override
  public void writeByte(long guestPhysicalAddress, int value) {
    long at = single(guestPhysicalAddress, 1, true);
    if (at < 0) {
      writePieces(guestPhysicalAddress, 1, value);
      return;
    }
    writeByteAt(at, value);
  }

  @Override
  public void writeShort(long guestPhysicalAddress, int value) {
    long at = single(guestPhysicalAddress, 2, true);
    if (at < 0) {
      writePieces(guestPhysicalAddress, 2, value);
      return;
    }
    try {
      segment.set(SHORT, at, (short) value);
      SharedFile.throwFaultNow();
    } catch (InternalError e) {
      throw memory.failure(e);
    }
    listener.written(at, 2);
  }

  @Override
  public void writeInt(long guestPhysicalAddress, int value) {
    long at = single(guestPhysicalAddress, 4, true);
    if (at < 0) {
      writePieces(guestPhysicalAddress, 4, value);
      return;
    }
    try {
      segment.set(INT, at, value);
      SharedFile.throwFaultNow();
    } catch (InternalError e) {
      throw memory.failure(e);
    }
    listener.written(at, 4);
  }

  @Override
  public void writeLong(long guestPhysicalAddress, long value) {
    long at = single(guestPhysicalAddress, 8, true);
    if (at < 0) {
      writePieces(guestPhysicalAddress, 8, value);
      return;
    }
    try {
      segment.set(LONG, at, value);
      SharedFile.throwFaultNow();
    } catch (InternalError e) {
      throw memory.failure(e);
    }
    listener.written(at, 8);
  }

  // ---- ordered ----

  /**
   * Where an aligned access lies in the segment: never across two ranges, which are made of pages.
   */
  private long aligned(String access, long address, int bytes, boolean writable) {
    long at = (address & bytes - 1) == 0 ? single(address, bytes, writable) : -1;
    if (at < 0) {
      throw new GuestMemoryException(access, address, bytes);
    }
    return at;
  }

  @Override
  public int readShortAcquire(long guestPhysicalAddress) {
    long at = aligned("read", guestPhysicalAddress, Short.BYTES, false);
    try {
      int value = (short) ORDERED_SHORT.getAcquire(segment, at) & 0xFFFF;
      SharedFile.throwFaultNow();
      return value;
    } catch (InternalError e) {
      throw memory.failure(e);
    }
  }

  @Override
  public int readIntAcquire(long guestPhysicalAddress) {
    long at = aligned("read", guestPhysicalAddress, Integer.BYTES, false);
    try {
      int value = (int) ORDERED_INT.getAcquire(segment, at);
      SharedFile.throwFaultNow();
      return value;
    } catch (InternalError e) {
      throw memory.failure(e);
    }
  }

  @Override
  public long readLongAcquire(long guestPhysicalAddress) {
    long at = aligned("read", guestPhysicalAddress, Long.BYTES, false);
    try {
      long value = (long) ORDERED_LONG.getAcquire(segment, at);
      SharedFile.throwFaultNow();
      return value;
    } catch (InternalError e) {
      throw memory.failure(e);
    }
  }

  @Override
  public void writeShortRelease(long guestPhysicalAddress, int value) {
    long at = aligned("write", guestPhysicalAddress, Short.BYTES, true);
    try {
      ORDERED_SHORT.setRelease(segment, at, (short) value);
      SharedFile.throwFaultNow();
    } catch (InternalError e) {
      throw memory.failure(e);
    }
    listener.written(at, Short.BYTES);
  }

  @Override
  public void writeIntRelease(long guestPhysicalAddress, int value) {
    long at = aligned("write", guestPhysicalAddress, Integer.BYTES, true);
    try {
      ORDERED_INT.setRelease(segment, at, value);
      SharedFile.throwFaultNow();
    } catch (InternalError e) {
      throw memory.failure(e);
    }
    listener.written(at, Integer.BYTES);
  }

  @Override
  public void writeLongRelease(long guestPhysicalAddress, long value) {
    long at = aligned("write", guestPhysicalAddress, Long.BYTES, true);
    try {
      ORDERED_LONG.setRelease(segment, at, value);
      SharedFile.throwFaultNow();
    } catch (InternalError e) {
      throw memory.failure(e);
    }
    listener.written(at, Long.BYTES);
  }

  // ---- in place ----

  @Override
  public <X extends Exception> void readInPlace(
      long guestPhysicalAddress, long length, MemoryPiece<X> reader) throws X {
    if (!covers(guestPhysicalAddress, length, false)) {
      throw new GuestMemoryException("read", guestPhysicalAddress, length);
    }
    long end = guestPhysicalAddress + length;
    for (long address = guestPhysicalAddress; address < end; ) {
      MemoryLocation location = map.locate(address);
      long piece = Math.min(end, location.base() + location.length()) - address;
      long at = offsetOf("read", location, address, piece);
      try {
        reader.accept(segment.asSlice(at, piece).asReadOnly());
        SharedFile.throwFaultNow();
      } catch (InternalError e) {
        throw memory.failure(e);
      }
      address += piece;
    }
  }

  @Override
  public <X extends Exception> void writeInPlace(
      long guestPhysicalAddress, long length, MemoryPiece<X> writer) throws X {
    if (!covers(guestPhysicalAddress, length, true)) {
      throw new GuestMemoryException("write", guestPhysicalAddress, length);
    }
    long end = guestPhysicalAddress + length;
    for (long address = guestPhysicalAddress; address < end; ) {
      MemoryLocation location = map.locate(address);
      long piece = Math.min(end, location.base() + location.length()) - address;
      writeInPlaceAt(offsetOf("write", location, address, piece), piece, writer);
      address += piece;
    }
  }

  /** Has a piece of the machine's one segment written in place. */
  public <X extends Exception> void writeInPlaceAt(long offset, long length, MemoryPiece<X> writer)
      throws X {
    try {
      writer.accept(segment.asSlice(offset, length));
      SharedFile.throwFaultNow();
    } catch (InternalError e) {
      throw memory.failure(e);
    } finally {
      listener.written(offset, length);
    }
  }
}

package io.vmm4j.software.machinecode;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Memory that machine code is written to and executed from: one file of memory that is mapped
 * twice, so that no page is ever writable and executable at the same address. One thread at a time.
 */
final class CodeMemory implements AutoCloseable {
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT_UNALIGNED =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int ALIGNMENT = 16;

  private final long bytes;
  private final long writable;
  private final long executable;
  private final MemorySegment segment;
  private int used;

  private CodeMemory(long bytes, long writable, long executable) {
    this.bytes = bytes;
    this.writable = writable;
    this.executable = executable;
    this.segment = Libc.segment(writable, bytes);
  }

  /**
   * Memory of a size.
   *
   * @throws UnsupportedOperationException if the host does not give executable memory
   */
  static CodeMemory allocate(long bytes) {
    int file = Libc.memoryFile(bytes);
    if (file < 0) {
      throw new UnsupportedOperationException("the host gives no memory file");
    }
    try {
      long writable = Libc.map(file, bytes, false);
      if (writable == -1) {
        throw new UnsupportedOperationException("the host has no memory for machine code");
      }
      long executable = Libc.map(file, bytes, true);
      if (executable == -1) {
        Libc.unmap(writable, bytes);
        throw new UnsupportedOperationException("the host does not allow executable memory");
      }
      return new CodeMemory(bytes, writable, executable);
    } finally {
      Libc.closeFile(file);
    }
  }

  /** Whether there is room for code of a length. */
  boolean hasRoom(int length) {
    return used + length + ALIGNMENT <= bytes;
  }

  /** Where the next code goes. */
  int next() {
    return used;
  }

  /** How many bytes are used. */
  int used() {
    return used;
  }

  /** Adds code; returns its offset, which is what {@link #next} was. */
  int add(byte[] code) {
    int offset = used;
    MemorySegment.copy(code, 0, segment, ValueLayout.JAVA_BYTE, offset, code.length);
    used = used + code.length + ALIGNMENT - 1 & -ALIGNMENT;
    return offset;
  }

  /** The bytes at an offset. */
  byte[] bytes(int offset, int length) {
    return segment.asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE);
  }

  /** Forgets all code from an offset on. */
  void truncate(int offset) {
    used = offset;
  }

  /**
   * Has the jump at an offset, whose displacement of 32 bits lies there, lead to another offset. It
   * lies at a multiple of 4, so that whoever executes it sees one target or the other.
   */
  void patchJump(int at, int target) {
    segment.set(INT, at, target - (at + 4));
  }

  /** Puts an unconditional jump over what is at an offset, which nobody else executes. */
  void putJump(int at, int target) {
    segment.set(ValueLayout.JAVA_BYTE, at, (byte) 0xE9);
    segment.set(INT_UNALIGNED, at + 1, target - (at + 5));
  }

  /** The address that an offset is executed at. */
  long address(int offset) {
    return executable + offset;
  }

  /** Code at an offset, to call. */
  MemorySegment entry(int offset) {
    return MemorySegment.ofAddress(executable + offset);
  }

  @Override
  public void close() {
    Libc.unmap(executable, bytes);
    Libc.unmap(writable, bytes);
  }
}

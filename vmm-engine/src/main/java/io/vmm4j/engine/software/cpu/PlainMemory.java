package io.vmm4j.engine.software.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Loads and stores in the machine's segment, by size. */
final class PlainMemory {
  static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private PlainMemory() {}

  /** Stores 1, 2, 4 or 8 bytes. */
  static void put(MemorySegment memory, long offset, int size, long value) {
    switch (size) {
      case 1 -> memory.set(ValueLayout.JAVA_BYTE, offset, (byte) value);
      case 2 -> memory.set(SHORT, offset, (short) value);
      case 4 -> memory.set(INT, offset, (int) value);
      default -> memory.set(LONG, offset, value);
    }
  }

  /** Loads 1, 2, 4 or 8 bytes, zero-extended. */
  static long get(MemorySegment memory, long offset, int size) {
    return switch (size) {
      case 1 -> memory.get(ValueLayout.JAVA_BYTE, offset) & 0xFF;
      case 2 -> memory.get(SHORT, offset) & 0xFFFF;
      case 4 -> memory.get(INT, offset) & 0xFFFFFFFFL;
      default -> memory.get(LONG, offset);
    };
  }
}

package io.vmm4j.software.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Loads and stores in the machine's segment, by size. */
final class PlainMemory {
  static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final VarHandle ALIGNED_INT =
      ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
  private static final VarHandle ALIGNED_LONG =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

  private PlainMemory() {}

  /**
   * Stores 1, 2, 4 or 8 bytes at a multiple of their number, if an expected value is there, in one
   * step for all threads.
   */
  static boolean compareAndSet(
      MemorySegment memory, long offset, int size, long expected, long value) {
    return switch (size) {
      case 8 -> ALIGNED_LONG.compareAndSet(memory, offset, expected, value);
      case 4 -> ALIGNED_INT.compareAndSet(memory, offset, (int) expected, (int) value);
      default -> compareAndSetPart(memory, offset, size, expected, value);
    };
  }

  /** Java compares and sets nothing smaller than an int: the bytes around it stay as they are. */
  private static boolean compareAndSetPart(
      MemorySegment memory, long offset, int size, long expected, long value) {
    int shift = 8 * (int) (offset & 3);
    int mask = ((1 << 8 * size) - 1) << shift;
    int wanted = (int) expected << shift & mask;
    int part = (int) value << shift & mask;
    while (true) {
      int now = (int) ALIGNED_INT.getVolatile(memory, offset & ~3L);
      if ((now & mask) != wanted) {
        return false;
      }
      if (ALIGNED_INT.compareAndSet(memory, offset & ~3L, now, now & ~mask | part)) {
        return true;
      }
    }
  }

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

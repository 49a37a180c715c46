package io.vmm4j.engine.machine.console;

import java.util.Arrays;

/**
 * The last bytes that a guest has written, up to a bound. Positions count from the first byte ever
 * written. Grows as it is needed; a ring once the bound is reached. Not safe for several threads.
 */
final class Transcript {
  private static final int FIRST_CAPACITY = 4096;

  private final int limit;
  private byte[] ring;
  private long end;

  Transcript(int limit) {
    this.limit = limit;
    this.ring = new byte[Math.min(limit, FIRST_CAPACITY)];
  }

  void append(int value) {
    if (end == ring.length && ring.length < limit) {
      ring = Arrays.copyOf(ring, (int) Math.min(limit, 2L * ring.length));
    }
    ring[(int) (end % ring.length)] = (byte) value;
    end++;
  }

  /** The position of the first byte that is still there. */
  long start() {
    return Math.max(0, end - ring.length);
  }

  /** The position behind the last byte. */
  long end() {
    return end;
  }

  /** What is there from a position on; from {@link #start} if that is later. */
  byte[] from(long position) {
    long first = Math.max(position, start());
    int length = (int) (end - first);
    byte[] bytes = new byte[length];
    int index = (int) (first % ring.length);
    int untilEdge = Math.min(length, ring.length - index);
    System.arraycopy(ring, index, bytes, 0, untilEdge);
    System.arraycopy(ring, 0, bytes, untilEdge, length - untilEdge);
    return bytes;
  }
}

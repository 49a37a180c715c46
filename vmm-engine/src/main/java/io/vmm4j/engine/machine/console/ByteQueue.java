package io.vmm4j.engine.machine.console;

import java.util.Arrays;

/** Bytes in the order they came. Grows as it is needed. Not safe for several threads. */
final class ByteQueue {
  private static final int FIRST_CAPACITY = 64;

  private byte[] ring = new byte[FIRST_CAPACITY];
  private int first;
  private int size;

  int size() {
    return size;
  }

  void add(byte[] bytes, int offset, int length) {
    if (length > ring.length - size) {
      byte[] larger = new byte[Math.max(size + length, (int) Math.min(1 << 30, 2L * ring.length))];
      copyTo(larger);
      ring = larger;
      first = 0;
    }
    int end = (int) (((long) first + size) % ring.length);
    int untilEdge = Math.min(length, ring.length - end);
    System.arraycopy(bytes, offset, ring, end, untilEdge);
    System.arraycopy(bytes, offset + untilEdge, ring, 0, length - untilEdge);
    size += length;
  }

  /** Takes the first byte, 0 to 255. There is one. */
  int remove() {
    int value = ring[first] & 0xFF;
    first = (first + 1) % ring.length;
    size--;
    return value;
  }

  byte[] toArray() {
    byte[] bytes = new byte[size];
    copyTo(bytes);
    return bytes;
  }

  private void copyTo(byte[] target) {
    int untilEdge = Math.min(size, ring.length - first);
    System.arraycopy(ring, first, target, 0, untilEdge);
    System.arraycopy(ring, 0, target, untilEdge, size - untilEdge);
  }

  void clear() {
    first = 0;
    size = 0;
    ring = Arrays.copyOf(ring, FIRST_CAPACITY);
  }
}

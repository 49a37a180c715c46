package io.vmm4j.engine.machine.console;

import java.util.Arrays;

/**
 * The last bytes that a guest has written, up to a bound. Positions count from the first byte ever
 * written. Grows as it is needed; a ring once the bound is reached. Not safe for several threads.
 */
final class Transcript {
  private static final int FIRST_CAPACITY = 4096;

  private final int limit;
  private final long origin;
  private byte[] ring;
  private long written;

  /** An empty one. */
  Transcript(int limit) {
    this(limit, 0);
  }

  private Transcript(int limit, long origin) {
    this.limit = limit;
    this.origin = origin;
    this.ring = new byte[Math.min(limit, FIRST_CAPACITY)];
  }

  /**
   * A transcript that ends with some bytes. It keeps as many of the last ones as its bound allows.
   *
   * @param end the position behind the last of them
   */
  static Transcript endingWith(byte[] bytes, long end, int limit) {
    int kept = Math.min(bytes.length, limit);
    Transcript transcript = new Transcript(limit, end - kept);
    int capacity = Math.min(limit, Math.max(FIRST_CAPACITY, kept));
    transcript.ring = new byte[capacity];
    System.arraycopy(bytes, bytes.length - kept, transcript.ring, 0, kept);
    transcript.written = kept;
    return transcript;
  }

  void append(int value) {
    if (written == ring.length && ring.length < limit) {
      ring = Arrays.copyOf(ring, (int) Math.min(limit, 2L * ring.length));
    }
    ring[(int) (written % ring.length)] = (byte) value;
    written++;
  }

  /** The position of the first byte that is still there. */
  long start() {
    return origin + Math.max(0, written - ring.length);
  }

  /** The position behind the last byte. */
  long end() {
    return origin + written;
  }

  /** What is there from a position on; from {@link #start} if that is later. */
  byte[] from(long position) {
    long first = Math.max(position, start());
    int length = (int) Math.max(0, end() - first);
    byte[] bytes = new byte[length];
    int index = (int) ((first - origin) % ring.length);
    int untilEdge = Math.min(length, ring.length - index);
    System.arraycopy(ring, index, bytes, 0, untilEdge);
    System.arraycopy(ring, 0, bytes, untilEdge, length - untilEdge);
    return bytes;
  }
}

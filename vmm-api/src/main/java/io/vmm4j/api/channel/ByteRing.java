package io.vmm4j.api.channel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.util.Objects;

/** Bytes that wait, first in, first out; it grows up to a limit. Not safe for several threads. */
public final class ByteRing {
  private static final int FIRST_BYTES = 8 << 10;

  private final int limit;
  private byte[] bytes = new byte[0];
  private int head;
  private int size;

  /**
   * Nothing yet.
   *
   * @param limit how many bytes there may be
   */
  public ByteRing(int limit) {
    this.limit = limit;
  }

  /** How many bytes wait. */
  public int size() {
    return size;
  }

  /** Whether none waits. */
  public boolean isEmpty() {
    return size == 0;
  }

  /** How many more bytes it takes. */
  public int free() {
    return limit - size;
  }

  private void makeRoom(int count) {
    Objects.checkFromToIndex(0, count, free());
    int wanted = size + count;
    if (wanted > bytes.length) {
      int capacity = Math.min(limit, Math.max(FIRST_BYTES, Integer.highestOneBit(wanted) * 2));
      byte[] larger = new byte[capacity];
      copy(0, larger, 0, size);
      bytes = larger;
      head = 0;
    }
  }

  /** Puts bytes behind the others; there is room for them. */
  public void append(byte[] source, int offset, int count) {
    makeRoom(count);
    int tail = wrapped(head + size);
    int first = Math.min(count, bytes.length - tail);
    System.arraycopy(source, offset, bytes, tail, first);
    System.arraycopy(source, offset + first, bytes, 0, count - first);
    size += count;
  }

  private int wrapped(int place) {
    return place >= bytes.length ? place - bytes.length : place;
  }

  /** Copies bytes from a place behind the first; they stay. */
  public void copy(int from, byte[] target, int offset, int count) {
    Objects.checkFromIndexSize(from, count, size);
    if (count == 0) {
      return;
    }
    int start = wrapped(head + from);
    int first = Math.min(count, bytes.length - start);
    System.arraycopy(bytes, start, target, offset, first);
    System.arraycopy(bytes, 0, target, offset + first, count - first);
  }

  /** Takes the first bytes away. */
  public void drop(int count) {
    Objects.checkFromIndexSize(0, count, size);
    head = size == count ? 0 : wrapped(head + count);
    size -= count;
  }

  /** Moves bytes to another, as far as there is room; how many. */
  public int moveTo(ByteRing target) {
    byte[] moved = new byte[Math.min(size, target.free())];
    copy(0, moved, 0, moved.length);
    drop(moved.length);
    target.append(moved, 0, moved.length);
    return moved.length;
  }

  /** Takes all of them away. */
  public void clear() {
    bytes = new byte[0];
    head = 0;
    size = 0;
  }

  /**
   * Reads once from a channel that does not wait, as much as there is room for.
   *
   * @return how many bytes, or -1 at the end
   */
  public int readFrom(ReadableByteChannel channel) throws IOException {
    if (size == bytes.length) {
      makeRoom(Math.min(free(), Math.max(FIRST_BYTES, size)));
    }
    int tail = wrapped(head + size);
    int count = Math.min(bytes.length - size, bytes.length - tail);
    int read = channel.read(ByteBuffer.wrap(bytes, tail, count));
    size += Math.max(0, read);
    return read;
  }

  /** Writes to a channel until it is empty or the channel takes no more. */
  public void writeTo(WritableByteChannel channel) throws IOException {
    while (size > 0) {
      int count = Math.min(size, bytes.length - head);
      int written = channel.write(ByteBuffer.wrap(bytes, head, count));
      if (written <= 0) {
        return;
      }
      drop(written);
    }
  }
}

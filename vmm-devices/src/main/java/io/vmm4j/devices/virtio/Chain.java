package io.vmm4j.devices.virtio;

import io.vmm4j.api.memory.GuestMemory;
import io.vmm4j.api.memory.GuestMemoryException;
import io.vmm4j.api.memory.ScatterGather;

/**
 * A chain of buffers: those that the device reads, and behind them those that it writes (virtio
 * 1.2, 2.6.4.2).
 */
public final class Chain {
  private final int id;
  private final int descriptors;
  private final ScatterGather readable;
  private final ScatterGather writable;

  private Chain(int id, int descriptors, ScatterGather readable, ScatterGather writable) {
    this.id = id;
    this.descriptors = descriptors;
    this.readable = readable;
    this.writable = writable;
  }

  /** What the driver knows it by. */
  int id() {
    return id;
  }

  /** How many descriptors of the ring it takes. */
  int descriptors() {
    return descriptors;
  }

  /** What the device reads. */
  public ScatterGather readable() {
    return readable;
  }

  /** What the device writes. */
  public ScatterGather writable() {
    return writable;
  }

  /**
   * Reads bytes that the driver has written.
   *
   * @throws BadQueueException if there are fewer, or the memory is not there any more
   */
  public byte[] read(long offset, int count) {
    require(readable, offset, count);
    byte[] bytes = new byte[count];
    BadQueueException.inBuffers(() -> readable.read(offset, bytes, 0, count));
    return bytes;
  }

  /**
   * Writes bytes for the driver.
   *
   * @throws BadQueueException if there is no room for them, or the memory is not there any more
   */
  public void write(long offset, byte[] bytes) {
    require(writable, offset, bytes.length);
    BadQueueException.inBuffers(() -> writable.write(offset, bytes, 0, bytes.length));
  }

  private static void require(ScatterGather buffers, long offset, int count) {
    if (offset + count > buffers.length()) {
      throw new BadQueueException(
          "buffers of %d bytes, where %d are needed".formatted(buffers.length(), offset + count));
    }
  }

  /** Puts a chain together. */
  static final class Builder {
    private static final int WRITE = 2;

    private final ScatterGather readable;
    private final ScatterGather writable;
    private final int most;
    private int count;
    private boolean writes;

    /** At most so many descriptors. */
    Builder(GuestMemory memory, int most) {
      this.most = most;
      this.readable = new ScatterGather(memory, ScatterGather.Use.READ, Virtqueue.MOST_CHAIN_BYTES);
      this.writable =
          new ScatterGather(memory, ScatterGather.Use.WRITTEN, Virtqueue.MOST_CHAIN_BYTES);
    }

    void add(long address, long length, int flags) {
      if (++count > most) {
        throw new BadQueueException(
            "a chain is longer than %d descriptors, or goes round".formatted(most));
      }
      boolean write = (flags & WRITE) != 0;
      if (writes && !write) {
        throw new BadQueueException("a buffer to be read comes behind one to be written");
      }
      writes = write;
      try {
        (write ? writable : readable).add(address, length);
      } catch (GuestMemoryException e) {
        throw new BadQueueException("a buffer: " + e.getMessage());
      }
    }

    Chain build(int id, int descriptors) {
      return new Chain(id, descriptors, readable, writable);
    }
  }
}

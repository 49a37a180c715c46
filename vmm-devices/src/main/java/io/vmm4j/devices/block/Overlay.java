package io.vmm4j.devices.block;

import io.vmm4j.api.device.DeviceMemory;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Writes that go to the machine's own memory and leave the disk below as it is. So a snapshot holds
 * them, of the same instant as everything else, and forks share what they don't write.
 *
 * <p>A block of 4 KiB is in the overlay as a whole or not at all.
 */
public final class Overlay implements BlockStorage {
  /** The size of a block. */
  public static final int BLOCK_BYTES = 4096;

  private final BlockStorage base;
  private final DeviceMemory memory;
  private final MemorySegment contents;
  private final BitSet present = new BitSet();
  private final ReadWriteLock lock = new ReentrantReadWriteLock();

  /**
   * Nothing written yet.
   *
   * @param memory of the base's size, rounded up to whole blocks
   */
  public Overlay(BlockStorage base, DeviceMemory memory) {
    this.base = base;
    this.memory = memory;
    this.contents = memory.writableView();
  }

  /** How much memory the overlay of a disk takes when all of it is written. */
  public static long memoryBytes(long diskBytes) {
    return Math.max(BLOCK_BYTES, diskBytes + BLOCK_BYTES - 1 & -BLOCK_BYTES);
  }

  /** The blocks that are in the overlay: bit by bit, the first in bit 0 of the first byte. */
  public byte[] present() {
    lock.readLock().lock();
    try {
      return present.toByteArray();
    } finally {
      lock.readLock().unlock();
    }
  }

  /**
   * Replaces the blocks that are in the overlay.
   *
   * @throws IllegalArgumentException if there is one beyond the disk's end
   */
  public void setPresent(byte[] bits) {
    BitSet replaced = BitSet.valueOf(bits);
    if (replaced.length() > memory.size().bytes() / BLOCK_BYTES) {
      throw new IllegalArgumentException(
          "present: block %d is beyond the disk".formatted(replaced.length() - 1));
    }
    lock.writeLock().lock();
    try {
      present.clear();
      present.or(replaced);
    } finally {
      lock.writeLock().unlock();
    }
  }

  @Override
  public long sizeBytes() {
    return base.sizeBytes();
  }

  @Override
  public boolean isReadOnly() {
    return false;
  }

  @Override
  public void read(long offset, MemorySegment target) throws IOException {
    lock.readLock().lock();
    try {
      long done = 0;
      while (done < target.byteSize()) {
        long at = offset + done;
        int block = (int) (at / BLOCK_BYTES);
        boolean here = present.get(block);
        int next = here ? present.nextClearBit(block) : present.nextSetBit(block);
        long end = next < 0 ? Long.MAX_VALUE : (long) next * BLOCK_BYTES;
        long count = Math.min(target.byteSize() - done, end - at);
        MemorySegment piece = target.asSlice(done, count);
        if (here) {
          piece.copyFrom(contents.asSlice(at, count));
        } else {
          base.read(at, piece);
        }
        done += count;
      }
    } finally {
      lock.readLock().unlock();
    }
  }

  @Override
  public void write(long offset, MemorySegment source) throws IOException {
    change(offset, source.byteSize(), target -> target.copyFrom(source));
  }

  @Override
  public void zero(long offset, long length) throws IOException {
    change(offset, length, target -> target.fill((byte) 0));
  }

  private interface Change {
    void apply(MemorySegment target);
  }

  private void change(long offset, long length, Change change) throws IOException {
    if (length == 0) {
      return;
    }
    lock.writeLock().lock();
    try {
      int first = (int) (offset / BLOCK_BYTES);
      int last = (int) ((offset + length - 1) / BLOCK_BYTES);
      bring(first, offset % BLOCK_BYTES != 0 || length < BLOCK_BYTES);
      bring(last, (offset + length) % BLOCK_BYTES != 0);
      change.apply(contents.asSlice(offset, length));
      present.set(first, last + 1);
      memory.written((long) first * BLOCK_BYTES, (last - first + 1L) * BLOCK_BYTES);
    } finally {
      lock.writeLock().unlock();
    }
  }

  /** Brings a block from below that is written in part. */
  private void bring(int block, boolean inPart) throws IOException {
    if (inPart && !present.get(block)) {
      long at = (long) block * BLOCK_BYTES;
      long count = Math.min(BLOCK_BYTES, base.sizeBytes() - at);
      base.read(at, contents.asSlice(at, count));
    }
  }

  /** Nothing is to be done: what lies in the overlay is as safe as the machine's memory. */
  @Override
  public void flush() {}

  @Override
  public void close() throws IOException {
    base.close();
  }
}

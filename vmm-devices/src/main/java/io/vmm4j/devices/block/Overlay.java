package io.vmm4j.devices.block;

import io.vmm4j.api.DeviceException;
import io.vmm4j.api.device.DeviceMemory;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Writes that go to the machine's own memory and leave the disk below as it is. So a snapshot holds
 * them, of the same instant as everything else, and forks share what they don't write.
 *
 * <p>A block of 4 KiB is in the overlay as a whole or not at all. Blocks take places in the memory
 * in the order in which they are written first. When it is full, writes to further blocks fail.
 */
public final class Overlay implements BlockStorage {
  /** How much room the host is asked to keep at once. */
  private static final long KEPT_STEP = 16L << 20;

  /** The size of a block. */
  public static final int BLOCK_BYTES = 4096;

  private final BlockStorage base;
  private final DeviceMemory memory;
  private final MemorySegment contents;
  private long kept;
  private volatile long size;
  private BlockPlaces places = new BlockPlaces();
  private final ReadWriteLock lock = new ReentrantReadWriteLock();

  /**
   * Nothing written yet.
   *
   * @param memory for as many blocks as it has room for
   */
  public Overlay(BlockStorage base, DeviceMemory memory) {
    this.base = base;
    this.memory = memory;
    this.contents = memory.writableView();
    this.size = base.sizeBytes();
  }

  /** The blocks that are in the overlay, by their places, as {@link BlockRuns} has them. */
  public byte[] blocks() {
    lock.readLock().lock();
    try {
      return BlockRuns.encode(places.blocks());
    } finally {
      lock.readLock().unlock();
    }
  }

  /**
   * Says which blocks are in the overlay; their contents are those of the memory.
   *
   * @param bytes the size of the disk
   * @param runs the blocks, as {@link #blocks} gives them
   * @throws IllegalArgumentException if one is beyond the disk's end or there twice, or there are
   *     more than it has room for
   */
  public void setBlocks(long bytes, byte[] runs) {
    if (bytes < base.sizeBytes()) {
      throw new IllegalArgumentException("overlay: of a disk of %d bytes".formatted(bytes));
    }
    BlockPlaces replaced = new BlockPlaces();
    for (long block : BlockRuns.decode(runs, room())) {
      if (block < 0 || block > (bytes - 1) / BLOCK_BYTES) {
        throw new IllegalArgumentException("overlay: block %d is not the disk's".formatted(block));
      }
      if (replaced.of(block) != BlockPlaces.NONE) {
        throw new IllegalArgumentException("overlay: block %d is there twice".formatted(block));
      }
      replaced.add(block);
    }
    lock.writeLock().lock();
    try {
      places = replaced;
      size = bytes;
    } finally {
      lock.writeLock().unlock();
    }
  }

  private int room() {
    return (int) Math.min(Integer.MAX_VALUE, memory.size().bytes() / BLOCK_BYTES);
  }

  @Override
  public List<Path> files() {
    return base.files();
  }

  @Override
  public long sizeBytes() {
    return size;
  }

  /** The size of what lies below. */
  public long baseBytes() {
    return base.sizeBytes();
  }

  /** The disk becomes larger than what lies below, without writing to that. */
  @Override
  public void grow(long bytes) {
    size = bytes;
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
        int place = places.of(at / BLOCK_BYTES);
        long count = Math.min(target.byteSize() - done, BLOCK_BYTES - at % BLOCK_BYTES);
        if (place == BlockPlaces.NONE) {
          count = runBelow(at, count, target.byteSize() - done);
          readBelow(at, target.asSlice(done, count));
        } else {
          long from = (long) place * BLOCK_BYTES + at % BLOCK_BYTES;
          MemorySegment.copy(contents, from, target, done, count);
        }
        done += count;
      }
    } finally {
      lock.readLock().unlock();
    }
  }

  /** What lies below may end before the disk does; then there are zeros. */
  private void readBelow(long at, MemorySegment target) throws IOException {
    long there = Math.clamp(base.sizeBytes() - at, 0, target.byteSize());
    if (there > 0) {
      base.read(at, target.asSlice(0, there));
    }
    target.asSlice(there).fill((byte) 0);
  }

  /** How many bytes from a place on, at least {@code least}, are not in the overlay. */
  private long runBelow(long at, long least, long most) {
    long count = least;
    while (count < most && places.of((at + count) / BLOCK_BYTES) == BlockPlaces.NONE) {
      count += BLOCK_BYTES;
    }
    return Math.min(count, most);
  }

  @Override
  public void write(long offset, MemorySegment source) throws IOException {
    change(
        offset,
        source.byteSize(),
        (done, place, count) -> MemorySegment.copy(source, done, contents, place, count));
  }

  @Override
  public void zero(long offset, long length) throws IOException {
    change(offset, length, (done, place, count) -> contents.asSlice(place, count).fill((byte) 0));
  }

  private interface Change {
    /** Changes bytes of a block: how many were changed before, where they lie, and how many. */
    void apply(long done, long place, long count);
  }

  private void change(long offset, long length, Change change) throws IOException {
    lock.writeLock().lock();
    try {
      long done = 0;
      while (done < length) {
        long at = offset + done;
        long count = Math.min(length - done, BLOCK_BYTES - at % BLOCK_BYTES);
        long place = (long) placeFor(at / BLOCK_BYTES, count) * BLOCK_BYTES;
        change.apply(done, place + at % BLOCK_BYTES, count);
        memory.written(place, BLOCK_BYTES);
        done += count;
      }
    } finally {
      lock.writeLock().unlock();
    }
  }

  /** The place of a block of which so many bytes are written: what is left comes from below. */
  private int placeFor(long block, long count) throws IOException {
    int known = places.of(block);
    if (known != BlockPlaces.NONE) {
      return known;
    }
    int place = places.count();
    if (place == room()) {
      throw new IOException(
          "the overlay is full: the guest has written to %d blocks of 4 KiB".formatted(place));
    }
    keepRoom((place + 1L) * BLOCK_BYTES);
    if (count < BLOCK_BYTES) {
      long at = block * BLOCK_BYTES;
      MemorySegment whole = contents.asSlice((long) place * BLOCK_BYTES, BLOCK_BYTES);
      readBelow(at, whole);
    }
    return places.add(block);
  }

  private void keepRoom(long bytes) throws IOException {
    if (bytes > kept) {
      long more = Math.min(memory.size().bytes(), (bytes + KEPT_STEP - 1) / KEPT_STEP * KEPT_STEP);
      try {
        memory.keepRoom(more);
      } catch (DeviceException e) {
        throw new IOException("the overlay can't grow: " + e.getMessage(), e);
      }
      kept = more;
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

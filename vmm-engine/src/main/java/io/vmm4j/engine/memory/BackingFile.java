package io.vmm4j.engine.memory;

import io.vmm4j.api.HostMemoryException;
import io.vmm4j.api.VmException;
import io.vmm4j.snapshot.SharedFile;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.util.function.LongSupplier;

/**
 * A sparse file without a name, so that nothing is left behind whatever happens to the JVM. {@link
 * HostRoom} makes it, and keeps for it the room it was promised.
 *
 * <p>Contents can be read and written by position as well as through a mapping, and the two agree.
 * Reading by position leaves holes alone, while a look at a hole of a tmpfs file through a mapping
 * fills it. Safe for any thread, and an interrupt of one harms none.
 */
public final class BackingFile implements AutoCloseable {
  private final HostRoom host;
  private final HostRoom.Volume volume;
  private final SharedFile file;
  private final long size;
  private volatile LongSupplier written = () -> 0;
  private long promised;

  BackingFile(HostRoom host, HostRoom.Volume volume, SharedFile file, long size)
      throws IOException {
    this.host = host;
    this.volume = volume;
    this.file = file;
    this.size = size;
    try {
      file.setSize(size);
    } catch (IOException e) {
      file.close();
      throw e;
    }
  }

  HostRoom.Volume volume() {
    return volume;
  }

  /** What it was promised. With the host's monitor held, as for the next two. */
  long promised() {
    return promised;
  }

  void promise(long bytes) {
    promised = bytes;
  }

  /** What it may still take of what it was promised. */
  long outstanding() {
    return Math.max(0, promised - written.getAsLong());
  }

  /**
   * Says how much of what it was promised has been written, so that others may have as much.
   *
   * @param bytes counts them, at most as many as have been; from any thread
   */
  public void countWritten(LongSupplier bytes) {
    written = bytes;
  }

  /**
   * Has room kept for more than it was promised.
   *
   * @param what for which, in an error
   * @throws VmException if its file system has not so much; names it
   */
  public void keepRoom(long bytes, String what) {
    host.extend(this, bytes, what);
  }

  /** Has room kept for holes that are looked at through a mapping, where a look takes room. */
  public void keepRoomForHoles(long bytes, String what) {
    if (volume.fillsHoles()) {
      keepRoom(bytes, what);
    }
  }

  /** Gives back all that it was promised: what is written is, and nothing more will be. */
  public void giveBackRoom() {
    host.settle(this);
  }

  /** Its size in bytes. */
  public long size() {
    return size;
  }

  /** Maps all of it, shared, for as long as the arena lives, which is not confined to a thread. */
  public MemorySegment map(Arena arena) throws IOException {
    return file.map(FileChannel.MapMode.READ_WRITE, 0, size, arena);
  }

  /** Maps all of it, privately, for as long as the arena lives, not confined to a thread. */
  public MemorySegment mapPrivate(Arena arena) throws IOException {
    return file.map(FileChannel.MapMode.PRIVATE, 0, size, arena);
  }

  /**
   * Reads.
   *
   * @throws EOFException beyond its end
   */
  public void read(long position, byte[] target, int offset, int length) throws IOException {
    file.read(position, target, offset, length);
  }

  /**
   * Writes.
   *
   * @throws IOException if there is no room; names the file system
   */
  public void write(long position, byte[] source, int offset, int length) throws IOException {
    try {
      file.write(position, source, offset, length);
    } catch (IOException e) {
      throw new IOException("%s: %s".formatted(volume, e.getMessage()), e);
    }
  }

  /** What a fault of a mapping of it means. */
  public HostMemoryException explain(Throwable fault) {
    return new HostMemoryException(
        "the host has no room left for the machine's memory in " + volume, fault);
  }

  /** Releases it; mappings live on. May be called more than once. */
  @Override
  public void close() {
    host.remove(this);
    try {
      file.close();
    } catch (IOException e) {
      throw new VmException("cannot release memory", e);
    }
  }
}

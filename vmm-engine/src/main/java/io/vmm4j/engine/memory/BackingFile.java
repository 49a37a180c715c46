package io.vmm4j.engine.memory;

import io.vmm4j.api.MemorySize;
import io.vmm4j.api.VmException;
import java.io.EOFException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A sparse file without a name: it is deleted as soon as it is open, so that nothing is left behind
 * whatever happens to the JVM. It lies in {@code /dev/shm} where that has the room, else in the
 * directory for temporary files.
 *
 * <p>Contents can be read and written by position as well as through a mapping, and the two agree.
 * Reading by position leaves holes alone, while a look at a hole of a tmpfs file through a mapping
 * fills it. Not a {@link FileChannel} but a {@link RandomAccessFile} does it, since an interrupt of
 * the calling thread would close the channel. Safe for any thread.
 */
public final class BackingFile implements AutoCloseable {
  private static final Path SHARED_MEMORY = Path.of("/dev/shm");

  private final RandomAccessFile file;
  private final Path path;
  private final long size;

  private BackingFile(RandomAccessFile file, Path path, long size) {
    this.file = file;
    this.path = path;
    this.size = size;
  }

  /**
   * A new file of zeros.
   *
   * @param size in bytes; takes no room until it is written
   * @param room how much of it is going to be written at most, in bytes
   * @throws VmException if no directory has the room; names those tried
   */
  public static BackingFile create(long size, long room) {
    List<String> tried = new ArrayList<>();
    for (Path directory : List.of(SHARED_MEMORY, Path.of(System.getProperty("java.io.tmpdir")))) {
      if (!Files.isDirectory(directory) || !Files.isWritable(directory)) {
        tried.add(directory + " (can't be written)");
        continue;
      }
      try {
        long free = Files.getFileStore(directory).getUsableSpace();
        if (free < room) {
          tried.add("%s (%s free)".formatted(directory, MemorySize.mebibytes(free >> 20)));
          continue;
        }
        return createIn(directory, size);
      } catch (IOException e) {
        tried.add(directory + " (" + e.getMessage() + ")");
      }
    }
    throw new VmException(
        "no room for %s of memory: tried %s"
            .formatted(MemorySize.bytes(room), String.join(", ", tried)));
  }

  private static BackingFile createIn(Path directory, long size) throws IOException {
    Path path = Files.createTempFile(directory, "vmm4j-", ".memory");
    RandomAccessFile file;
    try {
      file = new RandomAccessFile(path.toFile(), "rw");
    } catch (IOException e) {
      Files.deleteIfExists(path);
      throw e;
    }
    BackingFile created = new BackingFile(file, path, size);
    try {
      created.deleteName();
      file.setLength(size);
      return created;
    } catch (IOException e) {
      created.close();
      throw e;
    }
  }

  private void deleteName() {
    try {
      Files.deleteIfExists(path);
    } catch (IOException e) {
      // Some systems don't delete what is open; close() tries again.
      path.toFile().deleteOnExit();
    }
  }

  /** Its size in bytes. */
  public long size() {
    return size;
  }

  /** How many bytes more its directory has room for. */
  public long usableSpace() throws IOException {
    return Files.getFileStore(path.getParent()).getUsableSpace();
  }

  /** Maps all of it, shared, for as long as the arena lives. */
  public MemorySegment map(Arena arena) throws IOException {
    return file.getChannel().map(FileChannel.MapMode.READ_WRITE, 0, size, arena);
  }

  /** Maps all of it, privately, for as long as the arena lives. */
  public MemorySegment mapPrivate(Arena arena) throws IOException {
    return file.getChannel().map(FileChannel.MapMode.PRIVATE, 0, size, arena);
  }

  /**
   * Reads.
   *
   * @throws EOFException beyond its end
   */
  public synchronized void read(long position, byte[] target, int offset, int length)
      throws IOException {
    file.seek(position);
    file.readFully(target, offset, length);
  }

  /**
   * Writes.
   *
   * @throws IOException if there is no room
   */
  public synchronized void write(long position, byte[] source, int offset, int length)
      throws IOException {
    file.seek(position);
    file.write(source, offset, length);
  }

  /** Releases it; mappings live on. May be called more than once. */
  @Override
  public synchronized void close() {
    try {
      file.close();
      Files.deleteIfExists(path);
    } catch (IOException e) {
      throw new VmException("cannot release memory", e);
    }
  }
}

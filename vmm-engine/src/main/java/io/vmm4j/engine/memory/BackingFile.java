package io.vmm4j.engine.memory;

import io.vmm4j.api.MemorySize;
import io.vmm4j.api.VmException;
import io.vmm4j.snapshot.SharedFile;
import java.io.EOFException;
import java.io.IOException;
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
 * fills it. Safe for any thread, and an interrupt of one harms none.
 */
public final class BackingFile implements AutoCloseable {
  private static final Path SHARED_MEMORY = Path.of("/dev/shm");

  private final SharedFile file;
  private final Path directory;
  private final long size;

  private BackingFile(SharedFile file, Path directory, long size) {
    this.file = file;
    this.directory = directory;
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
    SharedFile file = SharedFile.unnamed(directory);
    try {
      file.setSize(size);
      return new BackingFile(file, directory, size);
    } catch (IOException e) {
      file.close();
      throw e;
    }
  }

  /** Its size in bytes. */
  public long size() {
    return size;
  }

  /** How many bytes more its directory has room for. */
  public long usableSpace() throws IOException {
    return Files.getFileStore(directory).getUsableSpace();
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
   * @throws IOException if there is no room
   */
  public void write(long position, byte[] source, int offset, int length) throws IOException {
    file.write(position, source, offset, length);
  }

  /** Releases it; mappings live on. May be called more than once. */
  @Override
  public void close() {
    try {
      file.close();
    } catch (IOException e) {
      throw new VmException("cannot release memory", e);
    }
  }
}

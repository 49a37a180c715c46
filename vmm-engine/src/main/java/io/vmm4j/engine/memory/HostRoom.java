package io.vmm4j.engine.memory;

import io.vmm4j.api.MemorySize;
import io.vmm4j.api.VmException;
import io.vmm4j.snapshot.SharedFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The room for memory in the host's file systems, and whom it was promised to. Files are sparse:
 * what a machine may still write takes no room yet, so the free space alone does not tell whether
 * another machine fits. Other processes are not bound by what is promised here. Any thread.
 */
public final class HostRoom {
  private static final Pattern MAPPABLE = Pattern.compile("(?:MemTotal|SwapTotal): +(\\d+) kB");
  private static final Path SHARED_MEMORY = Path.of("/dev/shm");

  /** A file system. */
  interface Volume {
    /** How many bytes more can be written to it. */
    long usableBytes() throws IOException;

    /** Whether a look at a hole of a file through a mapping takes room. */
    boolean fillsHoles();
  }

  /** Finds the file system of a directory: equal for all directories of one. */
  interface Volumes {
    Volume of(Path directory) throws IOException;
  }

  private record HostVolume(FileStore store) implements Volume {
    @Override
    public long usableBytes() throws IOException {
      return store.getUsableSpace();
    }

    @Override
    public boolean fillsHoles() {
      return store.type().equals("tmpfs");
    }

    @Override
    public String toString() {
      return store.toString();
    }
  }

  private final List<Path> directories;
  private final Volumes volumes;
  private final Set<BackingFile> promised = new LinkedHashSet<>();

  /**
   * The one of this process: all machines share the host's file systems, whoever made them. It has
   * {@code /dev/shm}, and where that has no room the directory for temporary files.
   */
  private static final HostRoom OF_THIS_HOST =
      new HostRoom(
          List.of(SHARED_MEMORY, Path.of(System.getProperty("java.io.tmpdir"))),
          directory -> new HostVolume(Files.getFileStore(directory)));

  /** That of the host. */
  public static HostRoom ofThisHost() {
    return OF_THIS_HOST;
  }

  /**
   * How much one mapping that is written privately can have: Linux refuses more than there is RAM
   * and swap space, as long as it is not told to allow all.
   */
  public static long mappableBytes() {
    try (Stream<String> lines = Files.lines(Path.of("/proc/meminfo"))) {
      return lines
          .map(MAPPABLE::matcher)
          .filter(Matcher::matches)
          .mapToLong(line -> Long.parseLong(line.group(1)) << 10)
          .sum();
    } catch (IOException | UncheckedIOException e) {
      return Runtime.getRuntime().maxMemory(); // a quarter of the RAM, as a rule
    }
  }

  HostRoom(List<Path> directories, Volumes volumes) {
    this.directories = directories;
    this.volumes = volumes;
  }

  /**
   * Makes a file of zeros in the first directory that has the room, and promises it that.
   *
   * @param size in bytes; takes no room until it is written
   * @param room how much of it is going to be written at most, in bytes; with 0 that is not known,
   *     and a write may find no room
   * @throws VmException if no directory has the room; names their file systems
   */
  public synchronized BackingFile create(long size, long room) {
    List<String> tried = new ArrayList<>();
    for (Path directory : directories) {
      if (!Files.isDirectory(directory) || !Files.isWritable(directory)) {
        tried.add(directory + ", which can't be written");
        continue;
      }
      try {
        Volume volume = volumes.of(directory);
        Free free = free(volume);
        if (room > 0 && free.left() < room) {
          tried.add(free.toString());
          continue;
        }
        BackingFile file = new BackingFile(this, volume, SharedFile.unnamed(directory), size);
        file.promise(room);
        promised.add(file);
        return file;
      } catch (IOException e) {
        tried.add(directory + ": " + e.getMessage());
      }
    }
    throw new VmException(
        "no room for %s of memory: tried %s"
            .formatted(MemorySize.bytes(room), String.join("; ", tried)));
  }

  /** What a file system has, and what of it is promised and not written yet. */
  private record Free(Volume volume, long usable, long promised) {
    long left() {
      return usable - promised;
    }

    @Override
    public String toString() {
      return promised == 0
          ? "%s, which has %s free".formatted(volume, mebibytes(usable))
          : "%s, which has %s free, %s of it promised to other machines"
              .formatted(volume, mebibytes(usable), mebibytes(promised));
    }

    private static MemorySize mebibytes(long bytes) {
      return MemorySize.mebibytes(bytes >> 20);
    }
  }

  private Free free(Volume volume) throws IOException {
    long others = 0;
    for (BackingFile file : promised) {
      others += file.volume().equals(volume) ? file.outstanding() : 0;
    }
    return new Free(volume, volume.usableBytes(), others);
  }

  /**
   * Promises a file more, beyond what it was promised.
   *
   * @throws VmException if its file system has not so much; names it
   */
  synchronized void extend(BackingFile file, long bytes, String what) {
    try {
      Free free = free(file.volume());
      if (free.left() < bytes) {
        throw new VmException(
            "no room for the %s of %s: it is in %s".formatted(MemorySize.bytes(bytes), what, free));
      }
    } catch (IOException e) {
      throw new VmException("%s: %s".formatted(file.volume(), e.getMessage()), e);
    }
    file.promise(file.promised() + bytes);
  }

  /** Takes back all that a file was promised. */
  synchronized void settle(BackingFile file) {
    file.promise(0);
  }

  synchronized void remove(BackingFile file) {
    promised.remove(file);
  }
}

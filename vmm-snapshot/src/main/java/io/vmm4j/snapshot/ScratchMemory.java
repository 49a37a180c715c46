package io.vmm4j.snapshot;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A machine's memory while a snapshot is looked at or rewritten: a sparse temporary file, gone when
 * this is closed.
 */
final class ScratchMemory implements MemorySink, AutoCloseable {
  private static final Path DIRECTORY = Path.of(System.getProperty("java.io.tmpdir"));

  private final Arena arena = Arena.ofShared();
  private final Map<String, MemorySource> sources = new LinkedHashMap<>();
  private final Map<String, MemorySegment> regions = new LinkedHashMap<>();
  private @Nullable SharedFile file;

  /**
   * Memory of zeros for all regions of a machine.
   *
   * @throws UncheckedIOException if the directory for temporary files has not the room
   */
  @Override
  public Map<String, MemorySegment> allocate(MachineDescription machine) {
    try {
      return map(machine, open(machine.totalMemoryBytes()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private SharedFile open(long total) throws IOException {
    FileStore store = Files.getFileStore(DIRECTORY);
    long room = store.getUsableSpace();
    if (room < total) {
      // To run out of room under a mapping is a fault in the midst of reading.
      throw new IOException(
          "%s has room for %d bytes, the machine's memory has %d".formatted(store, room, total));
    }
    SharedFile opened = SharedFile.unnamed(DIRECTORY);
    file = opened;
    NamedOutput.named(DIRECTORY, () -> opened.setSize(total));
    return opened;
  }

  private Map<String, MemorySegment> map(MachineDescription machine, SharedFile opened)
      throws IOException {
    long total = machine.totalMemoryBytes();
    MemorySegment whole = opened.map(FileChannel.MapMode.READ_WRITE, 0, total, arena);
    long offset = 0;
    for (MachineDescription.Region region : machine.regions()) {
      regions.put(region.name(), whole.asSlice(offset, region.bytes()));
      sources.put(region.name(), MemorySource.of(opened, offset, region.bytes()));
      offset += region.bytes();
    }
    return regions;
  }

  /** What fills the memory. */
  interface Filling<T> {
    /** Fills it. */
    T run() throws IOException;
  }

  /**
   * Has the memory filled.
   *
   * @throws IOException if the file system has not the room, or no room any more; names it
   */
  <T> T fill(Filling<T> filling) throws IOException {
    try {
      return filling.run();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    } catch (InternalError e) {
      if (SharedFile.isFault(e)) {
        throw new IOException(
            "no room left for the machine's memory in " + Files.getFileStore(DIRECTORY), e);
      }
      throw e;
    }
  }

  /** The regions that were made, by name. */
  Map<String, MemorySegment> regions() {
    return regions;
  }

  /** The contents of a region, once it is filled. */
  MemorySource source(String region) {
    return sources.get(region);
  }

  /** Releases it. May be called more than once. */
  @Override
  public void close() throws IOException {
    if (arena.scope().isAlive()) {
      arena.close();
    }
    if (file != null) {
      file.close();
    }
  }
}

package io.vmm4j.engine.machine.snapshot;

import io.vmm4j.api.VmException;
import io.vmm4j.engine.memory.BackingFile;
import io.vmm4j.engine.memory.MachineMemory;
import io.vmm4j.snapshot.MachineDescription;
import io.vmm4j.snapshot.MemorySource;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The memory of a machine at one moment: every region in a sparse file of its own, of which only
 * pages that are not zero take room.
 */
public final class ImageMemory implements AutoCloseable {
  /** How much is looked at in one go. */
  static final int BLOCK = 1 << 20;

  static final int PAGE = 4096;
  private static final byte[] ZEROS = new byte[PAGE];

  /** Where a region lies in a file. */
  public record Place(long offset, long bytes) {}

  private final BackingFile file;
  private final Map<String, Place> places;

  private ImageMemory(BackingFile file, Map<String, Place> places) {
    this.file = file;
    this.places = places;
  }

  /**
   * Memory of zeros.
   *
   * @param room how much of it is going to be written at most
   */
  public static ImageMemory create(List<MachineDescription.Region> regions, long room) {
    Map<String, Place> places = new LinkedHashMap<>();
    long offset = 0;
    for (MachineDescription.Region region : regions) {
      places.put(region.name(), new Place(offset, region.bytes()));
      offset += region.bytes();
    }
    return new ImageMemory(BackingFile.create(offset, Math.min(room, offset)), places);
  }

  /** Where each region lies. */
  public Map<String, Place> places() {
    return places;
  }

  /** The regions mapped for as long as the arena lives, to be filled. */
  public Map<String, MemorySegment> map(Arena arena) throws IOException {
    MemorySegment whole = file.map(arena);
    Map<String, MemorySegment> segments = new LinkedHashMap<>();
    places.forEach((name, place) -> segments.put(name, whole.asSlice(place.offset, place.bytes)));
    return segments;
  }

  /** The contents of a region for a writer. */
  public MemorySource source(String region) {
    return source(file, places.get(region));
  }

  /** A place in a file as the source of a writer, which leaves holes alone. */
  public static MemorySource source(BackingFile file, Place place) {
    return new MemorySource() {
      @Override
      public long size() {
        return place.bytes;
      }

      @Override
      public MemorySegment piece(long offset, MemorySegment buffer, int length) throws IOException {
        byte[] bytes = new byte[length];
        file.read(place.offset + offset, bytes, 0, length);
        MemorySegment.copy(bytes, 0, buffer, ValueLayout.JAVA_BYTE, 0, length);
        return buffer.asSlice(0, length);
      }
    };
  }

  /** Fills a region, which is of zeros, from a place in a machine's memory. */
  public void capture(String region, MachineMemory from, long fromOffset) {
    Place place = places.get(region);
    byte[] block = new byte[BLOCK];
    try {
      for (long done = 0; done < place.bytes; done += BLOCK) {
        int length = (int) Math.min(BLOCK, place.bytes - done);
        from.file().read(fromOffset + done, block, 0, length);
        writeNonZero(block, length, place.offset + done);
      }
    } catch (IOException e) {
      throw new VmException("cannot copy the machine's memory: " + e.getMessage(), e);
    }
  }

  private void writeNonZero(byte[] block, int length, long to) throws IOException {
    int at = 0;
    while (at < length) {
      while (at < length && isZero(block, at)) {
        at += PAGE;
      }
      int from = at;
      while (at < length && !isZero(block, at)) {
        at += PAGE;
      }
      if (at > from) {
        file.write(to + from, block, from, at - from);
      }
    }
  }

  private static boolean isZero(byte[] block, int at) {
    return Arrays.equals(block, at, at + PAGE, ZEROS, 0, PAGE);
  }

  /** Reads from a place in the file. */
  public void read(long offset, byte[] target, int length) throws IOException {
    file.read(offset, target, 0, length);
  }

  @Override
  public void close() {
    file.close();
  }
}

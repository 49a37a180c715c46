package io.vmm4j.snapshot;

import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.state.FieldMap;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a snapshot says, from the stream alone: no memory is allocated, no device is needed. Of a
 * damaged one, all that comes before the damage.
 *
 * @param prologue what it says of itself
 * @param machine the machine's configuration
 * @param chunks every chunk but those of memory, in the order of the stream
 * @param memory what the memory consists of, by region
 * @param memoryChunks how many chunks of memory there are
 * @param digest the footer's, if it is whole
 * @param bytes how many bytes were read
 * @param fault why it is not whole; absent if it is
 */
public record SnapshotInspection(
    Optional<Prologue> prologue,
    Optional<MachineDescription> machine,
    List<Chunk> chunks,
    List<MemoryMakeUp> memory,
    long memoryChunks,
    Optional<SnapshotDigest> digest,
    long bytes,
    Optional<SnapshotException> fault) {

  /** Copies the lists. */
  public SnapshotInspection {
    chunks = List.copyOf(chunks);
    memory = List.copyOf(memory);
  }

  /**
   * A chunk.
   *
   * @param kind {@code machine}, {@code state}, {@code mapping}, or one that is not known
   * @param type of a state, else empty
   * @param path of a state, else empty
   * @param version of its schema, or 0 if it has none
   * @param critical whether a reader that does not know it must refuse the snapshot
   * @param offset where it begins, in bytes from the start of the stream
   * @param bodyBytes the length of its body
   * @param fields its fields; absent of a kind that is not known
   */
  public record Chunk(
      String kind,
      String type,
      String path,
      int version,
      boolean critical,
      long offset,
      long bodyBytes,
      Optional<FieldMap> fields) {}

  /** Whether the snapshot is whole: every checksum is right, and so is the footer. */
  public boolean whole() {
    return fault.isEmpty();
  }

  /** The states among the chunks. */
  public List<StateChunk> states() {
    return chunks.stream()
        .filter(chunk -> chunk.kind().equals(SnapshotFormat.STATE))
        .map(chunk ->
            new StateChunk(
                chunk.type(),
                chunk.path(),
                chunk.version(),
                chunk.critical(),
                chunk.fields().orElseThrow(),
                chunk.offset()))
        .toList();
  }

  /** The mappings of device memory among the chunks. */
  public List<MappingState> mappings() {
    return chunks.stream()
        .filter(chunk -> chunk.kind().equals(SnapshotFormat.MAPPING))
        .map(chunk ->
            Fields.decode(
                MachineSchemas.MAPPING,
                chunk.version(),
                chunk.fields().orElseThrow(),
                "a mapping",
                chunk.offset()))
        .toList();
  }

  /**
   * Inspects a snapshot; reads to the end of its footer, or to the damage. Of a delta what it has
   * of its parent is not looked at, and so the digest of its memory can't be.
   *
   * @throws IOException if the stream fails
   */
  public static SnapshotInspection of(InputStream in, SnapshotLimits limits) throws IOException {
    return of(in, limits, SnapshotReader::readAlone);
  }

  /** How the whole of it is read. */
  @FunctionalInterface
  interface Reading {
    SnapshotPlan read(SnapshotReader reader) throws IOException;
  }

  static SnapshotInspection of(InputStream in, SnapshotLimits limits, Reading reading)
      throws IOException {
    Collector collector = new Collector();
    SnapshotReader reader = new SnapshotReader(in, limits, collector);
    Optional<SnapshotDigest> digest = Optional.empty();
    Optional<SnapshotException> fault = Optional.empty();
    try {
      digest = Optional.of(reading.read(reader).digest());
    } catch (SnapshotException e) {
      fault = Optional.of(e);
    }
    return new SnapshotInspection(
        collector.prologue,
        collector.machine,
        collector.chunks,
        List.copyOf(collector.memory.values()),
        collector.memoryChunks,
        digest,
        reader.offset(),
        fault);
  }

  private static final class Collector implements SnapshotReader.Listener {
    private final List<Chunk> chunks = new ArrayList<>();
    private final Map<String, MemoryMakeUp> memory = new LinkedHashMap<>();
    private Optional<Prologue> prologue = Optional.empty();
    private Optional<MachineDescription> machine = Optional.empty();
    private long memoryChunks;

    @Override
    public void prologue(Prologue read) {
      prologue = Optional.of(read);
    }

    @Override
    public void machine(MachineDescription read) {
      machine = Optional.of(read);
    }

    @Override
    public void chunk(ChunkHeader header, Optional<FieldMap> fields) {
      if (header.kind().equals(SnapshotFormat.MEMORY)) {
        memoryChunks++;
        return;
      }
      chunks.add(
          new Chunk(
              header.kind(),
              text(header, "type"),
              text(header, "path"),
              header.fields().has("version") && header.fields().get("version") instanceof Long v
                  ? v.intValue()
                  : 0,
              header.critical(),
              header.offset(),
              header.length(),
              fields));
    }

    private static String text(ChunkHeader header, String name) {
      return header.fields().has(name) && header.fields().get(name) instanceof String text
          ? text
          : "";
    }

    @Override
    public void memory(MemoryMakeUp region) {
      memory.put(region.region(), region);
    }
  }
}

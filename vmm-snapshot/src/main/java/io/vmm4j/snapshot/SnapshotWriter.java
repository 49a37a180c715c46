package io.vmm4j.snapshot;

import io.vmm4j.api.SnapshotCompression;
import io.vmm4j.api.state.FieldMap;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Writes a snapshot to a stream, from front to back.
 *
 * {@snippet :
 * try (SnapshotWriter writer = new SnapshotWriter(out, SnapshotCompression.FAST)) {
 *   writer.prologue(Prologue.of(id, Instant.now(), "vmm4j", "1.0"));
 *   writer.machine(description);
 *   writer.state(StateChunk.of("vcpu", "vcpu/0", MachineSchemas.CPU, cpuState));
 *   writer.mapping(mapping);
 *   writer.memory(MachineDescription.RAM, MemorySource.of(ram));
 *   writer.finish();
 * }
 * }
 *
 * <p>A delta is written in the same way, with the digest of its parent's memory and the pages that
 * may have changed:
 *
 * {@snippet :
 * writer.prologue(Prologue.of(id, Instant.now(), "vmm4j", "1.0").withParent(parentId, parentDigest), parentDigest);
 * writer.memory(MachineDescription.RAM, MemorySource.of(ram), ChangedPages.of(dirty));
 * }
 *
 * <p>Prologue and machine come first, then states, mappings and memory in any order, then {@link
 * #finish}: another order is an {@link IllegalStateException}. What was written without {@code
 * finish} is refused by every reader as truncated. Not safe for several threads. Closing releases
 * its threads and does not touch the stream.
 */
public final class SnapshotWriter implements AutoCloseable {

  /** Less memory than this is packed on the caller's thread. */
  static final long PARALLEL_BYTES = 16L << 20;

  private enum Phase {
    PROLOGUE,
    MACHINE,
    CHUNKS,
    FINISHED
  }

  private final ChunkOutput out;
  private final Compression compression;
  private final Optional<MemoryImageOutput> image;
  private final Map<String, Long> regions = new HashMap<>();
  private final List<MemoryMakeUp> memory = new ArrayList<>();
  private Phase phase = Phase.PROLOGUE;
  private Optional<MemoryDigest> parent = Optional.empty();
  private MemoryDigest.@Nullable Builder digest;
  private @Nullable MemoryDigest memoryDigest;
  private Leftovers leftovers = Leftovers.none();
  private long chunks;

  /** A writer to a stream, which need not be buffered. */
  public SnapshotWriter(OutputStream out, SnapshotCompression compression) {
    this(out, Compression.of(compression), false);
  }

  private SnapshotWriter(OutputStream out, Compression compression, boolean mapped) {
    this.out = new ChunkOutput(out);
    this.compression = compression;
    this.image = mapped ? Optional.of(new MemoryImageOutput(this.out)) : Optional.empty();
  }

  /**
   * A writer of the mapped layout: all memory is one piece, not compressed, which begins at a
   * multiple of 4096 bytes, so that a file can be mapped instead of read ({@link MappedSnapshot}).
   * It writes whole snapshots only. The regions come in the order of the machine, and nothing but
   * regions comes between and after them. To a file it is best written with {@link
   * AtomicFileWriter#writeSparse}.
   */
  public static SnapshotWriter mapped(OutputStream out) {
    return new SnapshotWriter(out, Compression.NONE, true);
  }

  /**
   * What was left over when this snapshot was read is written again. To be said before all else.
   */
  public void keep(Leftovers unknown) {
    if (phase != Phase.PROLOGUE) {
      throw new IllegalStateException("not now: the writer is at " + phase);
    }
    leftovers = unknown;
  }

  /**
   * Begins a whole snapshot.
   *
   * @throws IllegalArgumentException if the prologue names a parent
   */
  public void prologue(Prologue prologue) throws IOException {
    if (prologue.parent().isPresent()) {
      throw new IllegalArgumentException("a delta is written with the digest of its parent");
    }
    enter(Phase.PROLOGUE, Phase.MACHINE);
    writePrologue(prologue);
  }

  private void writePrologue(Prologue prologue) throws IOException {
    List<String> features = new ArrayList<>(prologue.features());
    features.remove(SnapshotFormat.MAPPED);
    if (image.isPresent()) {
      features.add(SnapshotFormat.MAPPED);
    }
    out.prologue(PrologueCodec.toFields(prologue.withFeatures(features)));
  }

  /**
   * Begins a delta: its memory is written as far as it may differ from the parent's.
   *
   * @param prologue names the parent
   * @param parentMemory the digest of the parent's memory
   * @throws IllegalArgumentException if the prologue names no parent, or one of another digest
   */
  public void prologue(Prologue prologue, MemoryDigest parentMemory) throws IOException {
    if (!prologue
        .parent()
        .map(Prologue.Parent::sha256)
        .equals(Optional.of(parentMemory.sha256()))) {
      throw new IllegalArgumentException("the prologue does not name this parent");
    }
    if (image.isPresent()) {
      throw new IllegalArgumentException("a snapshot in the mapped layout is a whole one");
    }
    enter(Phase.PROLOGUE, Phase.MACHINE);
    parent = Optional.of(parentMemory);
    writePrologue(prologue);
  }

  /**
   * Describes the machine.
   *
   * @throws IllegalArgumentException if it is a delta's and a region of the parent is not there or
   *     has another size
   */
  public void machine(MachineDescription machine) throws IOException {
    parent
        .flatMap(digest -> digest.misfit(machine))
        .ifPresent(misfit -> {
          throw new IllegalArgumentException(misfit);
        });
    enter(Phase.MACHINE, Phase.CHUNKS);
    digest = new MemoryDigest.Builder(machine.regions(), parent);
    image.ifPresent(memoryImage -> memoryImage.regions(machine.regions()));
    machine.regions().forEach(region -> regions.put(region.name(), region.bytes()));
    FieldMap header = FieldMap.of(Map.of("version", (long) MachineCodec.schema().version()));
    FieldMap fields = leftovers.addToMachine(MachineCodec.toFields(machine));
    out.chunk(SnapshotFormat.MACHINE, true, header, fields);
    chunks++;
  }

  /** The state of one thing. */
  public void state(StateChunk state) throws IOException {
    enterChunk();
    Map<String, Object> header = new LinkedHashMap<>();
    header.put("type", state.type());
    header.put("path", state.path());
    header.put("version", (long) state.version());
    out.chunk(SnapshotFormat.STATE, state.critical(), FieldMap.of(header), state.fields());
    chunks++;
  }

  /** A mapping of device memory. */
  public void mapping(MappingState mapping) throws IOException {
    enterChunk();
    FieldMap header = FieldMap.of(Map.of("version", (long) MachineSchemas.MAPPING.version()));
    FieldMap fields = leftovers.addToMapping(mapping, MachineSchemas.MAPPING.toFields(mapping));
    out.chunk(SnapshotFormat.MAPPING, true, header, fields);
    chunks++;
  }

  /**
   * The contents of a memory region. The source must not change until this returns.
   *
   * @param region as the machine's description names it
   * @return what it consists of
   * @throws IllegalArgumentException if there is no such region, it has another size, or it has
   *     been written; in the mapped layout, if it is not the next
   */
  public MemoryMakeUp memory(String region, MemorySource source) throws IOException {
    return memory(region, source, ChangedPages.all());
  }

  /**
   * The contents of a memory region, of which a delta gets the pages that may have changed. A whole
   * snapshot gets them all.
   *
   * @param region as the machine's description names it
   * @param source all of the region, the pages that have not changed too: a block's digest covers
   *     them
   * @param changed every page that differs from the parent's, and perhaps others; of a region that
   *     the parent has not, every page that is not zeros
   * @return what it consists of
   * @throws IllegalArgumentException if there is no such region, it has another size, or it has
   *     been written
   */
  public MemoryMakeUp memory(String region, MemorySource source, ChangedPages changed)
      throws IOException {
    enter(Phase.CHUNKS, Phase.CHUNKS);
    Long size = regions.remove(region);
    if (size == null || size != source.size()) {
      throw new IllegalArgumentException(
          "the machine has no region '%s' of %d bytes that is still to be written"
              .formatted(region, source.size()));
    }
    if (image.isPresent()) {
      return image.get().memory(region, source, digest());
    }
    int index = memory.size();
    memory.add(MemoryMakeUp.untouched(region, size, parent.isPresent()));
    try (OrderedPipeline<BlockPacker, BlockPacker.Packed> pipeline =
        new OrderedPipeline<>(
            size >= PARALLEL_BYTES,
            () -> new BlockPacker(compression),
            packed -> take(region, packed, index))) {
      for (long offset = 0; offset < size; offset += SnapshotFormat.BLOCK_BYTES) {
        long at = offset;
        int length = (int) Math.min(SnapshotFormat.BLOCK_BYTES, size - offset);
        if (parent.isEmpty()) {
          pipeline.submit(packer -> packer.pack(source, at, length));
        } else if (changed.next(at / SnapshotFormat.PAGE_BYTES)
            < (at + length) / SnapshotFormat.PAGE_BYTES) {
          pipeline.submit(packer -> packer.pack(source, at, length, changed));
        }
      }
      pipeline.drain();
    }
    return memory.get(index);
  }

  private void take(String region, BlockPacker.Packed packed, int index) throws IOException {
    // Pages that were written to are often found as they were.
    boolean asBefore =
        parent.isPresent() && sameLeaf(parent.get().leaf(region, packed.offset()), packed.leaf());
    if (!asBefore && packed.block().isPresent()) {
      block(region, packed.block().get(), index);
      digest().leaf(region, packed.offset(), packed.leaf());
    }
  }

  private static boolean sameLeaf(Optional<byte[]> one, Optional<byte[]> other) {
    return one.isPresent() == other.isPresent()
        && (one.isEmpty() || Arrays.equals(one.get(), other.get()));
  }

  private MemoryDigest.Builder digest() {
    return Objects.requireNonNull(digest, "the machine comes first");
  }

  private void block(String region, BlockPacker.Block block, int index) throws IOException {
    Map<String, Object> header = new LinkedHashMap<>();
    header.put("region", region);
    header.put("offset", block.offset());
    header.put("compression", block.compression().formatName());
    header.put("pages", block.runs());
    out.chunk(
        SnapshotFormat.MEMORY,
        true,
        FieldMap.of(header),
        block.body(),
        block.length(),
        block.crc());
    chunks++;
    memory.set(
        index,
        memory
            .get(index)
            .plus(
                parent.isPresent(),
                block.counts(),
                block.length(),
                block.compression() != Compression.NONE));
  }

  /**
   * Ends the snapshot with its footer and flushes the stream.
   *
   * @throws IllegalStateException if it is in the mapped layout and regions are missing
   */
  public SnapshotDigest finish() throws IOException {
    if (image.isPresent()) {
      image.get().end();
      chunks += 2;
    }
    enter(Phase.CHUNKS, Phase.FINISHED);
    for (SkippedChunk chunk : leftovers.chunks()) {
      out.chunk(chunk.header(), chunk.tagged(), chunk.body());
      chunks++;
    }
    MemoryDigest ofMemory = digest().build();
    SnapshotDigest written =
        new SnapshotDigest(chunks, out.count(), out.endDigest(), ofMemory.sha256());
    out.chunk(
        SnapshotFormat.FOOTER, true, FieldMap.of(Map.of()), PrologueCodec.footerFields(written));
    out.flush();
    memoryDigest = ofMemory;
    return written;
  }

  /**
   * The digest of the memory that was written, which a delta to this snapshot needs.
   *
   * @throws IllegalStateException if the snapshot is not finished
   */
  public MemoryDigest memoryDigest() {
    if (memoryDigest == null) {
      throw new IllegalStateException("not now: the snapshot is not finished");
    }
    return memoryDigest;
  }

  private void enterChunk() {
    enter(Phase.CHUNKS, Phase.CHUNKS);
    if (image.isPresent() && image.get().begun()) {
      throw new IllegalStateException("not now: the memory comes last in the mapped layout");
    }
  }

  private void enter(Phase expected, Phase next) {
    if (phase != expected) {
      throw new IllegalStateException("not now: the writer is at " + phase);
    }
    phase = next;
  }

  /** Ends the writing, whether it is finished or not. */
  @Override
  public void close() {
    phase = Phase.FINISHED;
  }
}

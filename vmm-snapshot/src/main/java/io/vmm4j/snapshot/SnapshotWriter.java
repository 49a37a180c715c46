package io.vmm4j.snapshot;

import io.vmm4j.api.state.FieldMap;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Writes a snapshot to a stream, from front to back.
 *
 * {@snippet :
 * try (SnapshotWriter writer = new SnapshotWriter(out, Compression.DEFLATE_FAST)) {
 *   writer.prologue(Prologue.of(id, "vmm4j", "1.0"));
 *   writer.machine(description);
 *   writer.state(StateChunk.of("vcpu", "vcpu/0", MachineSchemas.CPU, cpuState));
 *   writer.mapping(mapping);
 *   writer.memory(MachineDescription.RAM, MemorySource.of(ram));
 *   writer.finish();
 * }
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
  private final Map<String, Long> regions = new HashMap<>();
  private final List<MemoryMakeUp> memory = new ArrayList<>();
  private Phase phase = Phase.PROLOGUE;
  private long chunks;

  /** A writer to a stream, which need not be buffered. */
  public SnapshotWriter(OutputStream out, Compression compression) {
    this.out = new ChunkOutput(out);
    this.compression = compression;
  }

  /** Begins the snapshot. */
  public void prologue(Prologue prologue) throws IOException {
    enter(Phase.PROLOGUE, Phase.MACHINE);
    out.prologue(PrologueCodec.toFields(prologue));
  }

  /** Describes the machine. */
  public void machine(MachineDescription machine) throws IOException {
    enter(Phase.MACHINE, Phase.CHUNKS);
    machine.regions().forEach(region -> regions.put(region.name(), region.bytes()));
    FieldMap header = FieldMap.of(Map.of("version", (long) MachineCodec.version()));
    out.chunk(SnapshotFormat.MACHINE, true, header, MachineCodec.toFields(machine));
    chunks++;
  }

  /** The state of one thing. */
  public void state(StateChunk state) throws IOException {
    enter(Phase.CHUNKS, Phase.CHUNKS);
    Map<String, Object> header = new LinkedHashMap<>();
    header.put("type", state.type());
    header.put("path", state.path());
    header.put("version", (long) state.version());
    out.chunk(SnapshotFormat.STATE, state.critical(), FieldMap.of(header), state.fields());
    chunks++;
  }

  /** A mapping of device memory. */
  public void mapping(MappingState mapping) throws IOException {
    enter(Phase.CHUNKS, Phase.CHUNKS);
    FieldMap header = FieldMap.of(Map.of("version", (long) MachineSchemas.MAPPING.version()));
    out.chunk(SnapshotFormat.MAPPING, true, header, MachineSchemas.MAPPING.toFields(mapping));
    chunks++;
  }

  /**
   * The contents of a memory region. The source must not change until this returns.
   *
   * @param region as the machine's description names it
   * @return what it consists of
   * @throws IllegalArgumentException if there is no such region, it has another size, or it has
   *     been written
   */
  public MemoryMakeUp memory(String region, MemorySource source) throws IOException {
    enter(Phase.CHUNKS, Phase.CHUNKS);
    Long size = regions.remove(region);
    if (size == null || size != source.size()) {
      throw new IllegalArgumentException(
          "the machine has no region '%s' of %d bytes that is still to be written"
              .formatted(region, source.size()));
    }
    int index = memory.size();
    memory.add(MemoryMakeUp.zeros(region, size));
    try (OrderedPipeline<BlockPacker, Optional<BlockPacker.Block>> pipeline =
        new OrderedPipeline<>(
            size >= PARALLEL_BYTES,
            () -> new BlockPacker(compression),
            packed -> {
              if (packed.isPresent()) {
                block(region, packed.get(), index);
              }
            })) {
      for (long offset = 0; offset < size; offset += SnapshotFormat.BLOCK_BYTES) {
        long at = offset;
        int length = (int) Math.min(SnapshotFormat.BLOCK_BYTES, size - offset);
        pipeline.submit(packer -> packer.pack(source, at, length));
      }
      pipeline.drain();
    }
    return memory.get(index);
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
                (long) block.fillPages() * SnapshotFormat.PAGE_BYTES,
                (long) block.dataPages() * SnapshotFormat.PAGE_BYTES,
                block.length(),
                block.compression() != Compression.NONE));
  }

  /** Ends the snapshot with its footer and flushes the stream. */
  public SnapshotDigest finish() throws IOException {
    enter(Phase.CHUNKS, Phase.FINISHED);
    long byteCount = out.count();
    String sha256 = out.endDigest();
    SnapshotDigest digest = new SnapshotDigest(chunks, byteCount, sha256);
    out.chunk(
        SnapshotFormat.FOOTER, true, FieldMap.of(Map.of()), PrologueCodec.footerFields(digest));
    out.flush();
    return digest;
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

package io.vmm4j.snapshot;

import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.SnapshotResolver;
import io.vmm4j.api.state.FieldMap;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.ObjLongConsumer;

/**
 * Reads a snapshot from a stream, from front to back, and checks all of it: the first phase of a
 * restore.
 *
 * {@snippet :
 * SnapshotPlan plan = new SnapshotReader(in, SnapshotLimits.standard()).read(machine -> {
 *   return Map.of(MachineDescription.RAM, arena.allocate(machine.memoryBytes()));
 * });
 * CpuState cpu = plan.requireState("vcpu", "vcpu/0").decode(MachineSchemas.CPU);
 * }
 *
 * <p>A delta is read with a resolver that opens its parents, see {@link #read(MemorySink,
 * SnapshotResolver)}.
 *
 * <p>It reads to the end of the footer and not one byte further. The stream may be hostile: nothing
 * is allocated on the word of a length that is beyond the limits, and whatever the bytes are, the
 * only failures are those of the stream itself ({@link IOException}) and {@link
 * SnapshotException}s. For one snapshot and one thread.
 */
public final class SnapshotReader {

  /** The most values in the fields of all chunks together. */
  static final int MAX_VALUES = 1 << 20;

  /** What watches the reading, for inspection. */
  interface Listener {
    default void prologue(Prologue prologue) {}

    default void machine(MachineDescription machine) {}

    /** A chunk that was read and found good, with its fields if it holds such. */
    default void chunk(ChunkHeader header, Optional<FieldMap> fields) {}

    default void memory(MemoryMakeUp region) {}
  }

  private final ChunkInput in;
  private final SnapshotLimits limits;
  private final CborFields.Budget budget = new CborFields.Budget(MAX_VALUES);
  private final Listener listener;
  private final List<StateChunk> states = new ArrayList<>();
  private final List<MappingState> mappings = new ArrayList<>();
  private final Leftovers leftovers = new Leftovers();
  private final Set<List<String>> seen = new HashSet<>();
  private final boolean leaping;
  private final Map<String, MemoryRegionReader> regions = new LinkedHashMap<>();
  private Optional<MemoryImage> image = Optional.empty();
  private long keptBytes;
  private long chunks;
  private ObjLongConsumer<String> filling = (region, bytes) -> {};
  private boolean used;

  /** A reader within limits. */
  public SnapshotReader(InputStream in, SnapshotLimits limits) {
    this(in, limits, new Listener() {});
  }

  SnapshotReader(InputStream in, SnapshotLimits limits, Listener listener) {
    this(in, limits, listener, false);
  }

  /**
   * A reader.
   *
   * @param leaping whether it passes over a memory image, so that neither memory nor the bytes
   *     before the footer are digested; the stream can skip then
   */
  SnapshotReader(InputStream in, SnapshotLimits limits, Listener listener, boolean leaping) {
    this.leaping = leaping;
    this.in = new ChunkInput(in, limits, budget);
    this.limits = limits;
    this.listener = listener;
  }

  /** How many bytes of the stream have been read. */
  public long offset() {
    return in.offset();
  }

  /**
   * Reads a whole snapshot. Once only.
   *
   * @throws SnapshotException of the kind that fits, if it is not a whole snapshot that this
   *     version can read within the limits
   * @throws IOException if the stream fails
   */
  public SnapshotPlan read(MemorySink sink) throws IOException {
    return read(sink, SnapshotResolver.none());
  }

  /**
   * Reads a snapshot, and if it is a delta the chain of its parents, of any length: each link is
   * held against what its child says of it. Once only.
   *
   * <p>Each parent is opened twice, for its prologue and for its contents. Of the streams that the
   * resolver gives one is open at a time, and none when this returns or throws.
   *
   * @param parents opens the parents
   * @return what the newest snapshot says, and the memory of all
   * @throws SnapshotException.MissingParent if the resolver has not got a parent
   * @throws SnapshotException.WrongParent if it gives another snapshot, or one of other memory
   * @throws SnapshotException.ParentLoop if a snapshot is its own ancestor
   * @throws SnapshotException of the kind that fits, if one of them is not a whole snapshot that
   *     this version can read within the limits
   * @throws IOException if a stream fails
   */
  public SnapshotPlan read(MemorySink sink, SnapshotResolver parents) throws IOException {
    Prologue prologue = prologue();
    Optional<ParentChain> chain =
        prologue.parent().isEmpty()
            ? Optional.empty()
            : Optional.of(ParentChain.find(prologue, parents, limits));
    MachineDescription machine = machine();
    Map<String, MemorySegment> memory = sink.allocate(machine);
    this.filling = sink::filling;
    Optional<MemoryDigest> parent = Optional.empty();
    if (chain.isPresent()) {
      parent = Optional.of(chain.get().read(machine, memory, filling));
    }
    return contents(prologue, machine, memory, parent);
  }

  /** Reads and checks all of a snapshot but for the memory that it has of its parent. */
  SnapshotPlan readAlone() throws IOException {
    Prologue prologue = prologue();
    return contents(prologue, machine(), Map.of(), Optional.empty());
  }

  /** Has somebody told of what is going to be written. */
  void onFilling(ObjLongConsumer<String> listener) {
    filling = listener;
  }

  /** Begins to read. */
  Prologue prologue() throws IOException {
    if (used) {
      throw new IllegalStateException("this reader has been used; make one for each snapshot");
    }
    used = true;
    Prologue prologue = PrologueCodec.fromFields(in.prologue(), 0);
    listener.prologue(prologue);
    refuseFeatures(prologue);
    return prologue;
  }

  /**
   * Reads what follows the machine.
   *
   * @param parent of a delta the digest of its parent's memory, which is what {@code memory} holds;
   *     if that is absent, a delta's memory is not digested
   */
  SnapshotPlan contents(
      Prologue prologue,
      MachineDescription machine,
      Map<String, MemorySegment> memory,
      Optional<MemoryDigest> parent)
      throws IOException {
    BlockUnpacker.Base base = BlockUnpacker.Base.ZEROS;
    if (prologue.parent().isPresent()) {
      base = parent.isPresent() ? BlockUnpacker.Base.PARENT : BlockUnpacker.Base.UNKNOWN;
    }
    for (MachineDescription.Region region : machine.regions()) {
      Optional<MemorySegment> target = Optional.ofNullable(memory.get(region.name()));
      regions.put(region.name(), new MemoryRegionReader(region, target, base));
    }
    MemoryDigest.Builder memoryDigest = new MemoryDigest.Builder(machine.regions(), parent);
    boolean parallel = machine.totalMemoryBytes() >= SnapshotWriter.PARALLEL_BYTES;
    try (OrderedPipeline<BlockUnpacker, BlockUnpacker.Unpacked> pipeline =
        new OrderedPipeline<>(
            parallel,
            BlockUnpacker::new,
            block -> {
              memoryDigest.leaf(block.region(), block.regionOffset(), block.leaf());
              block.imageCounts().ifPresent(counts -> regions.get(block.region()).addImage(counts));
            })) {
      while (true) {
        ChunkHeader header = in.header();
        if (header.kind().equals(SnapshotFormat.FOOTER)) {
          pipeline.drain();
          if (isMapped(prologue) && image.isEmpty()) {
            throw new SnapshotException.Corrupt(header.offset(), "there is no memory image");
          }
          boolean digested = base != BlockUnpacker.Base.UNKNOWN && !leapt();
          Optional<MemoryDigest> ofMemory =
              digested ? Optional.of(memoryDigest.build()) : Optional.empty();
          SnapshotDigest digest = footer(header, ofMemory);
          List<MemoryMakeUp> makeUp =
              leapt()
                  ? List.of()
                  : regions.values().stream().map(MemoryRegionReader::makeUp).toList();
          return new SnapshotPlan(
              prologue, machine, states, mappings, leftovers, makeUp, digest, ofMemory);
        }
        countChunk(header);
        switch (header.kind()) {
          case SnapshotFormat.STATE -> state(header);
          case SnapshotFormat.MAPPING -> mapping(header);
          case SnapshotFormat.MEMORY -> {
            refuseInLayout(header, isMapped(prologue));
            memory(header, pipeline);
          }
          case SnapshotFormat.MEMORY_IMAGE -> {
            refuseInLayout(header, !isMapped(prologue));
            image(header, machine, pipeline);
          }
          case SnapshotFormat.PADDING -> {
            in.anyBody(header);
            listener.chunk(header, Optional.empty());
          }
          case SnapshotFormat.MACHINE ->
              throw new SnapshotException.Corrupt(header.offset(), "a second machine");
          default -> unknown(header);
        }
      }
    } finally {
      regions.values().forEach(region -> listener.memory(region.makeUp()));
    }
  }

  static void refuseFeatures(Prologue prologue) {
    for (String feature : prologue.features()) {
      if (!SnapshotFormat.FEATURES.contains(feature)) {
        throw new SnapshotException.Incompatible(
            "feature '" + feature + "'", "this version does not know it; use a newer release");
      }
    }
    if (isMapped(prologue) && prologue.parent().isPresent()) {
      throw new SnapshotException.Corrupt(0, "a delta in the mapped layout");
    }
  }

  private static boolean isMapped(Prologue prologue) {
    return prologue.features().contains(SnapshotFormat.MAPPED);
  }

  private boolean leapt() {
    return leaping && image.isPresent();
  }

  private static void refuseInLayout(ChunkHeader header, boolean other) {
    if (other) {
      throw new SnapshotException.Corrupt(
          header.offset(), "chunk '%s' in the other layout".formatted(header.kind()));
    }
  }

  private void image(
      ChunkHeader header,
      MachineDescription machine,
      OrderedPipeline<BlockUnpacker, BlockUnpacker.Unpacked> pipeline)
      throws IOException {
    refuseSecond(header, List.of(header.kind()));
    MemoryImage.check(header, machine);
    in.beginBody(header);
    MemoryImage read = new MemoryImage(in.offset(), header.length());
    read.refuseUnaligned(header);
    image = Optional.of(read);
    if (leaping) {
      in.leap(header);
    } else {
      for (MemoryRegionReader region : regions.values()) {
        region.image(in, pipeline);
      }
      in.endBody(header);
    }
    listener.chunk(header, Optional.empty());
  }

  /** Where the memory image is, once it was read or leapt over. */
  Optional<MemoryImage> image() {
    return image;
  }

  static SnapshotException tooManyChunks(SnapshotLimits limits) {
    return new SnapshotException.Incompatible(
        "the number of chunks", "the reader's limit is " + limits.chunks());
  }

  private void countChunk(ChunkHeader header) {
    if (++chunks > limits.chunks()) {
      throw tooManyChunks(limits);
    }
    if (!header.kind().equals(SnapshotFormat.MEMORY)
        && !header.kind().equals(SnapshotFormat.MEMORY_IMAGE)) {
      // What is not memory stays in the heap until the restore: all of it together has a limit.
      budget.take(header.values());
      keptBytes += header.bytes() + Math.min(header.length(), Integer.MAX_VALUE);
      if (keptBytes > limits.chunkBytes().bytes()) {
        throw new SnapshotException.Incompatible(
            "the state of more than %d bytes".formatted(limits.chunkBytes().bytes()),
            "it is beyond the reader's limit");
      }
    }
  }

  /** Reads the machine, which follows the prologue. */
  MachineDescription machine() throws IOException {
    ChunkHeader header = in.header();
    if (!header.kind().equals(SnapshotFormat.MACHINE)) {
      throw new SnapshotException.Corrupt(
          header.offset(), "expected the machine, found '" + header.kind() + "'");
    }
    countChunk(header);
    int version = version(header);
    FieldMap fields = in.fieldsBody(header);
    MachineDescription machine = MachineCodec.fromFields(version, fields, header.offset());
    leftovers.machine(version, fields);
    listener.machine(machine);
    listener.chunk(header, Optional.of(fields));
    long total = machine.totalMemoryBytes();
    if (total > limits.memory().bytes()) {
      throw new SnapshotException.Incompatible(
          "a machine with %d bytes of memory".formatted(total),
          "the reader's limit is " + limits.memory());
    }
    return machine;
  }

  private void state(ChunkHeader header) throws IOException {
    String type = Fields.text(header.fields(), "type", header.offset());
    String path = Fields.text(header.fields(), "path", header.offset());
    int version = version(header);
    refuseSecond(header, List.of(header.kind(), type, path));
    FieldMap fields = in.fieldsBody(header);
    states.add(new StateChunk(type, path, version, header.critical(), fields, header.offset()));
    listener.chunk(header, Optional.of(fields));
  }

  private void mapping(ChunkHeader header) throws IOException {
    int version = version(header);
    FieldMap fields = in.fieldsBody(header);
    MappingState mapping =
        Fields.decode(MachineSchemas.MAPPING, version, fields, "a mapping", header.offset());
    refuseSecond(
        header, List.of(header.kind(), mapping.path(), mapping.memory(), mapping.mapping()));
    MemoryRegionReader region =
        regions.get(MachineDescription.deviceRegion(mapping.path(), mapping.memory()));
    if (region == null || mapping.offset() > region.bytes() - mapping.length()) {
      throw new SnapshotException.Corrupt(
          header.offset(),
          "mapping '%s' is not within a device memory '%s' of '%s'"
              .formatted(mapping.mapping(), mapping.memory(), mapping.path()));
    }
    mappings.add(mapping);
    leftovers.mapping(mapping, version, fields);
    listener.chunk(header, Optional.of(fields));
  }

  private void memory(
      ChunkHeader header, OrderedPipeline<BlockUnpacker, BlockUnpacker.Unpacked> pipeline)
      throws IOException {
    String name = Fields.text(header.fields(), "region", header.offset());
    MemoryRegionReader region = regions.get(name);
    if (region == null) {
      throw new SnapshotException.Corrupt(
          header.offset(), "the machine has no memory region '" + name + "'");
    }
    region.begin(header);
    filling.accept(name, region.plainBytes());
    BlockUnpacker.Block block = region.block(header, in.body(header));
    pipeline.submit(unpacker -> unpacker.unpack(block, region.target()));
    listener.chunk(header, Optional.empty());
  }

  private void unknown(ChunkHeader header) throws IOException {
    if (header.critical()) {
      throw new SnapshotException.Incompatible(
          "chunk '%s' %s".formatted(header.kind(), header.name()),
          "it is critical and this version does not know it; use a newer release");
    }
    ChunkInput.AnyBody body = in.anyBody(header);
    leftovers.chunk(
        new SkippedChunk(
            header.kind(),
            header.name(),
            header.offset(),
            header.fields(),
            body.tagged(),
            body.bytes().bytes()));
    listener.chunk(header, Optional.empty());
  }

  private SnapshotDigest footer(ChunkHeader header, Optional<MemoryDigest> memory)
      throws IOException {
    SnapshotDigest stated = PrologueCodec.footer(in.fieldsBody(header), header.offset());
    SnapshotDigest actual =
        new SnapshotDigest(
            chunks,
            header.offset(),
            leapt() ? stated.sha256() : in.endDigest(),
            memory.map(MemoryDigest::sha256).orElse(stated.memorySha256()));
    if (!stated.equals(actual)) {
      throw new SnapshotException.Corrupt(
          header.offset(), "the footer states %s, found %s".formatted(stated, actual));
    }
    return actual;
  }

  private void refuseSecond(ChunkHeader header, List<String> key) {
    if (!seen.add(key)) {
      throw new SnapshotException.Corrupt(header.offset(), "a second " + String.join(" ", key));
    }
  }

  private static int version(ChunkHeader header) {
    return Fields.smallInteger(header.fields(), "version", 1, Integer.MAX_VALUE, header.offset());
  }
}

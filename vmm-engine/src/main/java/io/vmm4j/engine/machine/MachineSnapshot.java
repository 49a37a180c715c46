package io.vmm4j.engine.machine;

import io.vmm4j.api.CaptureReport;
import io.vmm4j.api.ResumeOptions;
import io.vmm4j.api.SaveOptions;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.SnapshotCompression;
import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.SnapshotLayout;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.engine.machine.snapshot.ImageMemory;
import io.vmm4j.engine.machine.snapshot.ParentLink;
import io.vmm4j.snapshot.AtomicFileWriter;
import io.vmm4j.snapshot.ChangedPages;
import io.vmm4j.snapshot.Leftovers;
import io.vmm4j.snapshot.MachineDescription;
import io.vmm4j.snapshot.MappingState;
import io.vmm4j.snapshot.MemoryDigest;
import io.vmm4j.snapshot.MemorySource;
import io.vmm4j.snapshot.Prologue;
import io.vmm4j.snapshot.SnapshotWriter;
import io.vmm4j.snapshot.StateChunk;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;

/** A machine's state in memory, captured or read. */
final class MachineSnapshot implements Snapshot {
  private static final String PRODUCER = "vmm4j";

  private final MachineFactory factory;
  private final UUID id;
  private final Instant taken;
  private final MachineImage image;
  private final Optional<MachinePlan> captured;
  private final ImageMemory memory;
  private final Optional<ParentLink> parent;
  private final Optional<CaptureReport> report;
  private Optional<MemoryDigest> memoryDigest = Optional.empty();
  private Leftovers leftovers = Leftovers.none();
  private boolean closed;

  /**
   * A snapshot that was taken.
   *
   * @param taken when, by the host's clock
   * @param captured the plan of the machine it was taken of; absent for one that was read
   * @param memory its own, which it releases
   * @param parent what it is to be written against
   */
  MachineSnapshot(
      MachineFactory factory,
      UUID id,
      Instant taken,
      MachineImage image,
      Optional<MachinePlan> captured,
      ImageMemory memory,
      Optional<ParentLink> parent,
      Optional<CaptureReport> report) {
    this.factory = factory;
    this.id = id;
    this.taken = taken;
    this.image = image;
    this.captured = captured;
    this.memory = memory;
    this.parent = parent;
    this.report = report;
  }

  /** A snapshot that was read. */
  MachineSnapshot(
      MachineFactory factory,
      UUID id,
      Instant taken,
      MachineImage image,
      Optional<MemoryDigest> memoryDigest,
      Leftovers leftovers,
      ImageMemory memory) {
    this(factory, id, taken, image, Optional.empty(), memory, Optional.empty(), Optional.empty());
    this.memoryDigest = memoryDigest;
    this.leftovers = leftovers;
  }

  /**
   * A snapshot of this engine.
   *
   * @throws SnapshotException.Incompatible if it is another's
   */
  static MachineSnapshot ours(Snapshot snapshot) {
    if (snapshot instanceof MachineSnapshot ours) {
      return ours;
    }
    throw new SnapshotException.Incompatible(
        "a snapshot of class " + snapshot.getClass().getName(), "it is not of this engine");
  }

  /** A number for the version that wrote a file, or a word where the classes have none. */
  private static String producerVersion() {
    String version = MachineSnapshot.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }

  private void write(OutputStream out, SaveOptions options) throws IOException {
    Optional<ParentLink> link = options.whole() ? Optional.empty() : parent;
    try (SnapshotWriter writer =
        options.layout() == SnapshotLayout.MAPPED
            ? SnapshotWriter.mapped(out)
            : new SnapshotWriter(out, options.compression())) {
      writer.keep(leftovers);
      if (link.isPresent()) {
        MemoryDigest parentMemory = link.get().memory();
        writer.prologue(
            prologue(id, taken, image).withParent(link.get().id(), parentMemory), parentMemory);
      } else {
        writer.prologue(prologue(id, taken, image));
      }
      writeStates(writer, image);
      for (MachineDescription.Region region : image.description().regions()) {
        ImageMemory.Place place = memory.places().get(region.name());
        writer.memory(
            region.name(),
            memory.source(region.name()),
            link.map(l -> l.changedPages(place)).orElseGet(ChangedPages::all));
      }
      writer.finish();
      memoryDigest = Optional.of(writer.memoryDigest());
    }
  }

  /** Writes a whole snapshot of a machine that stands. */
  static void write(OutputStream out, MachineImage image, Function<String, MemorySource> memory)
      throws IOException {
    try (SnapshotWriter writer = new SnapshotWriter(out, SnapshotCompression.FAST)) {
      writer.prologue(prologue(UUID.randomUUID(), Instant.now(), image));
      writeStates(writer, image);
      for (MachineDescription.Region region : image.description().regions()) {
        writer.memory(region.name(), memory.apply(region.name()));
      }
      writer.finish();
    }
  }

  private static void writeStates(SnapshotWriter writer, MachineImage image) throws IOException {
    writer.machine(image.description());
    for (StateChunk state : image.states()) {
      writer.state(state);
    }
    for (MappingState mapping : image.mappings()) {
      writer.mapping(mapping);
    }
  }

  private static Prologue prologue(UUID id, Instant taken, MachineImage image) {
    return Prologue.of(id, taken, PRODUCER, producerVersion())
        .withProcessors(CpuFeature.of(image.description().cpuid()));
  }

  @Override
  public UUID id() {
    return id;
  }

  @Override
  public VmSpec spec() {
    return plan().spec();
  }

  @Override
  public Optional<CaptureReport> captureReport() {
    return report;
  }

  @Override
  public Optional<UUID> parentId() {
    return parent.map(ParentLink::id);
  }

  /** The digest of its memory, computed when it is first asked for. */
  synchronized MemoryDigest memoryDigest() {
    requireOpen();
    if (memoryDigest.isEmpty()) {
      try {
        memoryDigest =
            Optional.of(MemoryDigest.compute(image.description().regions(), memory::source));
      } catch (IOException e) {
        throw new SnapshotException("cannot read the snapshot's memory", e);
      }
    }
    return memoryDigest.get();
  }

  /**
   * This as the parent of another snapshot.
   *
   * @throws SnapshotException.Incompatible if the other has not all regions of this one
   */
  synchronized ParentLink linkTo(MachineImage child, ImageMemory childMemory) {
    requireOpen();
    for (MachineDescription.Region region : image.description().regions()) {
      if (!child.description().regions().contains(region)) {
        throw new SnapshotException.Incompatible(
            "memory region '%s' of %d bytes of the parent".formatted(region.name(), region.bytes()),
            "the machine has none like it");
      }
    }
    return new ParentLink(id, memoryDigest(), childMemory.differences(memory));
  }

  /** When it was taken, by the host's clock. */
  Instant taken() {
    return taken;
  }

  /** What its machine was built from, or can be. */
  MachinePlan plan() {
    return captured.orElseGet(() -> factory.plan(image.description()));
  }

  MachineImage image() {
    return image;
  }

  /** Its memory, for as long as the caller holds this object's monitor. */
  ImageMemory memory() {
    requireOpen();
    return memory;
  }

  @Override
  public synchronized void writeTo(OutputStream out, SaveOptions options) throws IOException {
    Objects.requireNonNull(out, "out");
    Objects.requireNonNull(options, "options");
    requireOpen();
    write(out, options);
  }

  @Override
  public synchronized void writeTo(Path file, SaveOptions options) throws IOException {
    Objects.requireNonNull(file, "file");
    Objects.requireNonNull(options, "options");
    requireOpen();
    if (options.layout() == SnapshotLayout.MAPPED) {
      AtomicFileWriter.writeSparse(file, out -> write(out, options));
    } else {
      AtomicFileWriter.write(file, out -> write(out, options));
    }
  }

  @Override
  public synchronized Vm resume(ResumeOptions options) {
    Objects.requireNonNull(options, "options");
    requireOpen();
    return factory.resume(this, options);
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the snapshot is closed");
    }
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      memory.release();
    }
  }
}

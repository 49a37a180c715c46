package io.vmm4j.engine.machine;

import io.vmm4j.api.CaptureReport;
import io.vmm4j.api.ResumeOptions;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.engine.machine.snapshot.ImageMemory;
import io.vmm4j.snapshot.AtomicFileWriter;
import io.vmm4j.snapshot.Compression;
import io.vmm4j.snapshot.MappingState;
import io.vmm4j.snapshot.MemorySource;
import io.vmm4j.snapshot.Prologue;
import io.vmm4j.snapshot.SnapshotWriter;
import io.vmm4j.snapshot.StateChunk;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Instant;
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
  private final Optional<CaptureReport> report;
  private boolean closed;

  /**
   * A snapshot.
   *
   * @param taken when, by the host's clock
   * @param captured the plan of the machine it was taken of; absent for one that was read
   * @param memory its own, which it releases
   */
  MachineSnapshot(
      MachineFactory factory,
      UUID id,
      Instant taken,
      MachineImage image,
      Optional<MachinePlan> captured,
      ImageMemory memory,
      Optional<CaptureReport> report) {
    this.factory = factory;
    this.id = id;
    this.taken = taken;
    this.image = image;
    this.captured = captured;
    this.memory = memory;
    this.report = report;
  }

  /** A number for the version that wrote a file, or a word where the classes have none. */
  private static String producerVersion() {
    String version = MachineSnapshot.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }

  /** Writes a whole snapshot. */
  static void write(
      OutputStream out,
      UUID id,
      Instant taken,
      MachineImage image,
      Function<String, MemorySource> memory)
      throws IOException {
    try (SnapshotWriter writer = new SnapshotWriter(out, Compression.DEFLATE_FAST)) {
      writer.prologue(Prologue.of(id, taken, PRODUCER, producerVersion()));
      writer.machine(image.description());
      for (StateChunk state : image.states()) {
        writer.state(state);
      }
      for (MappingState mapping : image.mappings()) {
        writer.mapping(mapping);
      }
      for (var region : image.description().regions()) {
        writer.memory(region.name(), memory.apply(region.name()));
      }
      writer.finish();
    }
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
    return Optional.empty();
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
  public synchronized void writeTo(OutputStream out) throws IOException {
    requireOpen();
    write(out, id, taken, image, memory::source);
  }

  @Override
  public synchronized void writeTo(Path file) throws IOException {
    requireOpen();
    AtomicFileWriter.write(file, out -> write(out, id, taken, image, memory::source));
  }

  @Override
  public synchronized Vm resume(ResumeOptions options) {
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

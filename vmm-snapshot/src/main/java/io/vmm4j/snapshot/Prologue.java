package io.vmm4j.snapshot;

import io.vmm4j.api.SnapshotLayout;
import io.vmm4j.api.backend.CpuFeature;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * What a snapshot says of itself before all else.
 *
 * @param major the container version; a reader takes its own and every earlier one
 * @param minor what was added that an older reader of the same major may pass over
 * @param id the snapshot's identity
 * @param parent the snapshot this one is a delta of; absent for a whole one
 * @param producer the program that wrote it
 * @param producerVersion the version of that program
 * @param created when the state was captured, by the clock of the host, to the millisecond
 * @param features names of what a reader must know to read it; a writer states those of what it
 *     writes
 */
public record Prologue(
    int major,
    int minor,
    UUID id,
    Optional<Parent> parent,
    String producer,
    String producerVersion,
    Instant created,
    List<String> features) {

  /** Cuts the time to milliseconds and copies the features. */
  public Prologue {
    created = created.truncatedTo(ChronoUnit.MILLIS);
    features = List.copyOf(features);
  }

  /**
   * The snapshot a delta needs.
   *
   * @param id its identity
   * @param sha256 the root of its {@link MemoryDigest}, in hexadecimal
   */
  public record Parent(UUID id, String sha256) {}

  /** Of a new whole snapshot in the present version of the format. */
  public static Prologue of(UUID id, Instant created, String producer, String producerVersion) {
    return new Prologue(
        SnapshotFormat.MAJOR,
        SnapshotFormat.MINOR,
        id,
        Optional.empty(),
        producer,
        producerVersion,
        created,
        List.of());
  }

  /** How the memory lies. */
  public SnapshotLayout layout() {
    return features.contains(SnapshotFormat.MAPPED) ? SnapshotLayout.MAPPED : SnapshotLayout.STREAM;
  }

  /** The same of a delta to a snapshot. */
  public Prologue withParent(UUID parentId, MemoryDigest parentMemory) {
    return with(Optional.of(new Parent(parentId, parentMemory.sha256())));
  }

  /**
   * The same of a machine whose processors have some features. Those that the portable processor
   * lacks are named in {@link #features}, for an older release would not give them to the guest.
   */
  public Prologue withProcessors(Set<CpuFeature> processorFeatures) {
    return withFeatures(SnapshotFormat.cpuFeatures(processorFeatures));
  }

  /** The same with other features. */
  Prologue withFeatures(List<String> newFeatures) {
    return new Prologue(major, minor, id, parent, producer, producerVersion, created, newFeatures);
  }

  /** The same of a whole snapshot. */
  public Prologue withoutParent() {
    return with(Optional.empty());
  }

  private Prologue with(Optional<Parent> newParent) {
    return new Prologue(major, minor, id, newParent, producer, producerVersion, created, features);
  }
}

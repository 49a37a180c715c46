package io.vmm4j.snapshot;

import com.sun.management.ThreadMXBean;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.SnapshotResolver;
import io.vmm4j.api.state.RecordSchema;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * What is done with bytes from anybody. Each target may throw a {@link SnapshotException} and
 * nothing else, whatever the bytes are.
 */
final class FuzzTargets {

  /** Small, so that what a file can make a reader allocate is seen. */
  static final SnapshotLimits LIMITS =
      new SnapshotLimits(MemorySize.mebibytes(2), 1000, MemorySize.mebibytes(1));

  /** The name, in the corpus, of the snapshot that the delta there has as its parent. */
  static final String PARENT = "delta-parent";

  private static final SnapshotResolver PARENTS =
      (id, memorySha256) ->
          Objects.requireNonNull(
              FuzzTargets.class.getResourceAsStream("corpus/" + PARENT + ".vmm"));

  /** What a target does. */
  @FunctionalInterface
  interface Target {
    void run(byte[] bytes) throws IOException;
  }

  /** Every target by name. */
  static final Map<String, Target> ALL = all();

  /** What a target may allocate on the heap, whatever the bytes say; the limits are a megabyte. */
  private static final long MOST_BYTES = 256L << 20;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /** A machine's memory, for a moment. */
  private static final class HeapMemory implements MemorySink, AutoCloseable {
    private final Arena arena = Arena.ofConfined();
    private final Map<String, MemorySegment> regions = new LinkedHashMap<>();
    private List<MachineDescription.Region> described = List.of();

    @Override
    public Map<String, MemorySegment> allocate(MachineDescription machine) {
      described = machine.regions();
      described.forEach(region ->
          regions.put(region.name(), arena.allocate(region.bytes(), SnapshotFormat.PAGE_BYTES)));
      return regions;
    }

    /** The digest of what is in it; absent if there is no memory yet. */
    Optional<MemoryDigest> digest() throws IOException {
      return described.isEmpty()
          ? Optional.empty()
          : Optional.of(
              MemoryDigest.compute(described, name -> MemorySource.of(regions.get(name))));
    }

    @Override
    public void close() {
      arena.close();
    }
  }

  private FuzzTargets() {}

  private static Map<String, Target> all() {
    Map<String, Target> targets = new LinkedHashMap<>();
    targets.put("reader", FuzzTargets::reader);
    targets.put("mapped", FuzzTargets::mapped);
    targets.put("inspector", FuzzTargets::inspector);
    targets.put("upgrade", FuzzTargets::upgrade);
    return targets;
  }

  /**
   * Runs a target.
   *
   * @param what the bytes are, for the message
   * @throws AssertionError if it throws what it may not, or allocates more than it may
   */
  static void attack(String target, byte[] bytes, String what) {
    // What loads classes, or instruments them, allocates too, but not the second time.
    if (allocated(target, bytes, what) > MOST_BYTES) {
      long again = allocated(target, bytes, what);
      if (again > MOST_BYTES) {
        throw new AssertionError(
            "target '%s' allocated %d bytes, %s".formatted(target, again, what));
      }
    }
  }

  private static long allocated(String target, byte[] bytes, String what) {
    long before = THREADS.getCurrentThreadAllocatedBytes();
    try {
      Objects.requireNonNull(ALL.get(target)).run(bytes);
    } catch (SnapshotException e) {
      if (e.getMessage().isBlank()) {
        throw new AssertionError("no message: target '%s', %s".formatted(target, what), e);
      }
    } catch (Throwable e) {
      throw new AssertionError("target '%s', %s".formatted(target, what), e);
    }
    return THREADS.getCurrentThreadAllocatedBytes() - before;
  }

  /**
   * The snapshot of a file of parts, with the digest of its memory put right as far as it can be
   * read; any other bytes are taken as a snapshot themselves.
   */
  static byte[] mended(byte[] input) throws IOException {
    Optional<SnapshotParts> parts = SnapshotParts.parse(input);
    if (parts.isEmpty()) {
      return input;
    }
    byte[] snapshot = parts.get().snapshot();
    try (HeapMemory memory = new HeapMemory()) {
      try {
        new SnapshotReader(new ByteArrayInputStream(snapshot), LIMITS).read(memory, PARENTS);
        return snapshot;
      } catch (SnapshotException.Corrupt e) {
        return e.getMessage().contains("the footer states")
            ? memory.digest().map(parts.get()::snapshot).orElse(snapshot)
            : snapshot;
      } catch (SnapshotException e) {
        return snapshot;
      }
    }
  }

  /** The first phase of a restore. */
  static void reader(byte[] bytes) throws IOException {
    try (HeapMemory memory = new HeapMemory()) {
      SnapshotPlan plan =
          new SnapshotReader(new ByteArrayInputStream(bytes), LIMITS).read(memory, PARENTS);
      plan.requireState("vcpu", "vcpu/0").decode(MachineSchemas.CPU);
    }
  }

  /** The same of a file that is mapped, and the memory as it is then. */
  static void mapped(byte[] bytes) throws IOException {
    // Nothing else is mapped, and to write each file would take long.
    if (!new SnapshotReader(new ByteArrayInputStream(bytes), LIMITS)
        .prologue()
        .features()
        .contains(SnapshotFormat.MAPPED)) {
      return;
    }
    Path file = Files.createTempFile("vmm4j-fuzz-", ".vmm");
    try {
      Files.write(file, bytes);
      try (MappedSnapshot snapshot = MappedSnapshot.open(file, LIMITS).orElseThrow();
          Arena arena = Arena.ofShared()) {
        MemorySegment image = snapshot.mapPrivately(arena).orElseThrow();
        for (MachineDescription.Region region : snapshot.plan().machine().regions()) {
          MemorySegment memory =
              image.asSlice(snapshot.regionOffset(region.name()), region.bytes());
          memory.fill((byte) 1);
          snapshot.source(region.name()).size();
        }
      }
    } finally {
      Files.delete(file);
    }
  }

  /** Everything an inspector tells. */
  static void inspector(byte[] bytes) throws IOException {
    try (SnapshotInspector snapshot =
        SnapshotInspector.read(new ByteArrayInputStream(bytes), LIMITS, PARENTS)) {
      if (!snapshot.whole()) {
        snapshot.memoryMap();
        snapshot.machine();
        return;
      }
      for (SnapshotInspector.MemoryRange range : snapshot.memoryMap()) {
        snapshot.read(range.guestPhysicalAddress(), (int) Math.min(range.length(), 8192));
        snapshot.read(range.end() - 1, 1);
      }
      snapshot.machine().regions().stream()
          .limit(2)
          .forEach(region -> snapshot.pageDigests(region.name()));
      snapshot.devices();
      if (!SnapshotDifference.between(snapshot, snapshot).isEmpty()) {
        throw new IllegalStateException("a snapshot differs from itself");
      }
      if (snapshot.state("vcpu", "vcpu/0").isPresent()) {
        snapshot.vcpu(0);
      }
    }
  }

  /** The rewriting of a file. */
  static void upgrade(byte[] bytes) throws IOException {
    SnapshotUpgrade.Schemas none =
        new SnapshotUpgrade.Schemas() {
          @Override
          public Optional<RecordSchema<?>> state(String deviceType) {
            return Optional.empty();
          }

          @Override
          public Optional<RecordSchema<?>> configuration(String deviceType) {
            return Optional.empty();
          }
        };
    SnapshotUpgrade.copy(
        new ByteArrayInputStream(bytes), OutputStream.nullOutputStream(), LIMITS, none);
  }
}

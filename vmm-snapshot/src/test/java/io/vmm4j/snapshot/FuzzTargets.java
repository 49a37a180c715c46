package io.vmm4j.snapshot;

import io.vmm4j.api.MemorySize;
import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.SnapshotResolver;
import io.vmm4j.api.state.RecordSchema;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.LinkedHashMap;
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

  private FuzzTargets() {}

  private static Map<String, Target> all() {
    Map<String, Target> targets = new LinkedHashMap<>();
    targets.put("reader", FuzzTargets::reader);
    targets.put("inspector", FuzzTargets::inspector);
    targets.put("upgrade", FuzzTargets::upgrade);
    return targets;
  }

  /** The first phase of a restore. */
  static void reader(byte[] bytes) throws IOException {
    try (ScratchMemory memory = new ScratchMemory()) {
      SnapshotPlan plan =
          new SnapshotReader(new ByteArrayInputStream(bytes), LIMITS).read(memory, PARENTS);
      plan.requireState("vcpu", "vcpu/0").decode(MachineSchemas.CPU);
    }
  }

  /** Everything an inspector tells. */
  static void inspector(byte[] bytes) throws IOException {
    try (SnapshotInspector snapshot =
        SnapshotInspector.read(new ByteArrayInputStream(bytes), LIMITS, PARENTS)) {
      for (SnapshotInspector.MemoryRange range : snapshot.memoryMap()) {
        if (snapshot.whole()) {
          snapshot.read(range.guestPhysicalAddress(), (int) Math.min(range.length(), 8192));
          snapshot.read(range.end() - 1, 1);
        }
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

package io.vmm4j.snapshot;

import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.SnapshotResolver;
import java.io.IOException;
import java.io.InputStream;

/**
 * Makes one whole snapshot of a delta and its parents: of the same id, the same memory and the same
 * digest of it, so that deltas to it go on working. A whole snapshot is packed anew in the same
 * way, in another compression or layout.
 *
 * {@snippet :
 * try (InputStream in = Files.newInputStream(delta);
 *     SnapshotWriter writer = new SnapshotWriter(out, SnapshotCompression.FAST)) {
 *   SnapshotFlattener.flatten(in, parents, SnapshotLimits.standard(), writer);
 * }
 * }
 */
public final class SnapshotFlattener {
  private SnapshotFlattener() {}

  /**
   * Reads a snapshot with its parents, and then writes it. The memory is in a sparse temporary file
   * meanwhile.
   *
   * @param newest the snapshot; read to its end and not closed
   * @param parents opens the parents, each as {@link SnapshotReader#read(MemorySink,
   *     SnapshotResolver)} says; never called for a whole snapshot
   * @param writer a new writer; it is finished and not closed
   * @return the digest of what was written
   * @throws SnapshotException if the snapshot or a parent can't be read; nothing was written then
   * @throws IOException if a stream fails, or there is no room for the memory
   */
  public static SnapshotDigest flatten(
      InputStream newest, SnapshotResolver parents, SnapshotLimits limits, SnapshotWriter writer)
      throws IOException {
    try (ScratchMemory memory = new ScratchMemory()) {
      SnapshotPlan plan =
          memory.fill(() -> new SnapshotReader(newest, limits).read(memory, parents));
      return write(plan, memory, writer);
    }
  }

  private static SnapshotDigest write(
      SnapshotPlan plan, ScratchMemory memory, SnapshotWriter writer) throws IOException {
    writer.keep(plan.leftovers());
    writer.prologue(plan.prologue().withoutParent());
    writer.machine(plan.machine());
    for (StateChunk state : plan.states()) {
      writer.state(state);
    }
    for (MappingState mapping : plan.mappings()) {
      writer.mapping(mapping);
    }
    for (MachineDescription.Region region : plan.machine().regions()) {
      writer.memory(region.name(), memory.source(region.name()));
    }
    return writer.finish();
  }
}

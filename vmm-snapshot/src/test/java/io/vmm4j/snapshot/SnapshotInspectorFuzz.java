package io.vmm4j.snapshot;

import java.io.IOException;

/**
 * A target for fuzzing: what looks into a snapshot and its memory ends with a result or a typed
 * error, whatever the bytes are. {@code ./fuzz inspector} lets Jazzer look for exceptions to that;
 * {@link SnapshotFuzzTest} repeats what it has tried.
 */
public final class SnapshotInspectorFuzz {
  private SnapshotInspectorFuzz() {}

  /** A snapshot, or a file of parts ({@link SnapshotParts}). Called by Jazzer. */
  public static void fuzzerTestOneInput(byte[] input) throws IOException {
    byte[] snapshot = FuzzTargets.mended(input);
    FuzzTargets.attack("inspector", snapshot, "an input of the fuzzer");
  }
}

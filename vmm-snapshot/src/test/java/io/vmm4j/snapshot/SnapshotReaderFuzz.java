package io.vmm4j.snapshot;

import java.io.IOException;

/**
 * A target for fuzzing: what reads a snapshot, maps it or rewrites it ends with a result or a typed
 * error, whatever the bytes are. {@code ./fuzz reader} lets Jazzer look for exceptions to that;
 * {@link SnapshotFuzzTest} repeats what it has tried.
 */
public final class SnapshotReaderFuzz {
  private SnapshotReaderFuzz() {}

  /** A snapshot, or a file of parts ({@link SnapshotParts}). Called by Jazzer. */
  public static void fuzzerTestOneInput(byte[] input) throws IOException {
    byte[] snapshot = FuzzTargets.mended(input);
    FuzzTargets.attack("reader", snapshot, "an input of the fuzzer");
    FuzzTargets.attack("mapped", snapshot, "an input of the fuzzer");
    FuzzTargets.attack("upgrade", snapshot, "an input of the fuzzer");
  }
}

package io.vmm4j.cli;

import io.vmm4j.api.SaveOptions;
import io.vmm4j.api.SnapshotCompression;
import io.vmm4j.api.SnapshotLayout;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How a snapshot stores its memory. */
final class PackOptions {

  /** Compression, as the command line names it. */
  enum Packing {
    none(SnapshotCompression.NONE),
    fast(SnapshotCompression.FAST),
    small(SnapshotCompression.SMALL);

    private final SnapshotCompression compression;

    Packing(SnapshotCompression compression) {
      this.compression = compression;
    }
  }

  /** How the memory lies in the file. */
  enum Layout {
    stream,
    mapped
  }

  @Option(
      names = "--compression",
      paramLabel = "HOW",
      description = "How memory is compressed: ${COMPLETION-CANDIDATES} (default: fast).")
  @Nullable Packing compression;

  @Option(
      names = "--layout",
      paramLabel = "HOW",
      description =
          "How memory lies in the file: ${COMPLETION-CANDIDATES} (default: stream). A mapped one is"
              + " not compressed, and is mapped instead of read when it is restored from its path.")
  @Nullable Layout layout;

  /** Whether one of them is given. */
  boolean given() {
    return compression != null || layout != null;
  }

  /** Refuses what can't be had together. */
  void check() {
    if (layout == Layout.mapped && compression != null && compression != Packing.none) {
      throw new UsageException("--layout mapped is not compressed: leave --compression out");
    }
  }

  /** What is chosen, or else usual. */
  SaveOptions chosen() {
    SaveOptions chosen = SaveOptions.standard();
    if (compression != null) {
      chosen = chosen.packed(compression.compression);
    }
    return layout == Layout.mapped ? chosen.mapped() : chosen;
  }

  /** Whether it is to be in the mapped layout. */
  boolean mapped() {
    return chosen().layout() == SnapshotLayout.MAPPED;
  }
}

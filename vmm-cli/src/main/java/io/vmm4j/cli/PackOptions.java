package io.vmm4j.cli;

import io.vmm4j.api.SnapshotCompression;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.SnapshotResolver;
import io.vmm4j.snapshot.AtomicFileWriter;
import io.vmm4j.snapshot.SnapshotFlattener;
import io.vmm4j.snapshot.SnapshotWriter;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How a snapshot that is written anew stores its memory. */
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

  @Option(
      names = {"-o", "--output"},
      required = true,
      paramLabel = "OUT",
      description = "Where the new file goes. One of that name is replaced, as a whole.")
  Path output = Path.of("");

  /** Refuses what can't be had together. */
  void check() {
    if (layout == Layout.mapped && compression != null && compression != Packing.none) {
      throw new UsageException("--layout mapped is not compressed: leave --compression out");
    }
  }

  /** Writes a snapshot and what it has of its parents as one whole file. */
  void write(Path file, SnapshotResolver parents, Messages messages) throws IOException {
    AtomicFileWriter.Contents contents =
        out -> {
          try (InputStream in = SnapshotFile.open(file, "reading", messages);
              SnapshotWriter writer = writer(out)) {
            SnapshotFlattener.flatten(in, parents, SnapshotLimits.standard(), writer);
          }
        };
    if (layout == Layout.mapped) {
      AtomicFileWriter.writeSparse(output, contents);
    } else {
      AtomicFileWriter.write(output, contents);
    }
    messages.endProgress();
  }

  private SnapshotWriter writer(OutputStream out) {
    return layout == Layout.mapped
        ? SnapshotWriter.mapped(out)
        : new SnapshotWriter(
            out, Optional.ofNullable(compression).orElse(Packing.fast).compression);
  }
}

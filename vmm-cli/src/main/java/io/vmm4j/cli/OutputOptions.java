package io.vmm4j.cli;

import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.SnapshotResolver;
import io.vmm4j.snapshot.AtomicFileWriter;
import io.vmm4j.snapshot.SnapshotFlattener;
import io.vmm4j.snapshot.SnapshotWriter;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The file of a snapshot that is written anew. */
final class OutputOptions {
  @Mixin PackOptions pack = new PackOptions();

  @Option(
      names = {"-o", "--output"},
      required = true,
      paramLabel = "OUT",
      description = "Where the new file goes. One of that name is replaced, as a whole.")
  Path output = Path.of("");

  /** Writes a snapshot and what it has of its parents as one whole file. */
  void write(Path file, SnapshotResolver parents, Messages messages) throws IOException {
    AtomicFileWriter.Contents contents =
        out -> {
          try (InputStream in = SnapshotFile.open(file, "reading", messages);
              SnapshotWriter writer = writer(out)) {
            SnapshotFlattener.flatten(in, parents, SnapshotLimits.standard(), writer);
          }
        };
    if (pack.mapped()) {
      AtomicFileWriter.writeSparse(output, contents);
    } else {
      AtomicFileWriter.write(output, contents);
    }
    messages.endProgress();
  }

  private SnapshotWriter writer(OutputStream out) {
    return pack.mapped()
        ? SnapshotWriter.mapped(out)
        : new SnapshotWriter(out, pack.chosen().compression());
  }
}

package io.vmm4j.cli;

import io.vmm4j.api.SnapshotResolver;
import io.vmm4j.snapshot.FileResolver;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** Where the parents of a delta are: files that are named, and those beside the delta. */
final class ParentOptions {
  @Option(
      names = "--parent",
      paramLabel = "FILE",
      description =
          "A parent of a delta; may be given several times. Parents that are not given are looked"
              + " for by their id in the directory of FILE.")
  List<Path> files = new ArrayList<>();

  /** A resolver that looks among the files given, such as for a delta that is no file. */
  SnapshotResolver given() {
    return FileResolver.of(files);
  }

  /** A resolver that looks first among the files given, then beside a delta. */
  SnapshotResolver beside(Path delta) {
    List<Path> places = new ArrayList<>(files);
    Path directory = delta.toAbsolutePath().getParent();
    if (directory != null) {
      places.add(directory);
    }
    return FileResolver.of(places);
  }
}

package io.vmm4j.cli;

import io.vmm4j.api.SnapshotResolver;
import io.vmm4j.snapshot.FileResolver;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
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
  SnapshotResolver given() throws IOException {
    check();
    return FileResolver.of(files);
  }

  /** A resolver that looks first among the files given, then beside a delta. */
  SnapshotResolver beside(Path delta) throws IOException {
    check();
    List<Path> places = new ArrayList<>(files);
    Path directory = delta.toAbsolutePath().getParent();
    if (directory != null) {
      places.add(directory);
    }
    return FileResolver.of(places);
  }

  /**
   * Makes sure that files that are named are there, whether or not a parent is needed.
   *
   * @throws NoSuchFileException if one is not
   */
  void check() throws IOException {
    for (Path file : files) {
      if (Files.notExists(file)) {
        throw new NoSuchFileException(file.toString(), null, "no such file for --parent");
      }
    }
  }
}

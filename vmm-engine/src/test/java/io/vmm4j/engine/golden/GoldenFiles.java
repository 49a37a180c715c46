package io.vmm4j.engine.golden;

import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The golden snapshots: a directory for each version of the format that was released. */
final class GoldenFiles {
  private static final String EXTENSION = ".vmm";

  private GoldenFiles() {}

  /** All of every version. */
  static List<Path> all() throws IOException {
    try (Stream<Path> files = Files.walk(directory())) {
      return files.filter(file -> file.toString().endsWith(EXTENSION)).sorted().toList();
    }
  }

  /** One of a version. */
  static Path file(String version, String name) {
    return directory().resolve(version).resolve(name + EXTENSION);
  }

  private static Path directory() {
    URL program = GoldenFiles.class.getResource("everything.hex");
    if (program == null) {
      throw new IllegalStateException("the golden files are not on the class path");
    }
    try {
      return Path.of(program.toURI()).resolveSibling("");
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}

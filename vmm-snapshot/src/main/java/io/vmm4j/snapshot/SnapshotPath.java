package io.vmm4j.snapshot;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Paths of snapshots that are read. Safe for use from any thread. */
public final class SnapshotPath {
  private SnapshotPath() {}

  /**
   * Opens a snapshot as a stream, unbuffered.
   *
   * @throws java.nio.file.NoSuchFileException if there is none
   * @throws FileSystemException if it is a directory, which Java would open, and whose first read
   *     would fail without its name
   */
  public static InputStream open(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      throw new FileSystemException(path.toString(), null, "is a directory, not a snapshot");
    }
    return Files.newInputStream(path);
  }
}

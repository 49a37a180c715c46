package io.vmm4j.cli;

import io.vmm4j.snapshot.SnapshotPath;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** A snapshot's file as a stream that shows how far it was read. */
final class SnapshotFile {
  private static final int BUFFER_BYTES = 1 << 18;

  private SnapshotFile() {}

  /**
   * Opens a file.
   *
   * @param doing what is done with it, such as {@code reading}
   */
  static InputStream open(Path file, String doing, Messages messages) throws IOException {
    InputStream bytes = SnapshotPath.open(file);
    return new BufferedInputStream(
        new ProgressInputStream(bytes, doing, Files.size(file), messages), BUFFER_BYTES);
  }
}

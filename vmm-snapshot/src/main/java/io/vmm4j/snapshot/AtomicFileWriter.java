package io.vmm4j.snapshot;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/**
 * Replaces a file as a whole: at any moment there is the old one or the complete new one, and once
 * {@link #write} has returned the new one outlives a power failure.
 */
public final class AtomicFileWriter {

  /** What writes the contents. */
  @FunctionalInterface
  public interface Contents {
    /** Writes everything; need not flush or close. */
    void writeTo(OutputStream out) throws IOException;
  }

  private AtomicFileWriter() {}

  /**
   * Writes a file: to a temporary one beside it, which is made durable and renamed. If that fails
   * at any point, the temporary file is gone and the old one is as it was. A target that is there
   * and is no regular file, such as a pipe, is written to directly; a symbolic link is followed.
   */
  public static void write(Path target, Contents contents) throws IOException {
    write(target, contents, false);
  }

  /**
   * The same, but that whole pages of zeros become holes, which take no room where the file system
   * has them. For the mapped layout.
   */
  public static void writeSparse(Path target, Contents contents) throws IOException {
    write(target, contents, true);
  }

  private static void write(Path target, Contents contents, boolean sparse) throws IOException {
    if (Files.exists(target) && !Files.isRegularFile(target)) {
      try (OutputStream out = Files.newOutputStream(target, StandardOpenOption.WRITE)) {
        contents.writeTo(out);
      }
      return;
    }
    Path file = Files.exists(target) ? target.toRealPath() : target.toAbsolutePath();
    Path temporary =
        file.resolveSibling("." + file.getFileName() + "." + UUID.randomUUID() + ".tmp");
    boolean renamed = false;
    try {
      try (FileChannel channel =
          FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        if (sparse) {
          SparseOutput out = new SparseOutput(channel);
          contents.writeTo(out);
          out.end();
        } else {
          OutputStream out = Channels.newOutputStream(channel);
          contents.writeTo(out);
          out.flush();
        }
        channel.force(true);
      }
      Files.move(
          temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      renamed = true;
    } finally {
      if (!renamed) {
        Files.deleteIfExists(temporary);
      }
    }
    Path directory = file.getParent();
    if (directory != null) {
      // The rename itself is durable only with the directory.
      try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
        channel.force(true);
      }
    }
  }
}

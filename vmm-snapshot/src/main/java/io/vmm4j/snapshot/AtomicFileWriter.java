package io.vmm4j.snapshot;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

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
   *
   * <p>A new file may be read and written by its owner alone. One that is replaced keeps its mode,
   * owner and group. Where this process may not set the group, the group's rights are dropped. The
   * temporary file is the owner's alone. It is removed when a signal ends the JVM; if nothing could
   * do that, as after SIGKILL, the next call for the same file removes it.
   *
   * @throws java.nio.file.FileSystemException if the old file is another user's and this process
   *     may not make the new one so; before anything is written
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
    try (TemporaryFile temporary = TemporaryFile.beside(file)) {
      FileChannel channel = temporary.channel();
      if (sparse) {
        SparseOutput out = new SparseOutput(channel);
        contents.writeTo(out);
        out.end();
      } else {
        OutputStream out = Channels.newOutputStream(channel);
        contents.writeTo(out);
        out.flush();
      }
      temporary.replaceTarget();
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

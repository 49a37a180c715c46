package io.vmm4j.snapshot;

import io.vmm4j.api.device.PositionedOutput;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
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
   * @throws java.nio.file.FileSystemException if it can't be written; it names the file. Before
   *     anything is written, if {@link #check} would throw. What the contents throw is passed on as
   *     it is
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

  /**
   * Finds what would keep a file from being written, such as a missing directory or one that this
   * process may not write to. Leaves nothing behind. For whoever writes much later, and wants to
   * know now.
   *
   * @throws NoSuchFileException if its directory is missing
   * @throws java.nio.file.FileSystemException if it can't be written, or the old file is another
   *     user's and this process may not make the new one so
   */
  public static void check(Path target) throws IOException {
    if (isSpecial(target)) {
      refuseDirectory(target); // a pipe can't be opened before there is a reader
      if (!Files.isWritable(target)) {
        throw new AccessDeniedException(target.toString());
      }
      return;
    }
    TemporaryFile.beside(file(target)).close();
  }

  private static boolean isSpecial(Path target) {
    return Files.exists(target) && !Files.isRegularFile(target);
  }

  private static void refuseDirectory(Path target) throws FileSystemException {
    if (Files.isDirectory(target)) {
      throw new FileSystemException(target.toString(), null, "is a directory, not a file");
    }
  }

  /** The file itself, behind any links. */
  private static Path file(Path target) throws IOException {
    Path file = Files.exists(target) ? target.toRealPath() : target.toAbsolutePath();
    Path directory = file.getParent();
    if (directory == null || !Files.isDirectory(directory)) {
      throw new NoSuchFileException(
          target.toString(), null, "there is no directory " + directory + " for it");
    }
    return file;
  }

  /**
   * The same for contents that are written in any order. A target that is there and is no regular
   * file is refused.
   */
  public static void writePositioned(Path target, PositionedOutput.Contents contents)
      throws IOException {
    if (isSpecial(target)) {
      refuseDirectory(target);
      throw new FileSystemException(target.toString(), null, "is no regular file");
    }
    replace(target, channel -> contents.writeTo(new PositionedFile(target, channel)));
  }

  /** Writes to the channel of a temporary file. */
  private interface ChannelContents {
    void writeTo(FileChannel channel) throws IOException;
  }

  private static void replace(Path target, ChannelContents contents) throws IOException {
    Path file = file(target);
    try (TemporaryFile temporary = TemporaryFile.beside(file)) {
      contents.writeTo(temporary.channel());
      NamedOutput.named(target, temporary::replaceTarget);
    }
    // The rename itself is durable only with the directory.
    try (FileChannel channel = FileChannel.open(file.getParent(), StandardOpenOption.READ)) {
      NamedOutput.named(target, () -> channel.force(true));
    }
  }

  private static void write(Path target, Contents contents, boolean sparse) throws IOException {
    if (isSpecial(target)) {
      refuseDirectory(target);
      try (OutputStream out = Files.newOutputStream(target, StandardOpenOption.WRITE)) {
        contents.writeTo(new NamedOutput(target, out));
      }
      return;
    }
    replace(
        target,
        channel -> {
          if (sparse) {
            SparseOutput out = new SparseOutput(channel);
            contents.writeTo(new NamedOutput(target, out));
            NamedOutput.named(target, out::end);
          } else {
            contents.writeTo(new NamedOutput(target, Channels.newOutputStream(channel)));
          }
        });
  }
}

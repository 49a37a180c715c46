package io.vmm4j.snapshot;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.AsynchronousCloseException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;

/**
 * Output to a file, whose failures name the file. The operating system's reason for a failed write,
 * such as "No space left on device", comes without a name.
 */
final class NamedOutput extends OutputStream {
  private final Path file;
  private final OutputStream out;

  NamedOutput(Path file, OutputStream out) {
    this.file = file;
    this.out = out;
  }

  /** Something that is done with a file. */
  @FunctionalInterface
  interface Action {
    /** Does it. */
    void run() throws IOException;
  }

  /**
   * Does something, and names the file if that fails. An exception that says more than a reason
   * stays as it is: one that has a file's name, and one of an interrupted thread.
   */
  static void named(Path file, Action action) throws IOException {
    try {
      action.run();
    } catch (FileSystemException | AsynchronousCloseException e) {
      throw e;
    } catch (IOException e) {
      String reason = e.getMessage();
      FileSystemException named =
          new FileSystemException(file.toString(), null, reason == null ? e.toString() : reason);
      named.initCause(e);
      throw named;
    }
  }

  @Override
  public void write(int b) throws IOException {
    named(file, () -> out.write(b));
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    named(file, () -> out.write(bytes, offset, length));
  }

  @Override
  public void flush() throws IOException {
    named(file, out::flush);
  }
}

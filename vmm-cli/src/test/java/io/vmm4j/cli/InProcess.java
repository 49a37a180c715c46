package io.vmm4j.cli;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** Runs command lines in this process, without a terminal, and keeps what they say. */
final class InProcess {
  final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  /**
   * Runs a command line.
   *
   * @param input what is on standard input
   * @return the exit code
   */
  int run(byte[] input, String... args) {
    return run(new ByteArrayInputStream(input), args);
  }

  /** The same with any stream on standard input. */
  int run(InputStream input, String... args) {
    Streams streams =
        new Streams(input, out, new PrintStream(err, true, StandardCharsets.UTF_8), false, false);
    return new Main(streams).execute(args);
  }

  /** What all of them have said on standard error. */
  String errors() {
    return err.toString(StandardCharsets.UTF_8);
  }
}

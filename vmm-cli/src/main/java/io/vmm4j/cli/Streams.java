package io.vmm4j.cli;

import io.vmm4j.api.PrintableText;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * The process's own streams, unbuffered: a guest's output is seen byte by byte.
 *
 * @param in standard input
 * @param out standard output
 * @param err standard error
 * @param inputIsTerminal whether somebody types at standard input
 * @param errorIsTerminal whether somebody watches standard error
 */
record Streams(
    InputStream in,
    OutputStream out,
    PrintStream err,
    boolean inputIsTerminal,
    boolean errorIsTerminal) {

  /** Names those of the descriptors 0, 1 and 2 that are terminals; ./vmm asks the shell. */
  private static final String TERMINALS = "vmm4j.terminals";

  /** Writes what a command has to say to standard output: of it nothing can steer a terminal. */
  void print(String text) throws IOException {
    out.write(PrintableText.of(text).getBytes(StandardCharsets.UTF_8));
  }

  /** Those of this process. */
  static Streams ofProcess() {
    List<String> terminals = Arrays.asList(System.getProperty(TERMINALS, "").split(","));
    return new Streams(
        new FileInputStream(FileDescriptor.in),
        new FileOutputStream(FileDescriptor.out),
        System.err,
        terminals.contains("0"),
        terminals.contains("2"));
  }
}

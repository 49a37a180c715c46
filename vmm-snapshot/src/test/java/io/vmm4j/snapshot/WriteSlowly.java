package io.vmm4j.snapshot;

import java.nio.file.Path;

/** A process that writes a file, says so, and then waits for input before it ends the writing. */
final class WriteSlowly {
  private WriteSlowly() {}

  /** Writes the file that is named. */
  public static void main(String[] arguments) throws Exception {
    AtomicFileWriter.write(
        Path.of(arguments[0]),
        out -> {
          out.write("of another process".getBytes());
          System.out.println("writing");
          System.in.read();
        });
  }

  /** Starts such a process, which is in the midst of writing when this returns. */
  static Process start(Path target) throws Exception {
    Process process =
        // A shell's background jobs ignore signals, and so would what they start.
        new ProcessBuilder(
                "env",
                "--default-signal=INT,HUP,TERM",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                classPath(),
                WriteSlowly.class.getName(),
                target.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    if (!"writing".equals(process.inputReader().readLine())) {
      throw new IllegalStateException("it did not begin to write");
    }
    return process;
  }

  /** Of the tests, whichever way they are run. */
  private static String classPath() {
    return String.join(
        java.io.File.pathSeparator,
        System.getProperty("java.class.path", ""),
        System.getProperty("jdk.module.path", ""),
        location(WriteSlowly.class),
        location(AtomicFileWriter.class));
  }

  private static String location(Class<?> type) {
    return Path.of(
            java.net.URI.create(
                type.getProtectionDomain().getCodeSource().getLocation().toString()))
        .toString();
  }
}

package io.vmm4j.gdb;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Assumptions;

/** Debian's gdb, with commands given beforehand; the test is skipped where it is absent. */
final class Gdb implements AutoCloseable {
  private static final Path PROGRAM = Path.of("/usr/bin/gdb");

  /** How long it waits for an answer before it asks again: an emulated host is slow. */
  private static final String ANSWER_SECONDS = "60";

  private final Process process;
  private final BufferedReader out;
  private final StringBuilder said = new StringBuilder();

  private Gdb(Process process) {
    this.process = process;
    this.out =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
  }

  /** The command that connects it. */
  static String remote(GdbServer server) {
    return "target remote 127.0.0.1:" + ((InetSocketAddress) server.address()).getPort();
  }

  /** Starts it with commands, after which it ends. */
  static Gdb start(List<String> commands) throws IOException {
    if (!Files.isExecutable(PROGRAM)) {
      String reason = PROGRAM + " is absent: apt-get install gdb";
      System.out.println("SKIPPED: " + reason);
      Assumptions.abort(reason);
    }
    List<String> line =
        new ArrayList<>(List.of(PROGRAM.toString(), "-nx", "-batch", "-l", ANSWER_SECONDS));
    for (String command : commands) {
      line.add("-ex");
      line.add(command);
    }
    ProcessBuilder builder = new ProcessBuilder(line).redirectErrorStream(true);
    builder.environment().put("DEBUGINFOD_URLS", "");
    builder.redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
    return new Gdb(builder.start());
  }

  /** Waits until it has done something to the machine; what it says may be held back in a pipe. */
  void await(BooleanSupplier done) throws IOException, InterruptedException {
    while (!done.getAsBoolean()) {
      if (!process.isAlive()) {
        throw new AssertionError("gdb has ended too early:\n" + end());
      }
      Thread.onSpinWait();
    }
  }

  /** All it has said, once it has ended. */
  String end() throws IOException, InterruptedException {
    String line = out.readLine();
    while (line != null) {
      said.append(line).append('\n');
      line = out.readLine();
    }
    process.waitFor(1, TimeUnit.MINUTES);
    return said.toString();
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}

package io.vmm4j.cli;

import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** How to start this program once more. */
final class Launcher {
  /** Names the script that starts this program. */
  static final String PROPERTY = "vmm4j.launcher";

  /** When the script started the JVM, in microseconds since 1970. */
  private static final String STARTED = "vmm4j.started";

  private Launcher() {}

  /** When this JVM was started; now, if the script did not say so. */
  static Instant started() {
    return Optional.ofNullable(Long.getLong(STARTED))
        .map(micros -> Instant.EPOCH.plus(micros, ChronoUnit.MICROS))
        .orElseGet(Instant::now);
  }

  /** The command line of another process of this program. */
  static List<String> command(String... arguments) {
    List<String> command = new ArrayList<>();
    String script = System.getProperty(PROPERTY, "");
    if (!script.isEmpty()) {
      command.add(script);
    } else {
      command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
      String modules = System.getProperty("jdk.module.path", "");
      if (modules.isEmpty()) {
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
      } else {
        command.addAll(
            List.of("--module-path", modules, "-m", "io.vmm4j.cli/" + Main.class.getName()));
      }
    }
    command.addAll(List.of(arguments));
    return command;
  }
}

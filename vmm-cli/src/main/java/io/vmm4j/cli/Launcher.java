package io.vmm4j.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** How to start this program once more. */
final class Launcher {
  /** Names the script that starts this program. */
  static final String PROPERTY = "vmm4j.launcher";

  private Launcher() {}

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

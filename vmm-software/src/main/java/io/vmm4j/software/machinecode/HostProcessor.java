package io.vmm4j.software.machinecode;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What the host's processor can execute, as Linux tells. */
final class HostProcessor {
  /** What emitted code takes for granted: the guest's SSE to SSE4.2, LAHF, CMPXCHG16B, POPCNT. */
  private static final List<String> NEEDED =
      List.of("sse2", "pni", "ssse3", "sse4_1", "sse4_2", "popcnt", "cx16", "lahf_lm");

  private static final Path CPU_INFO = Path.of("/proc/cpuinfo");

  /** They do not change while a JVM runs, and every fork of a machine asks. */
  private static final List<String> MISSING = read();

  private HostProcessor() {}

  /** The features that are needed and not there, by Linux' names. */
  static List<String> missing() {
    return MISSING;
  }

  private static List<String> read() {
    try (var lines = Files.lines(CPU_INFO)) {
      String flags = lines.filter(line -> line.startsWith("flags")).findFirst().orElse("");
      return missing(flags);
    } catch (IOException e) {
      return List.of("the list of its features in " + CPU_INFO);
    }
  }

  /** The same, of a line of /proc/cpuinfo. */
  static List<String> missing(String flags) {
    Set<String> present =
        new HashSet<>(List.of(flags.substring(flags.indexOf(':') + 1).trim().split("\\s+")));
    List<String> missing = new ArrayList<>(NEEDED);
    missing.removeAll(present);
    return missing;
  }
}

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

  /** What code of instructions with VEX takes for granted besides: x86-64-v3. */
  private static final List<String> NEEDED_FOR_VEX =
      List.of("avx", "avx2", "fma", "f16c", "bmi1", "bmi2", "abm", "movbe");

  private static final Path CPU_INFO = Path.of("/proc/cpuinfo");

  /** They do not change while a JVM runs, and every fork of a machine asks. */
  private static final Set<String> PRESENT = read();

  private static final List<String> MISSING =
      PRESENT.isEmpty()
          ? List.of("the list of its features in " + CPU_INFO)
          : missing(NEEDED, PRESENT);
  private static final boolean HAS_VEX = missing(NEEDED_FOR_VEX, PRESENT).isEmpty();

  private HostProcessor() {}

  /** The features that are needed and not there, by Linux' names. */
  static List<String> missing() {
    return MISSING;
  }

  /** Whether machine code may have instructions with VEX. */
  static boolean hasVex() {
    return HAS_VEX;
  }

  private static Set<String> read() {
    try (var lines = Files.lines(CPU_INFO)) {
      return features(lines.filter(line -> line.startsWith("flags")).findFirst().orElse(""));
    } catch (IOException e) {
      return Set.of();
    }
  }

  private static Set<String> features(String flags) {
    return new HashSet<>(List.of(flags.substring(flags.indexOf(':') + 1).trim().split("\\s+")));
  }

  /** The features that are needed and not there, of a line of /proc/cpuinfo. */
  static List<String> missing(String flags) {
    return missing(NEEDED, features(flags));
  }

  private static List<String> missing(List<String> needed, Set<String> present) {
    List<String> missing = new ArrayList<>(needed);
    missing.removeAll(present);
    return missing;
  }
}

package io.vmm4j.software.differential;

import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.api.backend.CpuVendor;
import io.vmm4j.software.oracle.NativeOracle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What the host's processor is like, which is behind all that the software CPU is compared with:
 * its vendor, and which features it has for user code besides the portable ones.
 */
record HostFeatures(CpuVendor vendor, Set<CpuFeature> features) {
  private static final Path CPUINFO = Path.of("/proc/cpuinfo");

  /** This host's. */
  static final HostFeatures PRESENT = read();

  private static HostFeatures read() {
    List<String> flags = List.of(flags().split(" "));
    Set<CpuFeature> features = EnumSet.noneOf(CpuFeature.class);
    List<CpuFeature> wanted = new ArrayList<>(BitCode.FEATURES);
    wanted.addAll(AvxCode.FEATURES);
    for (CpuFeature feature : wanted) {
      boolean present =
          feature == CpuFeature.LZCNT
              ? NativeOracle.hostHasLzcnt()
              : flags.contains(feature.name().toLowerCase(Locale.ROOT));
      if (present) {
        features.add(feature);
      }
    }
    return new HostFeatures(NativeOracle.hostVendor(), features);
  }

  private static String flags() {
    try (Stream<String> lines = Files.lines(CPUINFO)) {
      return lines
          .filter(line -> line.startsWith("flags"))
          .findFirst()
          .map(line -> line.substring(line.indexOf(':') + 1))
          .orElse("");
    } catch (IOException e) {
      return ""; // then there is nothing to compare with
    }
  }

  boolean has(CpuFeature feature) {
    return features.contains(feature);
  }
}

package io.vmm4j.engine.machine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * What machines hold of the host at a moment.
 *
 * @param threads of machines
 * @param openFiles of memory
 * @param mappings of such files
 */
record HostResources(long threads, long openFiles, long mappings) {
  private static final String FILES = "vmm4j-";
  private static final String THREADS = "vmm-machine";

  /** What is held now; where the host has no {@code /proc} only the threads are counted. */
  static HostResources now() throws IOException {
    long threads =
        Thread.getAllStackTraces().keySet().stream()
            .filter(thread -> thread.getName().startsWith(THREADS))
            .count();
    return new HostResources(threads, files(), mapped());
  }

  private static long mapped() throws IOException {
    Path maps = Path.of("/proc/self/maps");
    if (!Files.exists(maps)) {
      return 0;
    }
    try (var lines = Files.lines(maps)) {
      return lines.filter(line -> line.contains(FILES)).count();
    }
  }

  private static long files() throws IOException {
    Path descriptors = Path.of("/proc/self/fd");
    if (!Files.exists(descriptors)) {
      return 0;
    }
    long count = 0;
    try (var entries = Files.newDirectoryStream(descriptors)) {
      for (Path entry : entries) {
        if (leadsToOurs(entry)) {
          count++;
        }
      }
    }
    return count;
  }

  private static boolean leadsToOurs(Path descriptor) throws IOException {
    try {
      return Files.readSymbolicLink(descriptor).toString().contains(FILES);
    } catch (NoSuchFileException e) {
      // Closed meanwhile: that of the listing itself.
      return false;
    }
  }
}

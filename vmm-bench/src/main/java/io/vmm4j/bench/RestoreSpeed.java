package io.vmm4j.bench;

import io.vmm4j.api.Backends;
import io.vmm4j.api.ResumeOptions;
import io.vmm4j.api.SaveOptions;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.SnapshotCompression;
import io.vmm4j.api.Vm;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;

/**
 * From a file to the guest's first instruction, in a JVM that has done nothing else before: {@code
 * ./bench RestoreSpeed FILE [TIMES]}. The first time is that of a new JVM; with TIMES it is
 * repeated in the same one. {@code ./bench RestoreSpeed make DIRECTORY} boots Linux with 512 MiB
 * and saves it in every form.
 */
public final class RestoreSpeed {
  private RestoreSpeed() {}

  /** Restores or saves, and prints. */
  public static void main(String[] arguments) throws Exception {
    if (arguments[0].equals("make")) {
      make(Path.of(arguments[1]));
      return;
    }
    Instant started = Instant.ofEpochMilli(ManagementFactory.getRuntimeMXBean().getStartTime());
    System.out.printf(
        "JVM started %d ms before%n", Duration.between(started, Instant.now()).toMillis());
    int times = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 1;
    for (int i = 0; i < times; i++) {
      long start = System.nanoTime();
      try (Snapshot snapshot = Snapshot.read(Path.of(arguments[0]))) {
        long read = System.nanoTime();
        try (Vm vm = snapshot.resume(ResumeOptions.standard().on(Backends.software()))) {
          while (vm.metrics().instructions() <= 0) {
            Thread.onSpinWait();
          }
          long now = System.nanoTime();
          System.out.printf(
              "first instruction after %.0f ms: read in %.0f, built and resumed in %.0f%n",
              (now - start) / 1e6, (read - start) / 1e6, (now - read) / 1e6);
        }
      }
    }
  }

  private static void make(Path directory) throws Exception {
    Files.createDirectories(directory);
    try (Vm vm = BootedGuest.boot("saved")) {
      vm.console("com1").sendLine("work 0 4");
      vm.console("com1").expect("work 3 ", BootedGuest.PATIENCE);
      long start = System.nanoTime();
      try (Snapshot snapshot = vm.snapshot()) {
        System.out.printf("captured in %.0f ms%n", (System.nanoTime() - start) / 1e6);
        SaveOptions standard = SaveOptions.standard();
        write(snapshot, directory.resolve("fast.vmm"), standard);
        for (SnapshotCompression compression : SnapshotCompression.values()) {
          String name = compression.name().toLowerCase(java.util.Locale.ROOT) + ".vmm";
          write(snapshot, directory.resolve(name), standard.packed(compression));
        }
        write(snapshot, directory.resolve("mapped.vmm"), standard.mapped());
      }
    }
  }

  private static void write(Snapshot snapshot, Path file, SaveOptions options) throws Exception {
    long start = System.nanoTime();
    snapshot.writeTo(file, options);
    System.out.printf(
        "%s: %d KiB, durable in %.0f ms%n",
        file.getFileName(), Files.size(file) >> 10, (System.nanoTime() - start) / 1e6);
  }
}

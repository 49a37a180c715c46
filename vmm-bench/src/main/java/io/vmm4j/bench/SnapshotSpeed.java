package io.vmm4j.bench;

import io.vmm4j.api.SnapshotCompression;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.snapshot.MachineDescription;
import io.vmm4j.snapshot.MappingState;
import io.vmm4j.snapshot.MemoryMakeUp;
import io.vmm4j.snapshot.MemorySink;
import io.vmm4j.snapshot.MemorySource;
import io.vmm4j.snapshot.SnapshotPlan;
import io.vmm4j.snapshot.SnapshotReader;
import io.vmm4j.snapshot.SnapshotWriter;
import io.vmm4j.snapshot.StateChunk;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/**
 * How large a snapshot is in each compression, and how fast it is written and read, stream and
 * guest memory being in the host's memory, where they have their place already. {@code ./bench
 * SnapshotSpeed FILE [ROUNDS]}
 *
 * <p>The first figure of a speed is the first round of a fresh JVM as far as the rows above have
 * left it fresh, the second the best of all rounds. Guest memory is all of it, zeros too; data is
 * what is left without pages of zeros.
 */
public final class SnapshotSpeed {
  private static final int ROUNDS = 5;
  private static final double MB = 1e6;

  private SnapshotSpeed() {}

  private record Image(SnapshotPlan plan, Map<String, MemorySegment> memory) {}

  /** Measures and prints. */
  public static void main(String[] arguments) throws IOException {
    int rounds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : ROUNDS;
    Image image;
    try (InputStream in =
        new BufferedInputStream(Files.newInputStream(Path.of(arguments[0])), 1 << 16)) {
      image = read(in, SnapshotSpeed::zeros);
    }
    long all = image.plan.memory().stream().mapToLong(MemoryMakeUp::totalBytes).sum();
    long data = all - image.plan.memory().stream().mapToLong(MemoryMakeUp::zeroBytes).sum();
    System.out.printf(
        Locale.ROOT, "guest memory %.1f MB, without zeros %.1f MB%n", all / MB, data / MB);
    System.out.println(
        "            size MB   write MB/s: first, best (data)   read MB/s: the same");
    for (SnapshotCompression compression : SnapshotCompression.values()) {
      measure(
          compression.name(),
          out -> new SnapshotWriter(out, compression),
          image,
          all,
          data,
          rounds);
    }
    measure("mapped", SnapshotWriter::mapped, image, all, data, rounds);
  }

  private static void measure(
      String name,
      Function<OutputStream, SnapshotWriter> writers,
      Image image,
      long all,
      long data,
      int rounds)
      throws IOException {
    List<Double> writing = new ArrayList<>();
    List<Double> reading = new ArrayList<>();
    Map<String, MemorySegment> target = zeros(image.plan.machine());
    ByteArrayOutputStream out = new ByteArrayOutputStream((int) (all / 4));
    for (int round = 0; round < rounds; round++) {
      out.reset();
      long start = System.nanoTime();
      try (SnapshotWriter writer = writers.apply(out)) {
        write(writer, image);
      }
      writing.add((System.nanoTime() - start) / 1e9);
      InputStream in = new ByteArrayInputStream(out.toByteArray());
      target.values().forEach(segment -> segment.fill((byte) 0));
      start = System.nanoTime();
      read(in, machine -> target);
      reading.add((System.nanoTime() - start) / 1e9);
    }
    System.out.printf(
        Locale.ROOT,
        "%-8s %10.1f   %s   %s%n",
        name,
        out.size() / MB,
        speed(writing, all, data),
        speed(reading, all, data));
  }

  private static String speed(List<Double> seconds, long all, long data) {
    double best = seconds.stream().mapToDouble(Double::doubleValue).min().orElseThrow();
    return String.format(
        Locale.ROOT,
        "%6.0f, %6.0f (%5.0f)",
        all / MB / seconds.getFirst(),
        all / MB / best,
        data / MB / best);
  }

  private static void write(SnapshotWriter writer, Image image) throws IOException {
    writer.prologue(image.plan.prologue().withoutParent());
    writer.machine(image.plan.machine());
    for (StateChunk state : image.plan.states()) {
      writer.state(state);
    }
    for (MappingState mapping : image.plan.mappings()) {
      writer.mapping(mapping);
    }
    for (MachineDescription.Region region : image.plan.machine().regions()) {
      writer.memory(region.name(), MemorySource.of(image.memory.get(region.name())));
    }
    writer.finish();
  }

  private static Image read(InputStream in, MemorySink sink) throws IOException {
    Map<String, MemorySegment> memory = new LinkedHashMap<>();
    SnapshotPlan plan =
        new SnapshotReader(in, SnapshotLimits.standard())
            .read(machine -> {
              memory.putAll(sink.allocate(machine));
              return memory;
            });
    return new Image(plan, memory);
  }

  private static Map<String, MemorySegment> zeros(MachineDescription machine) {
    Map<String, MemorySegment> memory = new LinkedHashMap<>();
    for (MachineDescription.Region region : machine.regions()) {
      memory.put(region.name(), Arena.ofAuto().allocate(region.bytes(), 4096));
    }
    return memory;
  }
}

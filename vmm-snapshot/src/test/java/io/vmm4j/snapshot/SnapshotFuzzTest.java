package io.vmm4j.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.vmm4j.api.SnapshotException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;

/**
 * Hostile files: every target over the corpus and over changes of it that follow from a seed. A
 * longer run: {@code ./fuzz snapshot 10m} (docs/fuzzing.md).
 */
@Timeout(7200)
class SnapshotFuzzTest {
  private static final int CHANGES_EACH = 1000;

  /** What a target may allocate on the heap, whatever the bytes say; the limits are a megabyte. */
  private static final long MOST_BYTES = 256L << 20;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  static List<Path> corpus() throws IOException {
    try (Stream<Path> files =
        Files.list(
            Path.of(
                Objects.requireNonNull(SnapshotFuzzTest.class.getResource("corpus")).toURI()))) {
      return files.sorted().toList();
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  @TestFactory
  Stream<DynamicTest> everyTargetStandsTheCorpus() throws IOException {
    List<Path> corpus = corpus();
    assertThat(corpus).isNotEmpty();
    return corpus.stream()
        .map(file ->
            DynamicTest.dynamicTest(
                file.getFileName().toString(), () -> attack(Files.readAllBytes(file), file + "")));
  }

  @TestFactory
  Stream<DynamicTest> everyTargetStandsChangesOfTheCorpus() throws IOException {
    return corpus().stream()
        .filter(file -> !file.getFileName().toString().startsWith("bad-"))
        .map(file ->
            DynamicTest.dynamicTest(
                file.getFileName().toString(),
                () -> {
                  byte[] whole = Files.readAllBytes(file);
                  for (long seed = 0; seed < CHANGES_EACH; seed++) {
                    attack(SnapshotMutator.mutate(whole, seed), file + ", seed " + seed);
                  }
                }));
  }

  /** As long as {@code -Dvmm4j.fuzz=DURATION} says, in ISO form; not at all without. */
  @Test
  void aLongerRunFromANewSeed() throws IOException {
    String duration = System.getProperty("vmm4j.fuzz", "PT0S");
    long end = System.nanoTime() + Duration.parse(duration).toNanos();
    List<Path> whole =
        corpus().stream().filter(f -> !f.getFileName().toString().startsWith("bad-")).toList();
    long seed = System.nanoTime();
    for (long n = 0; System.nanoTime() - end < 0; n++) {
      Path file = whole.get((int) (n % whole.size()));
      attack(
          SnapshotMutator.mutate(Files.readAllBytes(file), seed + n),
          file.getFileName() + ", seed " + (seed + n));
    }
  }

  private static void attack(byte[] bytes, String what) {
    for (Map.Entry<String, FuzzTargets.Target> target : FuzzTargets.ALL.entrySet()) {
      long before = THREADS.getCurrentThreadAllocatedBytes();
      try {
        target.getValue().run(bytes);
      } catch (SnapshotException e) {
        assertThat(e.getMessage()).as(what).isNotBlank();
      } catch (Throwable e) {
        throw new AssertionError("target '%s', %s".formatted(target.getKey(), what), e);
      }
      assertThat(THREADS.getCurrentThreadAllocatedBytes() - before)
          .as("bytes allocated by target '%s', %s", target.getKey(), what)
          .isLessThan(MOST_BYTES);
    }
  }
}

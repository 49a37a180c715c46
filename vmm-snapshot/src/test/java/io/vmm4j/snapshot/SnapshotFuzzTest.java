package io.vmm4j.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;

/**
 * Hostile files: every target over the corpus and over changes of it that follow from a seed. A
 * longer run: {@code ./fuzz seeds 10m} (docs/fuzzing.md).
 */
@Timeout(7200)
class SnapshotFuzzTest {
  private static final int CHANGES_EACH = 1000;

  private static List<Path> corpus() throws IOException {
    try (Stream<Path> files =
        Files.list(
            Path.of(
                Objects.requireNonNull(SnapshotFuzzTest.class.getResource("corpus")).toURI()))) {
      return files.sorted().toList();
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The files to make changes of. */
  private static List<Path> whole() throws IOException {
    return corpus().stream()
        .filter(file ->
            file.toString().endsWith(".vmm") && !file.getFileName().toString().startsWith("bad-"))
        .toList();
  }

  @TestFactory
  Stream<DynamicTest> everyTargetStandsTheCorpus() throws IOException {
    List<Path> corpus = corpus();
    assertThat(corpus).hasSizeGreaterThan(10);
    return corpus.stream()
        .map(file ->
            DynamicTest.dynamicTest(
                file.getFileName().toString(),
                () -> {
                  byte[] input = Files.readAllBytes(file);
                  SnapshotReaderFuzz.fuzzerTestOneInput(input);
                  SnapshotInspectorFuzz.fuzzerTestOneInput(input);
                  attack(FuzzTargets.mended(input), file + "");
                }));
  }

  @TestFactory
  Stream<DynamicTest> everyTargetStandsChangesOfTheCorpus() throws IOException {
    return whole().stream()
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
    List<Path> whole = whole();
    long seed = System.nanoTime();
    for (long n = 0; System.nanoTime() - end < 0; n++) {
      Path file = whole.get((int) (n % whole.size()));
      attack(
          SnapshotMutator.mutate(Files.readAllBytes(file), seed + n),
          file.getFileName() + ", seed " + (seed + n));
    }
  }

  private static void attack(byte[] bytes, String what) {
    FuzzTargets.ALL.keySet().forEach(target -> FuzzTargets.attack(target, bytes, what));
  }
}

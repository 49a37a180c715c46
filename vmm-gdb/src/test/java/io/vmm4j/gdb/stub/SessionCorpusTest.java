package io.vmm4j.gdb.stub;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The sessions that fuzzing began with and has found, each with all that it begins with. */
class SessionCorpusTest {
  @AfterAll
  static void close() {
    SessionFuzz.close();
  }

  private static Stream<Path> corpus() throws IOException, URISyntaxException {
    return Files.list(
        Path.of(
            Objects.requireNonNull(SessionCorpusTest.class.getResource("SessionFuzz")).toURI()));
  }

  @TestFactory
  Stream<DynamicTest> everyPacketIsAnswered() throws IOException, URISyntaxException {
    return corpus()
        .map(file ->
            DynamicTest.dynamicTest(
                file.getFileName().toString(),
                () -> {
                  byte[] packets = Files.readAllBytes(file);
                  for (int length = 0; length <= packets.length; length++) {
                    SessionFuzz.fuzzerTestOneInput(Arrays.copyOf(packets, length));
                  }
                }));
  }

  @Test
  void theCorpusIsThere() throws IOException, URISyntaxException {
    try (Stream<Path> files = corpus()) {
      assertThat(files).hasSizeGreaterThan(5);
    }
  }
}

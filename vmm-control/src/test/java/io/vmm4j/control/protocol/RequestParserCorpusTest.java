package io.vmm4j.control.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The lines that fuzzing began with and has found, each with all that it begins with. */
class RequestParserCorpusTest {
  private static Stream<Path> corpus() throws IOException, URISyntaxException {
    return Files.list(
        Path.of(
            Objects.requireNonNull(RequestParserCorpusTest.class.getResource("RequestParserFuzz"))
                .toURI()));
  }

  @TestFactory
  Stream<DynamicTest> everyLineIsAnswered() throws IOException, URISyntaxException {
    return corpus()
        .map(file ->
            DynamicTest.dynamicTest(
                file.getFileName().toString(),
                () -> {
                  byte[] line = Files.readAllBytes(file);
                  for (int length = 0; length <= line.length; length++) {
                    RequestParserFuzz.fuzzerTestOneInput(Arrays.copyOf(line, length));
                  }
                }));
  }

  @Test
  void theCorpusIsThere() throws IOException, URISyntaxException {
    try (Stream<Path> files = corpus()) {
      assertThat(files).hasSizeGreaterThan(10);
    }
  }
}

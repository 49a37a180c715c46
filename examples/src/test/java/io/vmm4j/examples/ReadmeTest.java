package io.vmm4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The first program in the README compiles: it is, paragraph by paragraph, part of an example. */
class ReadmeTest {
  private static final Pattern JAVA_BLOCK = Pattern.compile("(?s)```java\n(.*?)```");

  @Test
  void theReadmeShowsWhatAnExampleDoes() throws IOException {
    List<String> blocks =
        JAVA_BLOCK
            .matcher(Files.readString(Path.of("../README.md")))
            .results()
            .map((MatchResult block) -> block.group(1))
            .toList();
    String example =
        normalized(
            Files.readString(Path.of("src/main/java/io/vmm4j/examples/SaveAndRestore.java")));

    assertThat(blocks).isNotEmpty();
    for (String block : blocks) {
      for (String paragraph : block.split("\n\n")) {
        assertThat(example).contains(normalized(paragraph));
      }
    }
  }

  private static String normalized(String code) {
    return code.replaceAll("\\s+", " ").strip();
  }
}

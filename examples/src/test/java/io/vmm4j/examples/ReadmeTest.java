package io.vmm4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The programs in the README compile: they are, paragraph by paragraph, parts of examples. */
class ReadmeTest {
  private static final Pattern JAVA_BLOCK = Pattern.compile("(?s)```java\n(.*?)```");

  @Test
  void theReadmeShowsWhatExamplesDo() throws IOException {
    List<String> blocks =
        JAVA_BLOCK
            .matcher(Files.readString(Path.of("../README.md")))
            .results()
            .map((MatchResult block) -> block.group(1))
            .toList();
    List<String> examples = new ArrayList<>();
    try (DirectoryStream<Path> files =
        Files.newDirectoryStream(Path.of("src/main/java/io/vmm4j/examples"), "*.java")) {
      for (Path file : files) {
        examples.add(normalized(Files.readString(file)));
      }
    }

    assertThat(blocks).isNotEmpty();
    for (String block : blocks) {
      for (String paragraph : block.split("\n\n")) {
        assertThat(examples).anySatisfy(e -> assertThat(e).contains(normalized(paragraph)));
      }
    }
  }

  private static String normalized(String code) {
    return code.replaceAll("\\s+", " ").strip();
  }
}

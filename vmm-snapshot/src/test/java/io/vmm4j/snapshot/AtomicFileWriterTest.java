package io.vmm4j.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileWriterTest {
  @TempDir private Path directory;

  @Test
  void aFileIsReplacedAsAWhole() throws IOException {
    // given
    Path target = Files.writeString(directory.resolve("s.vmm"), "old and longer");

    // when
    AtomicFileWriter.write(
        target,
        out -> {
          out.write("ne".getBytes());
          assertThat(target).as("while it is written").hasContent("old and longer");
          out.write("w".getBytes());
        });

    // then
    assertThat(target).hasContent("new");
    assertThat(directory).isDirectoryNotContaining("glob:**.tmp");
  }

  @Test
  void aFailureLeavesTheOldFileAndNoOther() throws IOException {
    // given
    Path target = Files.writeString(directory.resolve("s.vmm"), "old");

    // when
    assertThatThrownBy(() ->
            AtomicFileWriter.write(
                target,
                out -> {
                  out.write(1);
                  throw new IOException("no more");
                }))
        .isInstanceOf(IOException.class)
        .hasMessage("no more");

    // then
    assertThat(target).hasContent("old");
    assertThat(Files.list(directory)).containsExactly(target);
  }

  @Test
  void aNewFileInADirectoryThatIsNotThereIsRefused() {
    Path target = directory.resolve("none/s.vmm");

    assertThatThrownBy(() -> AtomicFileWriter.write(target, out -> out.write(1)))
        .isInstanceOf(IOException.class);
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void aSymbolicLinkIsFollowed() throws IOException {
    // given
    Path file = Files.writeString(directory.resolve("real"), "old");
    Path link = Files.createSymbolicLink(directory.resolve("link"), file);

    // when
    AtomicFileWriter.write(link, out -> out.write("new".getBytes()));

    // then
    assertThat(link).isSymbolicLink();
    assertThat(file).hasContent("new");
  }
}

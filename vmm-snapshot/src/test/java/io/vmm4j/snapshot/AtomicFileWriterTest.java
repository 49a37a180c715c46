package io.vmm4j.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
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
  void whatKeepsAFileFromBeingWrittenIsFoundBefore() throws IOException {
    Path old = Files.writeString(directory.resolve("s.vmm"), "old");
    AtomicFileWriter.check(old);
    AtomicFileWriter.check(directory.resolve("new.vmm"));
    assertThat(Files.list(directory)).containsExactly(old);
    assertThat(old).hasContent("old");

    assertThatThrownBy(() -> AtomicFileWriter.check(directory.resolve("none/s.vmm")))
        .isInstanceOf(NoSuchFileException.class)
        .hasMessageContainingAll("none/s.vmm", "there is no directory");
    assertThatThrownBy(() -> AtomicFileWriter.check(old.resolve("s.vmm")))
        .isInstanceOf(NoSuchFileException.class)
        .hasMessageContaining("there is no directory");
    assertThatThrownBy(() -> AtomicFileWriter.check(directory))
        .isInstanceOf(FileSystemException.class)
        .hasMessageContaining("is a directory");
    String tooLong = "n".repeat(230);
    assertThatThrownBy(() -> AtomicFileWriter.check(directory.resolve(tooLong)))
        .isInstanceOf(FileSystemException.class)
        .hasMessageContaining(tooLong);
  }

  /** {@code /dev/full} refuses each write as a full disk does. */
  @Test
  void aFailedWriteNamesTheFile() {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.exists(full));

    assertThatThrownBy(() -> AtomicFileWriter.write(full, out -> out.write(new byte[10])))
        .isInstanceOf(FileSystemException.class)
        .hasMessage("/dev/full: No space left on device");
  }

  private static String mode(Path file) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
  }

  private List<Path> temporary() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(file -> file.getFileName().toString().endsWith(".tmp")).toList();
    }
  }

  @Test
  void aNewFileIsItsOwnersAlone() throws IOException {
    Path target = directory.resolve("s.vmm");

    AtomicFileWriter.write(
        target, out -> assertThat(mode(temporary().getFirst())).isEqualTo("rw-------"));

    assertThat(mode(target)).isEqualTo("rw-------");
  }

  @Test
  void aFileThatIsReplacedKeepsItsMode() throws IOException {
    for (String kept : List.of("rw-------", "rw-r-----", "rw-r--r--", "r--------", "rw-rw-rw-")) {
      Path target = Files.writeString(directory.resolve("s.vmm"), "old");
      Files.setPosixFilePermissions(target, PosixFilePermissions.fromString(kept));

      AtomicFileWriter.writeSparse(
          target,
          out -> {
            out.write("new".getBytes());
            assertThat(mode(temporary().getFirst())).isEqualTo("rw-------");
          });

      assertThat(mode(target)).isEqualTo(kept);
      assertThat(target).hasContent("new");
      Files.delete(target);
    }
  }

  @Test
  void aFileThatIsReplacedKeepsItsOwnerAndGroup() throws IOException {
    Path target = Files.writeString(directory.resolve("s.vmm"), "old");
    var lookup = target.getFileSystem().getUserPrincipalLookupService();
    PosixFileAttributeView view = Files.getFileAttributeView(target, PosixFileAttributeView.class);
    try {
      view.setGroup(lookup.lookupPrincipalByGroupName("nogroup"));
      view.setOwner(lookup.lookupPrincipalByName("nobody"));
    } catch (IOException e) {
      abort("only root can give a file away: " + e);
    }

    AtomicFileWriter.write(target, out -> out.write("new".getBytes()));

    assertThat(target).hasContent("new");
    assertThat(view.readAttributes().owner().getName()).isEqualTo("nobody");
    assertThat(view.readAttributes().group().getName()).isEqualTo("nogroup");
  }

  @Test
  void anotherProcessInTheMidstOfWritingIsLeftAlone() throws Exception {
    // given
    Path target = directory.resolve("s.vmm");
    Process other = WriteSlowly.start(target);
    try {
      assertThat(temporary()).hasSize(1);

      // when
      AtomicFileWriter.write(target, out -> out.write("ours".getBytes()));

      // then
      assertThat(target).hasContent("ours");
      assertThat(temporary()).hasSize(1);
      other.getOutputStream().write('\n');
      other.getOutputStream().close();
      assertThat(other.waitFor()).isZero();
      assertThat(target).hasContent("of another process");
      assertThat(temporary()).isEmpty();
    } finally {
      other.destroyForcibly().waitFor();
    }
  }

  @Test
  void whatAKilledProcessLeavesIsRemovedByTheNextWriteOfThatFile() throws Exception {
    // given
    Path target = directory.resolve("s.vmm");
    WriteSlowly.start(target).destroyForcibly().waitFor();
    Path another = directory.resolve("s.vmm.old");
    WriteSlowly.start(another).destroyForcibly().waitFor();
    Path similar = Files.writeString(directory.resolve(".s.vmm.mine.tmp"), "mine");
    assertThat(temporary()).hasSize(3);

    // when
    AtomicFileWriter.write(target, out -> out.write("new".getBytes()));

    // then: that of this name is gone, that of the other and what only looks alike are not
    assertThat(target).hasContent("new");
    assertThat(temporary()).hasSize(2).contains(similar);
    AtomicFileWriter.write(another, out -> out.write("new".getBytes()));
    assertThat(temporary()).containsExactly(similar);
  }

  @Test
  void aSignalInTheMidstOfWritingLeavesNothing() throws Exception {
    Path target = Files.writeString(directory.resolve("s.vmm"), "old");
    for (String signal : List.of("TERM", "INT", "HUP")) {
      Process other = WriteSlowly.start(target);
      assertThat(temporary()).hasSize(1);

      new ProcessBuilder("kill", "-" + signal, Long.toString(other.pid())).start().waitFor();
      other.waitFor();

      assertThat(temporary()).as(signal).isEmpty();
      assertThat(target).hasContent("old");
    }
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

package io.vmm4j.guests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class CpioWriterTest {
  private record Entry(
      String name, int inode, int mode, int links, int major, int minor, String content) {}

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  @Test
  void entriesReadBackAsTheyWereWritten() throws IOException {
    // given an archive with one entry of each kind
    try (CpioWriter archive = new CpioWriter(bytes)) {
      archive.directory("bin", 0755);
      archive.file("bin/x", 0644, "hello".getBytes(StandardCharsets.US_ASCII));
      archive.symbolicLink("bin/link", "x");
      archive.characterDevice("console", 0600, 5, 1);
    }

    // when it is read by the kernel's description of the form
    List<Entry> entries = read(bytes.toByteArray());

    // then each is there, and the trailer after them
    assertThat(entries)
        .containsExactly(
            new Entry("bin", 1, 0_040755, 1, 0, 0, ""),
            new Entry("bin/x", 2, 0_100644, 1, 0, 0, "hello"),
            new Entry("bin/link", 3, 0_120777, 1, 0, 0, "x"),
            new Entry("console", 4, 0_020600, 1, 5, 1, ""),
            new Entry("TRAILER!!!", 0, 0, 1, 0, 0, ""));
  }

  @Test
  void aPathThatWouldEndOrEscapeTheArchiveIsRefused() throws IOException {
    try (CpioWriter archive = new CpioWriter(bytes)) {
      for (String path : List.of("", "/bin", "TRAILER!!!")) {
        assertThatThrownBy(() -> archive.directory(path, 0755))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("'" + path + "'");
      }
    }
  }

  @Test
  void permissionsThatAreNoneAreRefused() throws IOException {
    try (CpioWriter archive = new CpioWriter(bytes)) {
      assertThatThrownBy(() -> archive.file("x", 0_100644, new byte[0]))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("0100644");
    }
  }

  private static List<Entry> read(byte[] archive) {
    List<Entry> entries = new ArrayList<>();
    int at = 0;
    while (at < archive.length) {
      assertThat(text(archive, at, 6)).isEqualTo("070701");
      int[] fields = new int[13];
      for (int i = 0; i < fields.length; i++) {
        fields[i] = Integer.parseUnsignedInt(text(archive, at + 6 + 8 * i, 8), 16);
      }
      int size = fields[6];
      int nameLength = fields[11];
      String name = text(archive, at + 110, nameLength - 1);
      int content = align(at + 110 + nameLength);
      entries.add(
          new Entry(
              name,
              fields[0],
              fields[1],
              fields[4],
              fields[9],
              fields[10],
              text(archive, content, size)));
      at = align(content + size);
    }
    return entries;
  }

  private static int align(int offset) {
    return (offset + 3) & ~3;
  }

  private static String text(byte[] archive, int from, int length) {
    return new String(Arrays.copyOfRange(archive, from, from + length), StandardCharsets.US_ASCII);
  }
}

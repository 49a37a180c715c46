package io.vmm4j.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A file of several callers, one of whom is interrupted. */
class SharedFileTest {
  @TempDir private Path directory;

  private interface Use {
    void run() throws IOException;
  }

  private static void interrupted(Use use) throws IOException {
    Thread.currentThread().interrupt();
    try {
      use.run();
    } finally {
      assertThat(Thread.interrupted()).as("it stays interrupted").isTrue();
    }
  }

  @Test
  void everyUseCompletesOnAnInterruptedThreadAndLeavesItOpen() throws IOException {
    byte[] page = new byte[4096];
    try (SharedFile file = SharedFile.unnamed(directory);
        Arena arena = Arena.ofShared()) {
      interrupted(() -> file.setSize(8192));
      interrupted(() -> file.write(4096, new byte[] {1, 2, 3}, 0, 3));
      interrupted(() -> file.read(4096, page, 0, 4096));
      assertThat(page).startsWith(1, 2, 3);
      interrupted(() -> assertThat(file.size()).isEqualTo(8192));
      interrupted(() -> {
        MemorySegment shared = file.map(FileChannel.MapMode.READ_WRITE, 0, 8192, arena);
        shared.set(ValueLayout.JAVA_BYTE, 0, (byte) 9);
      });
      interrupted(() -> {
        MemorySegment own = file.map(FileChannel.MapMode.PRIVATE, 0, 8192, arena);
        assertThat(own.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 9);
        own.fill((byte) 7);
      });
      file.read(4096, page, 0, 4096);
      assertThat(page).as("what is written privately stays private").startsWith(1, 2, 3);
      interrupted(file::close);
    }
  }

  @Test
  void aFileWithoutANameLeavesNone() throws IOException {
    try (SharedFile file = SharedFile.unnamed(directory)) {
      assertThat(directory).isEmptyDirectory();
      assertThat(file.isWritable()).isTrue();
    }
  }

  @Test
  void theEndIsNoticed() throws IOException {
    Path path = Files.write(directory.resolve("f"), new byte[10]);
    try (SharedFile file = SharedFile.open(path)) {
      assertThat(file.readSome(8, new byte[10], 0, 10)).isEqualTo(2);
      assertThat(file.readSome(10, new byte[10], 0, 10)).isEqualTo(-1);
      assertThatThrownBy(() -> file.read(8, new byte[10], 0, 10))
          .isInstanceOf(EOFException.class)
          .hasMessageContaining("shorter");
    }
  }
}

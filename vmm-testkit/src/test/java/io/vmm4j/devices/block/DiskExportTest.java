package io.vmm4j.devices.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.Disk;
import io.vmm4j.api.device.PositionedOutput;
import io.vmm4j.devices.block.qcow.QcowImageWriter;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Copies of a disk that is written to meanwhile. */
@Timeout(120)
class DiskExportTest {
  private static final int BYTES = (9 << 20) + 512;

  @TempDir private Path directory;

  /** A file that is written in any order. */
  private record Output(RandomAccessFile file) implements PositionedOutput {
    @Override
    public void write(long position, byte[] bytes, int offset, int length) throws IOException {
      file.seek(position);
      file.write(bytes, offset, length);
    }

    @Override
    public void setLength(long bytes) throws IOException {
      if (file.length() < bytes) {
        file.setLength(bytes);
      }
    }
  }

  private static DiskImageWriter writer(Disk.Format format, PositionedOutput out, long size) {
    return switch (format) {
      case RAW -> new RawImageWriter(out, size);
      case QCOW2 -> new QcowImageWriter(out, size);
    };
  }

  private Path export(SharedStorage storage, Disk.Format format) throws IOException {
    Path file = directory.resolve("export." + format);
    Files.deleteIfExists(file);
    try (RandomAccessFile opened = new RandomAccessFile(file.toFile(), "rw")) {
      storage.copyTo(writer(format, new Output(opened), storage.sizeBytes()));
    }
    return file;
  }

  private static byte[] read(Path file, Disk.Format format) throws IOException {
    DiskFormat as = format == Disk.Format.RAW ? DiskFormat.RAW : DiskFormat.QCOW2;
    try (BlockStorage storage = DiskFiles.open(file, as, false)) {
      byte[] all = new byte[(int) storage.sizeBytes()];
      storage.read(0, MemorySegment.ofArray(all));
      return all;
    }
  }

  private Path disk(byte[] contents) throws IOException {
    return Files.write(directory.resolve("disk"), contents);
  }

  private static byte[] sparse(int bytes) {
    byte[] contents = new byte[bytes];
    new Random(1).nextBytes(contents);
    Arrays.fill(contents, Math.min(bytes, 100_000), Math.min(bytes, 6 << 20), (byte) 0);
    Arrays.fill(contents, Math.max(0, bytes - 5000), bytes, (byte) 0);
    return contents;
  }

  @ParameterizedTest
  @EnumSource(Disk.Format.class)
  void anExportHasTheContents(Disk.Format format) throws IOException {
    byte[] contents = sparse(BYTES);
    try (SharedStorage storage = new SharedStorage(RawFile.open(disk(contents), false))) {
      Path file = export(storage, format);
      assertThat(read(file, format)).isEqualTo(contents);
      if (format == Disk.Format.QCOW2) {
        assertThat(Files.size(file)).isLessThan(5 << 20);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {512, 65536, 1 << 20, 3L << 30, 600L << 30})
  void qemuFindsNoFaultInAnExport(long bytes) throws Exception {
    Path disk = disk(sparse(Math.toIntExact(Math.min(bytes, BYTES))));
    try (RandomAccessFile opened = new RandomAccessFile(disk.toFile(), "rw")) {
      opened.setLength(bytes);
    }
    if (bytes > 100L << 30) {
      // Only what is to be seen of a disk of this size; reading all of it would take long.
      Path file = directory.resolve("export.QCOW2");
      try (RandomAccessFile opened = new RandomAccessFile(file.toFile(), "rw")) {
        DiskImageWriter writer = new QcowImageWriter(new Output(opened), bytes);
        byte[] piece = new byte[1 << 16];
        for (long at = 0; at < bytes; at += 1L << 28) {
          piece[(int) (at >>> 28)] = 1;
          writer.piece(at, piece, piece.length);
        }
        writer.finish();
      }
      QemuImg.run(directory, "check", "export.QCOW2");
      return;
    }
    try (SharedStorage storage = new SharedStorage(RawFile.open(disk, false))) {
      export(storage, Disk.Format.QCOW2);
    }
    QemuImg.run(directory, "check", "export.QCOW2");
    QemuImg.run(directory, "compare", "-f", "raw", "-F", "qcow2", "disk", "export.QCOW2");
  }

  /** Each request writes its number to blocks all over the disk; a copy has one number in all. */
  @ParameterizedTest
  @EnumSource(Disk.Format.class)
  void anExportIsOfOneMomentBetweenRequests(Disk.Format format) throws Exception {
    int[] places = new int[40];
    Random random = new Random(2);
    Arrays.setAll(places, i -> random.nextInt(BYTES / 512) * 512);
    try (SharedStorage storage = new SharedStorage(RawFile.open(disk(new byte[BYTES]), true))) {
      AtomicBoolean done = new AtomicBoolean();
      CountDownLatch begun = new CountDownLatch(50);
      Thread guest =
          Thread.ofPlatform()
              .start(() -> {
                byte[] sector = new byte[512];
                for (long number = 1; !done.get(); number++) {
                  ByteBuffer.wrap(sector).putLong(0, number);
                  storage.request(() -> {
                    for (int place : places) {
                      write(storage, place, sector);
                    }
                  });
                  begun.countDown();
                }
              });
      begun.await();
      long last = 0;
      for (int i = 0; i < 8; i++) {
        ByteBuffer copy = ByteBuffer.wrap(read(export(storage, format), format));
        long number = copy.getLong(places[0]);
        for (int place : places) {
          assertThat(copy.getLong(place)).isEqualTo(number);
        }
        assertThat(number).as("the guest goes on").isGreaterThan(last);
        last = number;
      }
      done.set(true);
      guest.join();
    }
  }

  private static void write(BlockStorage storage, long place, byte[] bytes) {
    try {
      storage.write(place, MemorySegment.ofArray(bytes));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void aDiskThatIsReplacedMeanwhileEndsTheCopy() throws IOException {
    try (SharedStorage storage = new SharedStorage(RawFile.open(disk(sparse(BYTES)), true))) {
      DiskImageWriter target =
          new DiskImageWriter() {
            @Override
            public void piece(long offset, byte[] bytes, int length) {
              if (offset == 1 << 16) {
                storage.replaced();
              }
            }

            @Override
            public void finish() {
              throw new AssertionError("it is not complete");
            }
          };
      assertThatThrownBy(() -> storage.copyTo(target))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("taken to a snapshot");
    }
  }

  @Test
  void aCopyThatFailsIsNotTheWritersConcern() throws IOException {
    try (SharedStorage storage = new SharedStorage(RawFile.open(disk(sparse(BYTES)), true))) {
      DiskImageWriter full =
          new DiskImageWriter() {
            @Override
            public void piece(long offset, byte[] bytes, int length) throws IOException {
              if (offset == 0) {
                write(storage, 5 << 20, new byte[512]); // as a guest in the middle of it
              }
              if (offset >= 5 << 20) {
                throw new IOException("no space left");
              }
            }

            @Override
            public void finish() {
              throw new AssertionError("it is not complete");
            }
          };
      assertThatThrownBy(() -> storage.copyTo(full)).hasMessageContaining("no space left");
      byte[] sector = new byte[512];
      storage.read(5 << 20, MemorySegment.ofArray(sector));
      assertThat(sector).containsOnly(0);
    }
  }
}

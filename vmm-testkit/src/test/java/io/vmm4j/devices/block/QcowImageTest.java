package io.vmm4j.devices.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.devices.block.QcowFile.Kind;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Images of the qcow2 format: made here, made by QEMU, and made to do harm. */
@Timeout(300)
class QcowImageTest {
  @TempDir private Path directory;

  /** Half of it is compressible. */
  private static byte[] contents(int bytes, long seed) {
    Random random = new Random(seed);
    byte[] contents = new byte[bytes];
    random.nextBytes(contents);
    for (int at = 0; at < bytes; at += 1 << 12) {
      if (random.nextBoolean()) {
        Arrays.fill(contents, at, Math.min(bytes, at + (1 << 12)), (byte) at);
      }
    }
    return contents;
  }

  private static byte[] read(Path path) throws IOException {
    try (BlockStorage storage = DiskFiles.open(path, DiskFormat.QCOW2, false)) {
      byte[] all = new byte[Math.toIntExact(storage.sizeBytes())];
      storage.read(0, MemorySegment.ofArray(all));
      return all;
    }
  }

  @ParameterizedTest
  @CsvSource({"2,9", "3,9", "3,12", "2,16", "3,16", "3,21"})
  void allKindsOfClustersAreRead(int version, int clusterBits) throws IOException {
    // given a disk whose clusters are of all kinds, with a file behind it that is shorter
    int bytes = Math.max(40 << clusterBits, 200 << 9) - 512;
    byte[] disk = contents(bytes, 1);
    byte[] behind = contents(bytes / 2 + 100, 2);
    Files.write(directory.resolve("behind"), behind);
    QcowFile image = new QcowFile(version, clusterBits, disk).backing("behind", "raw");
    byte[] expected = disk.clone();
    Random random = new Random(3);
    Kind[] kinds = Kind.values();
    for (int i = 0; i < image.clusters(); i++) {
      Kind kind = kinds[random.nextInt(version == 2 ? 3 : kinds.length)];
      image.kind(i, kind);
      for (int at = i << clusterBits; at < Math.min(bytes, (i + 1) << clusterBits); at++) {
        expected[at] =
            switch (kind) {
              case PLAIN, COMPRESSED -> disk[at];
              case ABSENT -> at < behind.length ? behind[at] : 0;
              case ZERO, ZERO_WITH_PLACE -> 0;
            };
      }
    }

    // when
    Path file = image.write(directory.resolve("image"));

    // then all of it is right, and any part of it
    assertThat(read(file)).isEqualTo(expected);
    try (BlockStorage storage = DiskFiles.open(file, DiskFormat.QCOW2, false)) {
      for (int i = 0; i < 200; i++) {
        int from = random.nextInt(bytes);
        byte[] part = new byte[1 + random.nextInt(Math.min(bytes - from, 100_000))];
        storage.read(from, MemorySegment.ofArray(part));
        assertThat(part).isEqualTo(Arrays.copyOfRange(expected, from, from + part.length));
      }
      assertThat(storage.files()).containsExactly(file, directory.resolve("behind"));
    }
  }

  @Test
  void subclustersAreRead() throws IOException {
    int bytes = 4 << 14;
    byte[] disk = contents(bytes, 1);
    byte[] behind = contents(bytes, 2);
    Files.write(directory.resolve("behind"), behind);
    QcowFile image =
        new QcowFile(3, 14, disk)
            .extended()
            .backing("behind", "raw")
            .kind(1, Kind.ZERO)
            .kind(2, Kind.COMPRESSED);
    byte[] expected = disk.clone();
    for (int at = 0; at < bytes; at++) {
      int cluster = at >> 14;
      int sub = at >> 9 & 31;
      if (cluster == 1 || cluster != 2 && QcowFile.isSubclusterZero(sub)) {
        expected[at] = 0;
      } else if (cluster != 2 && QcowFile.isSubclusterAbsent(sub)) {
        expected[at] = behind[at];
      }
    }
    assertThat(read(image.write(directory.resolve("image")))).isEqualTo(expected);
  }

  @Test
  void aChainOfFilesIsRead() throws IOException {
    byte[] disk = contents(1 << 18, 1);
    Files.createDirectories(directory.resolve("below"));
    new QcowFile(3, 16, disk).write(directory.resolve("below/base"));
    new QcowFile(3, 12, new byte[1 << 18])
        .kind(0, Kind.ABSENT)
        .kind(1, Kind.ABSENT)
        .backing("base", "qcow2")
        .write(directory.resolve("below/middle"));
    QcowFile top = new QcowFile(3, 16, new byte[1 << 18]).backing("below/middle", "qcow2");
    for (int i = 0; i < top.clusters(); i++) {
      top.kind(i, Kind.ABSENT);
    }
    byte[] expected = new byte[1 << 18];
    System.arraycopy(disk, 0, expected, 0, 2 << 12);
    assertThat(read(top.write(directory.resolve("top")))).isEqualTo(expected);
  }

  private void refused(Path file, DiskFormat format, String... why) {
    var thrown =
        assertThatThrownBy(() -> DiskFiles.open(file, format, false).close())
            .isInstanceOf(DiskImageException.class)
            .hasMessageContaining(file.getFileName().toString());
    for (String each : why) {
      thrown.hasMessageContaining(each);
    }
  }

  @Test
  void aBackingFileIsFollowedOnlyWhereTheFormatWasSaid() throws IOException {
    // given a raw disk that a guest has made look like an image which names a file of the host
    Files.write(directory.resolve("secret"), contents(4096, 1));
    Path file =
        new QcowFile(3, 16, contents(1 << 16, 1))
            .backing("secret", "raw")
            .write(directory.resolve("image"));

    // then it is not followed by a look at the file
    refused(file, DiskFormat.AUTO, "secret", "format=qcow2");
    assertThat(read(file)).hasSize(1 << 16);
    try (BlockStorage raw = DiskFiles.open(file, DiskFormat.RAW, true)) {
      assertThat(raw.sizeBytes()).isEqualTo(Files.size(file));
    }
    // nor written to, as it is likely to be an image
    assertThatThrownBy(() -> DiskFiles.open(file, DiskFormat.AUTO, true))
        .isInstanceOf(DiskImageException.class)
        .hasMessageContaining("format=raw");
    assertThatThrownBy(() -> DiskFiles.open(file, DiskFormat.QCOW2, true))
        .isInstanceOf(DiskImageException.class)
        .hasMessageContaining("can't be written to");
  }

  @Test
  void aBackingFileWithoutAFormatIsRawWhateverItBeginsWith() throws IOException {
    Path behind = new QcowFile(3, 16, contents(1 << 16, 1)).write(directory.resolve("behind"));
    QcowFile image = new QcowFile(3, 16, new byte[1 << 16]).backing("behind", "");
    Path file = image.kind(0, Kind.ABSENT).write(directory.resolve("image"));
    assertThat(read(file)).isEqualTo(Arrays.copyOf(Files.readAllBytes(behind), 1 << 16));
  }

  @Test
  void backingFilesThatCanNotBeAreRefused() throws IOException {
    byte[] disk = new byte[1 << 16];
    Path round =
        new QcowFile(3, 16, disk).backing("other", "qcow2").write(directory.resolve("round"));
    new QcowFile(3, 16, disk).backing("./round", "qcow2").write(directory.resolve("other"));
    assertThatThrownBy(() -> read(round))
        .isInstanceOf(DiskImageException.class)
        .hasMessageContaining("leads back");

    for (int i = 0; i < 20; i++) {
      new QcowFile(3, 16, disk)
          .backing("deep" + (i + 1), "qcow2")
          .write(directory.resolve("deep" + i));
    }
    new QcowFile(3, 16, disk).write(directory.resolve("deep20"));
    assertThatThrownBy(() -> read(directory.resolve("deep0")))
        .isInstanceOf(DiskImageException.class)
        .hasMessageContaining("more than 16 files");
    assertThat(read(directory.resolve("deep6"))).hasSize(1 << 16);

    for (String name : List.of("nbd://host/disk", "json:{}", "missing", "/dev/zero", ".")) {
      Path file = new QcowFile(3, 16, disk).backing(name, "raw").write(directory.resolve("names"));
      refused(file, DiskFormat.QCOW2, "backing");
    }
    Path vmdk = new QcowFile(3, 16, disk).backing("round", "vmdk").write(directory.resolve("v"));
    refused(vmdk, DiskFormat.QCOW2, "vmdk");
  }

  @Test
  void whatIsNotReadIsRefusedByName() throws IOException {
    byte[] good = new QcowFile(3, 16, contents(1 << 17, 1)).bytes();
    Path file = directory.resolve("image");
    record Change(int at, int bytes, long value, String why) {}
    for (Change each :
        List.of(
            new Change(4, 4, 4, "version 4"),
            new Change(20, 4, 8, "clusters of 2^8"),
            new Change(20, 4, 0xFFFF_FFFFL, "clusters of 2^"),
            new Change(24, 8, -512, "a disk of"),
            new Change(24, 8, 1L << 62, "L1 table"),
            new Change(24, 8, 1L << 40, "L1 table has 1 entries"),
            new Change(32, 4, 1, "AES"),
            new Change(32, 4, 2, "LUKS"),
            new Change(32, 4, 77, "unknown method"),
            new Change(36, 4, 0, "L1 table"),
            new Change(36, 4, 0xFFFF_FFFFL, "L1 table"),
            new Change(40, 8, 1, "L1 table"),
            new Change(40, 8, 1L << 40, "L1 table"),
            new Change(40, 8, -65536, "L1 table"),
            new Change(72, 8, 2, "corrupt"),
            new Change(72, 8, 4, "external data file"),
            new Change(72, 8, 8, "compression type"),
            new Change(72, 8, 1L << 40, "bit 40"),
            new Change(100, 4, 96, "a header of 96"),
            new Change(100, 4, 1 << 20, "a header of"),
            new Change(16, 4, 5000, ""),
            new Change(8, 8, 1 << 20, "backing file"))) {
      byte[] bad = good.clone();
      if (each.bytes == 4) {
        ByteBuffer.wrap(bad).putInt(each.at, (int) each.value);
      } else {
        ByteBuffer.wrap(bad).putLong(each.at, each.value);
      }
      Files.write(file, bad);
      if (each.why.isEmpty()) {
        assertThat(read(file)).as("the length of no name").hasSize(1 << 17);
      } else {
        refused(file, DiskFormat.QCOW2, each.why);
      }
    }
    ByteBuffer packed = ByteBuffer.wrap(good.clone());
    packed.putLong(72, 8).putInt(100, 112).put(104, (byte) 2);
    Files.write(file, packed.array());
    refused(file, DiskFormat.QCOW2, "unknown method, 2");
    Files.write(file, Arrays.copyOf(good, 50));
    refused(file, DiskFormat.QCOW2, "beyond the end");
    Files.write(file, contents(4096, 1));
    refused(file, DiskFormat.QCOW2, "no qcow2 image");
  }

  @Test
  void aDirtyImageIsReadForItsReferenceCountsAreNotNeeded() throws IOException {
    byte[] disk = contents(1 << 17, 1);
    byte[] dirty = new QcowFile(3, 16, disk).bytes();
    ByteBuffer.wrap(dirty).putLong(72, 1);
    assertThat(read(Files.write(directory.resolve("image"), dirty))).isEqualTo(disk);
  }

  /** Whatever stands in it, there are contents or an error with the file's name. */
  @ParameterizedTest
  @ValueSource(ints = {9, 12, 16, 21})
  void aForgedImageEndsInAnErrorThatNamesIt(int clusterBits) throws IOException {
    Random random = new Random(clusterBits);
    byte[] disk = contents(Math.min(70 << clusterBits, 3 << 20), 5);
    QcowFile source = new QcowFile(3, clusterBits, disk);
    for (int i = 0; i < source.clusters(); i++) {
      source.kind(i, Kind.values()[i % Kind.values().length]);
    }
    byte[] good = source.bytes();
    int tables = Math.max(1024, 1 << clusterBits);
    int errors = 0;
    for (int round = 0; round < (clusterBits > 12 ? 60 : 1000); round++) {
      byte[] bad = good.clone();
      ByteBuffer words = ByteBuffer.wrap(bad);
      for (int i = 1 + random.nextInt(3); i > 0; i--) {
        int at = random.nextInt(3) == 0 ? random.nextInt(112) : tables + random.nextInt(tables);
        switch (random.nextInt(4)) {
          case 0 -> bad[at] ^= (byte) (1 << random.nextInt(8));
          case 1 -> words.putInt(at & -4, random.nextInt());
          case 2 -> words.putLong(at & -8, random.nextLong() >>> random.nextInt(64));
          default -> words.putLong(at & -8, -1L << random.nextInt(64));
        }
      }
      if (random.nextInt(10) == 0) {
        bad = Arrays.copyOf(bad, random.nextInt(bad.length));
      }
      Path file = Files.write(directory.resolve("forged"), bad);
      try (BlockStorage storage = DiskFiles.open(file, DiskFormat.QCOW2, false)) {
        byte[] part = new byte[1 << 16];
        for (int i = 0; i < 8 && storage.sizeBytes() > part.length; i++) {
          storage.read(
              random.nextLong(storage.sizeBytes() - part.length), MemorySegment.ofArray(part));
          storage.read(
              random.nextLong(Math.min(storage.sizeBytes(), disk.length) - part.length),
              MemorySegment.ofArray(part));
        }
      } catch (DiskImageException e) {
        errors++;
        assertThat(e).hasMessageContaining("forged");
      }
    }
    assertThat(errors).isPositive();
  }

  // ---- with QEMU's own tool ----

  private void qemu(String... arguments) throws Exception {
    QemuImg.run(directory, arguments);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "compat=0.10",
        "compat=1.1",
        "compat=1.1,cluster_size=512",
        "compat=1.1,cluster_size=2M",
        "compat=0.10,cluster_size=4096",
        "compat=1.1,extended_l2=on",
        "compat=1.1,preallocation=metadata",
        "compat=1.1,lazy_refcounts=on"
      })
  void imagesOfQemuHaveTheContentsOfTheRawDisk(String options) throws Exception {
    byte[] disk = contents((7 << 20) + 512, 9);
    Arrays.fill(disk, 2 << 20, 5 << 20, (byte) 0);
    Files.write(directory.resolve("raw"), disk);
    qemu("convert", "-f", "raw", "-O", "qcow2", "-o", options, "raw", "plain");
    assertThat(read(directory.resolve("plain"))).isEqualTo(disk);
    if (!options.contains("preallocation")) {
      qemu("convert", "-c", "-f", "raw", "-O", "qcow2", "-o", options, "raw", "packed");
      assertThat(read(directory.resolve("packed"))).isEqualTo(disk);
    }
    qemu(
        "create",
        "-f",
        "qcow2",
        "-o",
        options.replace(",preallocation=metadata", ""),
        "-b",
        "plain",
        "-F",
        "qcow2",
        "top",
        "9M");
    assertThat(read(directory.resolve("top"))).isEqualTo(Arrays.copyOf(disk, 9 << 20));
  }

  @ParameterizedTest
  @ValueSource(strings = {"512", "4096", "64k", "2M"})
  void imagesOfQemuThatArePackedByZstdHaveTheContentsOfTheRawDisk(String clusters)
      throws Exception {
    byte[] disk = contents((7 << 20) + 512, 9);
    Files.write(directory.resolve("raw"), disk);
    String options = "compression_type=zstd,cluster_size=" + clusters;
    qemu("convert", "-c", "-f", "raw", "-O", "qcow2", "-o", options, "raw", "z");
    assertThat(read(directory.resolve("z"))).isEqualTo(disk);
  }
}

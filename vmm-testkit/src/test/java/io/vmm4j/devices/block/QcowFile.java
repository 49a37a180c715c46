package io.vmm4j.devices.block;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.Deflater;

/**
 * Makes qcow2 images by the format's specification, independently of the reader. Clusters of a disk
 * are laid out as their first bytes ask for, so that an image has all kinds.
 */
final class QcowFile {
  /** What becomes of a cluster. */
  enum Kind {
    PLAIN,
    COMPRESSED,
    ABSENT,
    ZERO,
    ZERO_WITH_PLACE
  }

  private final int version;
  private final int clusterBits;
  private final byte[] disk;
  private final Kind[] kinds;
  private String backingName = "";
  private String backingFormat = "";
  private boolean extended;

  QcowFile(int version, int clusterBits, byte[] disk) {
    this.version = version;
    this.clusterBits = clusterBits;
    this.disk = disk;
    this.kinds = new Kind[Math.toIntExact((disk.length + clusterBytes() - 1) / clusterBytes())];
    Arrays.fill(kinds, Kind.PLAIN);
  }

  private long clusterBytes() {
    return 1L << clusterBits;
  }

  int clusters() {
    return kinds.length;
  }

  QcowFile kind(int cluster, Kind kind) {
    kinds[cluster] = kind;
    return this;
  }

  QcowFile backing(String name, String format) {
    backingName = name;
    backingFormat = format;
    return this;
  }

  /** Subclusters: every third one is absent, and of the others every fifth one is of zeros. */
  QcowFile extended() {
    extended = true;
    return this;
  }

  static boolean isSubclusterAbsent(int number) {
    return number % 3 == 0;
  }

  static boolean isSubclusterZero(int number) {
    return !isSubclusterAbsent(number) && number % 5 == 0;
  }

  Path write(Path path) throws IOException {
    return Files.write(path, bytes());
  }

  byte[] bytes() {
    int entryBytes = extended ? 16 : 8;
    int cluster = (int) clusterBytes();
    int entries = cluster / entryBytes;
    int tables = (kinds.length + entries - 1) / entries;
    int l1Clusters = (tables * 8 + cluster - 1) / cluster;
    int headerClusters = (1024 + cluster - 1) / cluster;
    int firstTable = headerClusters + l1Clusters;
    int next = firstTable + tables;
    ByteBuffer file = ByteBuffer.allocate((next + 2 * kinds.length + 2) * cluster);
    header(file, tables, headerClusters);
    int packedAt = (next + kinds.length) * cluster + 7; // compressed clusters need no alignment
    for (int i = 0; i < kinds.length; i++) {
      long table = (long) (firstTable + i / entries) * cluster;
      file.putLong(headerClusters * cluster + i / entries * 8, 1L << 63 | table);
      int at = (int) table + i % entries * entryBytes;
      byte[] contents = Arrays.copyOfRange(disk, i * cluster, (i + 1) * cluster);
      switch (kinds[i]) {
        case ABSENT -> {}
        case ZERO -> zero(file, at, 0);
        case ZERO_WITH_PLACE -> zero(file, at, (long) next++ * cluster);
        case PLAIN -> {
          file.put(next * cluster, contents);
          file.putLong(at, 1L << 63 | (long) next++ * cluster);
          if (extended) {
            file.putLong(at + 8, bitmap());
          }
        }
        case COMPRESSED -> {
          byte[] packed = deflate(contents);
          file.put(packedAt, packed);
          int sectors = (packedAt + packed.length - 1) / 512 - packedAt / 512;
          file.putLong(at, 1L << 62 | (long) sectors << 62 - (clusterBits - 8) | packedAt);
          packedAt += packed.length;
        }
      }
    }
    int end = Math.max(next * cluster, packedAt);
    return Arrays.copyOf(file.array(), end);
  }

  private void zero(ByteBuffer file, int at, long place) {
    file.putLong(at, place | (extended ? 0 : 1));
    if (extended) {
      file.putLong(at + 8, 0xFFFF_FFFFL << 32);
    }
  }

  private static long bitmap() {
    long bitmap = 0;
    for (int i = 0; i < 32; i++) {
      if (isSubclusterZero(i)) {
        bitmap |= 1L << 32 + i;
      } else if (!isSubclusterAbsent(i)) {
        bitmap |= 1L << i;
      }
    }
    return bitmap;
  }

  private void header(ByteBuffer file, int tables, int headerClusters) {
    file.putInt(0, 0x514649FB).putInt(4, version).putInt(20, clusterBits);
    file.putLong(24, disk.length).putInt(36, tables);
    file.putLong(40, headerClusters * clusterBytes());
    int at = 72;
    if (version == 3) {
      file.putLong(72, extended ? 16 : 0).putInt(96, 4).putInt(100, 104);
      at = 104;
    }
    if (!backingFormat.isEmpty()) {
      byte[] format = backingFormat.getBytes(StandardCharsets.UTF_8);
      file.putInt(at, 0xE2792ACA).putInt(at + 4, format.length).put(at + 8, format);
      at += 8 + (format.length + 7 & -8);
    }
    at += 8; // the end of the extensions
    if (!backingName.isEmpty()) {
      byte[] name = backingName.getBytes(StandardCharsets.UTF_8);
      file.putLong(8, at).putInt(16, name.length).put(at, name);
    }
  }

  private static byte[] deflate(byte[] contents) {
    Deflater deflater = new Deflater(Deflater.BEST_SPEED, true);
    deflater.setInput(contents);
    deflater.finish();
    byte[] packed = new byte[contents.length + 64];
    int length = deflater.deflate(packed);
    deflater.end();
    return Arrays.copyOf(packed, length);
  }
}

package io.vmm4j.devices.block.qcow;

import io.vmm4j.devices.block.DiskImageException;
import io.vmm4j.devices.block.RawFile;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The header of an image, as far as a reader needs it. All of it is checked: an image comes from
 * anywhere.
 *
 * @param version 2 or 3
 * @param clusterBits the size of a cluster as a power of 2
 * @param sizeBytes the size of the disk
 * @param l1Entries how many entries the first table has
 * @param l1Offset where it lies
 * @param zstd whether compressed clusters are packed by Zstandard, and not by DEFLATE
 * @param extended whether entries of the second tables have subclusters
 * @param backing the file whose contents show where this one has none
 */
record QcowHeader(
    int version,
    int clusterBits,
    long sizeBytes,
    int l1Entries,
    long l1Offset,
    boolean zstd,
    boolean extended,
    Optional<Backing> backing) {

  /**
   * A backing file.
   *
   * @param name as it stands in the header
   * @param format as the header names it; without a name it is raw, never found by a look
   */
  record Backing(String name, String format) {}

  /** The most that all entries of the first table take: QEMU's own limit. */
  private static final long MOST_L1_BYTES = 32L << 20;

  private static final int SHORT_HEADER_BYTES = 72;
  private static final int LONG_HEADER_BYTES = 104;
  private static final int MOST_NAME_BYTES = 1023;
  private static final int MOST_EXTENSIONS = 64;
  private static final int MIN_CLUSTER_BITS = 9;
  private static final int MAX_CLUSTER_BITS = 21;
  private static final int MIN_EXTENDED_CLUSTER_BITS = 14;

  private static final int END = 0;
  private static final int BACKING_FORMAT = 0xE2792ACA;

  /** Names of the incompatible features, by their bits. */
  private static final String[] FEATURES = {
    "dirty", "corrupt", "external data file", "compression type", "extended L2 entries"
  };

  private static final long DIRTY = 1;
  private static final long COMPRESSION_TYPE = 1 << 3;
  private static final long EXTENDED = 1 << 4;
  private static final int ZSTD = 1;

  int clusterBytes() {
    return 1 << clusterBits;
  }

  /** How many entries a second table has: it takes a cluster. */
  int l2Entries() {
    return clusterBytes() / l2EntryBytes();
  }

  int l2EntryBytes() {
    return extended ? 2 * Long.BYTES : Long.BYTES;
  }

  /** Reads a header. */
  static QcowHeader read(Path path, RawFile file) throws IOException {
    ByteBuffer fixed = bytes(path, file, 0, SHORT_HEADER_BYTES, "the header");
    if (fixed.getInt(0) != 0x514649FB) {
      throw new DiskImageException(path, "it is no qcow2 image");
    }
    int version = fixed.getInt(4);
    if (version != 2 && version != 3) {
      throw new DiskImageException(
          path, "version %d of qcow2; 2 and 3 are read".formatted(Integer.toUnsignedLong(version)));
    }
    int clusterBits = fixed.getInt(20);
    if (clusterBits < MIN_CLUSTER_BITS || clusterBits > MAX_CLUSTER_BITS) {
      throw new DiskImageException(
          path,
          "clusters of 2^%d bytes; 2^9 to 2^21 are possible"
              .formatted(Integer.toUnsignedLong(clusterBits)));
    }
    refuseEncryption(path, fixed.getInt(32));
    long headerBytes = SHORT_HEADER_BYTES;
    long features = 0;
    boolean zstd = false;
    if (version == 3) {
      ByteBuffer more = bytes(path, file, 0, LONG_HEADER_BYTES, "the header");
      features = more.getLong(72);
      headerBytes = Integer.toUnsignedLong(more.getInt(100));
      if (headerBytes < LONG_HEADER_BYTES
          || headerBytes > 1L << clusterBits
          || headerBytes % Long.BYTES != 0) {
        throw new DiskImageException(path, "a header of %d bytes".formatted(headerBytes));
      }
      refuseFeatures(path, features);
      zstd = isZstd(path, file, features, headerBytes);
    }
    boolean extended = (features & EXTENDED) != 0;
    if (extended && clusterBits < MIN_EXTENDED_CLUSTER_BITS) {
      throw new DiskImageException(
          path, "extended L2 entries with clusters of %d bytes".formatted(1 << clusterBits));
    }
    QcowHeader header =
        new QcowHeader(
            version,
            clusterBits,
            fixed.getLong(24),
            fixed.getInt(36),
            fixed.getLong(40),
            zstd,
            extended,
            backing(path, file, fixed, headerBytes, clusterBits));
    header.checkTable(path, file);
    return header;
  }

  private static ByteBuffer bytes(Path path, RawFile file, long at, int count, String what)
      throws IOException {
    if (at < 0 || at > file.sizeBytes() - count) {
      throw new DiskImageException(
          path, "%s at 0x%x is beyond the end of the file".formatted(what, at));
    }
    byte[] bytes = new byte[count];
    file.read(at, MemorySegment.ofArray(bytes));
    return ByteBuffer.wrap(bytes);
  }

  private static void refuseEncryption(Path path, int method) throws IOException {
    switch (method) {
      case 0 -> {}
      case 1 -> throw new DiskImageException(path, "it is encrypted (AES)");
      case 2 -> throw new DiskImageException(path, "it is encrypted (LUKS)");
      default ->
          throw new DiskImageException(
              path,
              "it is encrypted by an unknown method, %d".formatted(Integer.toUnsignedLong(method)));
    }
  }

  private static void refuseFeatures(Path path, long features) throws IOException {
    // What a dirty image has wrong are its reference counts, which nobody reads here.
    long refused = features & ~(DIRTY | COMPRESSION_TYPE | EXTENDED);
    if (refused != 0) {
      int bit = Long.numberOfTrailingZeros(refused);
      throw new DiskImageException(
          path,
          bit < FEATURES.length
              ? "it has the feature '%s', which is not read".formatted(FEATURES[bit])
              : "it has an unknown incompatible feature, bit %d".formatted(bit));
    }
  }

  private static boolean isZstd(Path path, RawFile file, long features, long headerBytes)
      throws IOException {
    int type = 0;
    if (headerBytes > LONG_HEADER_BYTES) {
      type = bytes(path, file, LONG_HEADER_BYTES, 1, "the header").get(0) & 0xFF;
    }
    if ((features & COMPRESSION_TYPE) != 0 == (type == 0)) {
      throw new DiskImageException(
          path, "its features and its compression type, %d, contradict".formatted(type));
    }
    if (type > ZSTD) {
      throw new DiskImageException(
          path, "its clusters are compressed by an unknown method, %d".formatted(type));
    }
    return type == ZSTD;
  }

  private static Optional<Backing> backing(
      Path path, RawFile file, ByteBuffer fixed, long headerBytes, int clusterBits)
      throws IOException {
    long offset = fixed.getLong(8);
    if (offset == 0) {
      return Optional.empty();
    }
    long length = Integer.toUnsignedLong(fixed.getInt(16));
    if (length == 0 || length > MOST_NAME_BYTES) {
      throw new DiskImageException(
          path, "the name of its backing file has %d bytes".formatted(length));
    }
    if (offset < 0 || offset > (1L << clusterBits) - length) {
      throw new DiskImageException(
          path, "the name of its backing file is at 0x%x, not in the header".formatted(offset));
    }
    String name = text(bytes(path, file, offset, (int) length, "the name of the backing file"));
    if (name.indexOf('\0') >= 0) {
      throw new DiskImageException(path, "the name of its backing file has a zero byte");
    }
    String format = backingFormat(path, file, headerBytes, Math.min(offset, 1L << clusterBits));
    return Optional.of(new Backing(name, format));
  }

  /** Looks through the header's extensions, which end where the backing file's name begins. */
  private static String backingFormat(Path path, RawFile file, long first, long end)
      throws IOException {
    long at = first;
    for (int i = 0; i < MOST_EXTENSIONS && at <= end - 8; i++) {
      ByteBuffer head = bytes(path, file, at, 8, "a header extension");
      int type = head.getInt(0);
      long length = Integer.toUnsignedLong(head.getInt(4));
      if (type == END) {
        break;
      }
      if (length > end - at - 8) {
        throw new DiskImageException(
            path,
            "the header extension 0x%08x of %d bytes is not in the header".formatted(type, length));
      }
      if (type == BACKING_FORMAT) {
        if (length > MOST_NAME_BYTES) {
          throw new DiskImageException(
              path, "the format of its backing file has %d bytes".formatted(length));
        }
        return text(bytes(path, file, at + 8, (int) length, "the format of the backing file"));
      }
      at += 8 + (length + 7 & -8);
    }
    return "raw";
  }

  private static String text(ByteBuffer bytes) {
    return StandardCharsets.UTF_8.decode(bytes).toString();
  }

  private void checkTable(Path path, RawFile file) throws IOException {
    if (sizeBytes < 0) {
      throw new DiskImageException(
          path, "a disk of %s bytes".formatted(Long.toUnsignedString(sizeBytes)));
    }
    long bytesOfEntry = (long) clusterBytes() * l2Entries();
    long needed = sizeBytes / bytesOfEntry + (sizeBytes % bytesOfEntry == 0 ? 0 : 1);
    long entries = Integer.toUnsignedLong(l1Entries);
    if (needed > MOST_L1_BYTES / Long.BYTES || entries > MOST_L1_BYTES / Long.BYTES) {
      throw new DiskImageException(
          path,
          "a disk of %d bytes in clusters of %d, and an L1 table of %d entries: more than %d"
              .formatted(sizeBytes, clusterBytes(), entries, MOST_L1_BYTES / Long.BYTES));
    }
    if (entries < needed) {
      throw new DiskImageException(
          path, "its L1 table has %d entries, its disk needs %d".formatted(entries, needed));
    }
    if (l1Offset < 0
        || l1Offset % clusterBytes() != 0
        || l1Offset > file.sizeBytes() - needed * Long.BYTES) {
      throw new DiskImageException(
          path,
          "its L1 table of %d entries is at 0x%x, not in the file".formatted(needed, l1Offset));
    }
  }
}

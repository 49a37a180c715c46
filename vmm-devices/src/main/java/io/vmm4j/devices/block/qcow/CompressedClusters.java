package io.vmm4j.devices.block.qcow;

import io.vmm4j.devices.block.DiskImageException;
import io.vmm4j.devices.block.RawFile;
import io.vmm4j.devices.block.zstd.Zstd;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * The compressed clusters of an image (raw DEFLATE, RFC 1951, or Zstandard, RFC 8878). Those that
 * were used last are kept unpacked, in a bounded room.
 */
final class CompressedClusters {
  private static final int KEPT_BYTES = 8 << 20;
  private static final int SECTOR_BYTES = 512;
  private static final int FLAG_BITS = 2;

  private final Path path;
  private final RawFile file;
  private final int clusterBits;
  private final boolean zstd;
  private final Map<Long, byte[]> kept = new LinkedHashMap<>(16, 0.75f, true);

  CompressedClusters(Path path, RawFile file, QcowHeader header) {
    this.path = path;
    this.file = file;
    this.clusterBits = header.clusterBits();
    this.zstd = header.zstd();
  }

  /** Unpacks the cluster that an entry of an L2 table leads to. */
  synchronized byte[] cluster(long entry) throws IOException {
    long descriptor = entry << FLAG_BITS >>> FLAG_BITS;
    byte[] known = kept.get(descriptor);
    if (known == null) {
      known = unpack(descriptor);
      if (kept.size() == KEPT_BYTES >>> clusterBits) {
        kept.remove(kept.keySet().iterator().next());
      }
      kept.put(descriptor, known);
    }
    return known;
  }

  private byte[] unpack(long descriptor) throws IOException {
    int offsetBits = 62 - (clusterBits - 8);
    long offset = descriptor & (1L << offsetBits) - 1;
    long sectors = (descriptor >>> offsetBits) + 1; // 2 clusters at most
    long length = sectors * SECTOR_BYTES - offset % SECTOR_BYTES;
    if (offset >= file.sizeBytes()) {
      throw new DiskImageException(
          path, "a compressed cluster at 0x%x is beyond the end of the file".formatted(offset));
    }
    // The last sector need not be whole.
    byte[] packed = new byte[(int) Math.min(length, file.sizeBytes() - offset)];
    file.read(offset, MemorySegment.ofArray(packed));
    byte[] unpacked = new byte[1 << clusterBits];
    try {
      if (zstd) {
        Zstd.unpack(packed, unpacked);
      } else {
        inflate(packed, unpacked);
      }
    } catch (DataFormatException e) {
      throw new DiskImageException(
          path, "the compressed cluster at 0x%x is damaged: %s".formatted(offset, e.getMessage()));
    }
    return unpacked;
  }

  private static void inflate(byte[] packed, byte[] unpacked) throws DataFormatException {
    try (Inflater inflater = new Inflater(true)) {
      inflater.setInput(packed);
      int done = 0;
      while (done < unpacked.length) {
        int n = inflater.inflate(unpacked, done, unpacked.length - done);
        if (n == 0) {
          throw new DataFormatException("it ends after %d bytes".formatted(done));
        }
        done += n;
      }
    }
  }
}

package io.vmm4j.devices.block.qcow;

import io.vmm4j.devices.block.DiskImageException;
import io.vmm4j.devices.block.RawFile;
import java.io.IOException;
import java.nio.file.Path;

/** Where the bytes of a disk are, by the two levels of tables of an image. */
final class ClusterMap {
  private static final long OFFSET = 0x00FF_FFFF_FFFF_FE00L;
  private static final long COPIED = 1L << 63;
  private static final long COMPRESSED = 1L << 62;
  private static final long ZERO = 1;
  private static final int SUBCLUSTERS = 32;

  private final Path path;
  private final QcowHeader header;
  private final TableCache tables;
  private final int pieceBytes;

  ClusterMap(Path path, RawFile file, QcowHeader header) {
    this.path = path;
    this.header = header;
    this.tables = new TableCache(path, file);
    this.pieceBytes = header.clusterBytes() / (header.extended() ? SUBCLUSTERS : 1);
  }

  /**
   * Finds where bytes are.
   *
   * @param offset of the first
   * @param most how many are asked for
   * @return as many of them as come from one place
   */
  Extent at(long offset, long most) throws IOException {
    Extent found = piece(offset, most);
    // Reads of long runs are common, and each costs a system call.
    while (found instanceof Extent.Plain run && run.length() < most) {
      Extent next = piece(offset + run.length(), most - run.length());
      if (!(next instanceof Extent.Plain more) || more.place() != run.place() + run.length()) {
        break;
      }
      found = new Extent.Plain(run.length() + more.length(), run.place());
    }
    return found;
  }

  private Extent piece(long offset, long most) throws IOException {
    long cluster = offset >>> header.clusterBits();
    long table = table(cluster / header.l2Entries());
    int within = (int) (offset & header.clusterBytes() - 1);
    if (table == 0) {
      return new Extent.Behind(Math.min(most, header.clusterBytes() - within));
    }
    long at = table + cluster % header.l2Entries() * header.l2EntryBytes();
    long entry = tables.entry(at, "L2 table");
    if ((entry & COMPRESSED) != 0) {
      return new Extent.Compressed(Math.min(most, header.clusterBytes() - within), entry);
    }
    checkEntry(entry, offset);
    long length = Math.min(most, pieceBytes - within % pieceBytes);
    long place = entry & OFFSET;
    if (header.extended()) {
      return subcluster(tables.entry(at + Long.BYTES, "L2 table"), offset, place, length);
    }
    if ((entry & ZERO) != 0) {
      return new Extent.Zeros(length);
    }
    return place == 0 ? new Extent.Behind(length) : new Extent.Plain(length, place + within);
  }

  private Extent subcluster(long bitmap, long offset, long place, long length) throws IOException {
    int within = (int) (offset & header.clusterBytes() - 1);
    int number = within / pieceBytes;
    boolean allocated = (bitmap >>> number & 1) != 0;
    boolean zeros = (bitmap >>> SUBCLUSTERS + number & 1) != 0;
    if (allocated && (zeros || place == 0)) {
      throw new DiskImageException(
          path, "the subclusters 0x%016x at 0x%x contradict".formatted(bitmap, offset));
    }
    if (zeros) {
      return new Extent.Zeros(length);
    }
    return allocated ? new Extent.Plain(length, place + within) : new Extent.Behind(length);
  }

  /** The place of a second table, 0 where there is none. */
  private long table(long index) throws IOException {
    long entry = tables.entry(header.l1Offset() + index * Long.BYTES, "L1 table");
    long table = entry & OFFSET;
    if ((entry & ~(OFFSET | COPIED)) != 0 || table % header.clusterBytes() != 0) {
      throw new DiskImageException(
          path, "entry %d of its L1 table is 0x%016x".formatted(index, entry));
    }
    return table;
  }

  private void checkEntry(long entry, long offset) throws IOException {
    // Version 2 and extended entries have no flag for a cluster of zeros.
    long flags = COPIED | (header.version() == 2 || header.extended() ? 0 : ZERO);
    if ((entry & ~(OFFSET | flags)) != 0 || (entry & OFFSET) % header.clusterBytes() != 0) {
      throw new DiskImageException(
          path, "the L2 entry of 0x%x is 0x%016x".formatted(offset, entry));
    }
  }
}

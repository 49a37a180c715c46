package io.vmm4j.devices.block.qcow;

import io.vmm4j.api.device.PositionedOutput;
import io.vmm4j.devices.block.DiskImageWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Writes an image of version 3 with clusters of 64 KiB. It has neither a backing file nor
 * snapshots, and clusters of zeros are left out.
 *
 * <p>It lies so: the header, the L1 table, data in the order in which it came, L2 tables, reference
 * counts. The header is written last.
 */
public final class QcowImageWriter implements DiskImageWriter {
  private static final int CLUSTER_BITS = 16;
  private static final int CLUSTER_BYTES = 1 << CLUSTER_BITS;
  private static final int ENTRIES = CLUSTER_BYTES / Long.BYTES;
  private static final int COUNTS = CLUSTER_BYTES / Short.BYTES;
  private static final byte[] ZEROS = new byte[CLUSTER_BYTES];

  /** Says in an entry that there is one reference. */
  private static final long COPIED = 1L << 63;

  private static final int HEADER_BYTES = 104;
  private static final int REFCOUNT_ORDER = 4;

  private final PositionedOutput out;
  private final long size;
  private final long[][] tables;
  private final long l1Clusters;
  private long clusters;

  /** Writes a disk of a size. */
  public QcowImageWriter(PositionedOutput out, long size) {
    this.out = out;
    this.size = size;
    long dataClusters = clustersFor(size);
    this.tables = new long[Math.toIntExact((dataClusters + ENTRIES - 1) / ENTRIES)][];
    this.l1Clusters = clustersFor((long) tables.length * Long.BYTES);
    this.clusters = 1 + l1Clusters;
  }

  private static long clustersFor(long bytes) {
    return (bytes + CLUSTER_BYTES - 1) / CLUSTER_BYTES;
  }

  @Override
  public void piece(long offset, byte[] bytes, int length) throws IOException {
    if (Arrays.equals(bytes, 0, length, ZEROS, 0, length)) {
      return;
    }
    long place = clusters++ * CLUSTER_BYTES;
    out.write(place, bytes, 0, length);
    long cluster = offset / CLUSTER_BYTES;
    int table = (int) (cluster / ENTRIES);
    long[] entries = tables[table];
    if (entries == null) {
      entries = new long[ENTRIES];
      tables[table] = entries;
    }
    entries[(int) (cluster % ENTRIES)] = COPIED | place;
  }

  @Override
  public void finish() throws IOException {
    long[] first = new long[tables.length];
    for (int i = 0; i < tables.length; i++) {
      if (tables[i] != null) {
        first[i] = COPIED | clusters * CLUSTER_BYTES;
        write(clusters++, tables[i]);
      }
    }
    for (int from = 0; from < first.length; from += ENTRIES) {
      write(
          1 + from / ENTRIES,
          Arrays.copyOfRange(first, from, Math.min(first.length, from + ENTRIES)));
    }
    long blocks = 0;
    long tableClusters = 0;
    long all = clusters;
    // The counts count their own clusters too.
    while (all > blocks * COUNTS || blocks > tableClusters * ENTRIES) {
      blocks = (all + COUNTS - 1) / COUNTS;
      tableClusters = clustersFor(blocks * Long.BYTES);
      all = clusters + blocks + tableClusters;
    }
    long table = clusters;
    writeCounts(table, tableClusters, blocks, all);
    out.setLength(all * CLUSTER_BYTES);
    header(table * CLUSTER_BYTES, tableClusters);
  }

  private void writeCounts(long table, long tableClusters, long blocks, long all)
      throws IOException {
    long[] places = new long[Math.toIntExact(blocks)];
    for (int i = 0; i < blocks; i++) {
      long block = table + tableClusters + i;
      places[i] = block * CLUSTER_BYTES;
      ByteBuffer counts = ByteBuffer.allocate(CLUSTER_BYTES);
      long counted = Math.min(COUNTS, all - (long) i * COUNTS);
      for (int cluster = 0; cluster < counted; cluster++) {
        counts.putShort((short) 1);
      }
      out.write(block * CLUSTER_BYTES, counts.array(), 0, CLUSTER_BYTES);
    }
    for (int from = 0; from < places.length; from += ENTRIES) {
      write(
          table + from / ENTRIES,
          Arrays.copyOfRange(places, from, Math.min(places.length, from + ENTRIES)));
    }
  }

  private void write(long cluster, long[] entries) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(CLUSTER_BYTES);
    bytes.asLongBuffer().put(entries);
    out.write(cluster * CLUSTER_BYTES, bytes.array(), 0, CLUSTER_BYTES);
  }

  private void header(long refcounts, long refcountClusters) throws IOException {
    ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES + 8); // no extensions
    header.putInt(0, 0x514649FB).putInt(4, 3).putInt(20, CLUSTER_BITS).putLong(24, size);
    header.putInt(36, tables.length).putLong(40, CLUSTER_BYTES);
    header.putLong(48, refcounts).putInt(56, Math.toIntExact(refcountClusters));
    header.putInt(96, REFCOUNT_ORDER).putInt(100, HEADER_BYTES);
    out.write(0, header.array(), 0, header.capacity());
  }
}

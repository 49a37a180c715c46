package io.vmm4j.api;

/** How the memory lies in a snapshot. */
public enum SnapshotLayout {
  /** In blocks, each packed and with its checksum; zeros left out. */
  STREAM,
  /**
   * In one piece, not compressed, at a multiple of the page size: a file that is restored from its
   * path is mapped instead of read, in a time that does not depend on its size. Zeros become holes
   * in a file, and are written out to a stream.
   */
  MAPPED
}

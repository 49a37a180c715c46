package io.vmm4j.api;

/**
 * How the memory in a snapshot is packed. It has no influence on what is restored, and every
 * snapshot is read whatever it was packed with. Memory of zeros takes no room in any of them.
 * docs/benchmarks.md has speed and size of each.
 */
public enum SnapshotCompression {
  /** Not at all: for a disk or a network faster than packing, or a stream that packs by itself. */
  NONE,
  /** LZ4: little effort to write and least to read. */
  FAST,
  /** DEFLATE: smaller, and several times slower to write. */
  SMALL
}

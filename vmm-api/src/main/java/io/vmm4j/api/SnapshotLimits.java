package io.vmm4j.api;

/**
 * What a reader is prepared to take from a stream that may be hostile.
 *
 * @param memory the most guest memory (RAM and device memory together) it allocates
 * @param chunks the most chunks
 * @param chunkBytes the longest chunk
 */
public record SnapshotLimits(MemorySize memory, int chunks, MemorySize chunkBytes) {

  /** 64 GiB of guest memory, a million chunks, 64 MiB a chunk. */
  public static SnapshotLimits standard() {
    return new SnapshotLimits(MemorySize.gibibytes(64), 1_000_000, MemorySize.mebibytes(64));
  }
}

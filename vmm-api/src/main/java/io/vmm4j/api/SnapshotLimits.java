package io.vmm4j.api;

import java.util.Objects;

/**
 * What a reader is prepared to take from a stream that may be hostile.
 *
 * @param memory the most guest memory (RAM and device memory together) it allocates
 * @param chunks the most chunks
 * @param chunkBytes the longest chunk
 */
public record SnapshotLimits(MemorySize memory, int chunks, MemorySize chunkBytes) {

  /** Refuses absent parts. */
  public SnapshotLimits {
    Objects.requireNonNull(memory, "memory");
    Objects.requireNonNull(chunkBytes, "chunkBytes");
  }

  /**
   * Returns limits within which every machine that can be specified can be read: {@link
   * VmSpec#MAX_MEMORY}, {@link VmSpec#MAX_DEVICE_MEMORY} and {@link VmSpec#MAX_SPARSE_MEMORY}
   * together, a million chunks, 64 MiB a chunk.
   */
  public static SnapshotLimits standard() {
    long memory =
        VmSpec.MAX_MEMORY.bytes()
            + VmSpec.MAX_DEVICE_MEMORY.bytes()
            + VmSpec.MAX_SPARSE_MEMORY.bytes();
    return new SnapshotLimits(MemorySize.bytes(memory), 1_000_000, MemorySize.mebibytes(64));
  }
}

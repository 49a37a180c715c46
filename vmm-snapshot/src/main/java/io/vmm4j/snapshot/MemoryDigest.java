package io.vmm4j.snapshot;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * A digest of the contents of all memory, whatever they are stored as: two snapshots of one memory
 * have the same, be they compressed, mapped, or a chain of deltas. With the id it is what a delta
 * names its parent by.
 *
 * <p>It is a tree of two levels. A leaf stands for a block of 2 MiB of a region: it is absent if
 * the block is all zeros, else the SHA-256 over the number (4 bytes) and contents of each page that
 * is not. The root is the SHA-256 over, region by region in the order of their names, the name, the
 * size, and the number and leaf of each block that has one. So a delta's digest is had from its
 * parent's and the changed blocks alone. docs/snapshot-format.md has it to the byte.
 *
 * <p>Immutable. Equal if the root is.
 */
public final class MemoryDigest {
  static final int LEAF_BYTES = 32;
  private static final long END_OF_REGION = -1;

  private record Leaves(long bytes, TreeMap<Long, byte[]> byBlock) {}

  private final Map<String, Leaves> regions;
  private final String sha256;

  private MemoryDigest(Map<String, Leaves> regions) {
    this.regions = regions;
    this.sha256 = root(regions);
  }

  /** The root, in hexadecimal: the footer's {@code memorySha256}. */
  public String sha256() {
    return sha256;
  }

  /**
   * The digest of memory that is at hand, such as that of a mapped file. Large memory is digested
   * on several threads.
   *
   * @param regions all regions of the machine
   * @param sources by region name the contents, which must not change until this returns
   */
  public static MemoryDigest compute(
      List<MachineDescription.Region> regions, Function<String, MemorySource> sources)
      throws IOException {
    Builder builder = new Builder(regions, Optional.empty());
    for (MachineDescription.Region region : regions) {
      MemorySource source = sources.apply(region.name());
      try (OrderedPipeline<BlockPacker, BlockPacker.Packed> pipeline =
          new OrderedPipeline<>(
              region.bytes() >= SnapshotWriter.PARALLEL_BYTES,
              () -> new BlockPacker(Compression.NONE),
              packed -> builder.leaf(region.name(), packed.offset(), packed.leaf()))) {
        for (long at = 0; at < region.bytes(); at += SnapshotFormat.BLOCK_BYTES) {
          long offset = at;
          int length = (int) Math.min(SnapshotFormat.BLOCK_BYTES, region.bytes() - at);
          pipeline.submit(packer -> packer.digest(source, offset, length));
        }
        pipeline.drain();
      }
    }
    return builder.build();
  }

  /** Why a delta to this memory can't have such regions; absent if it can. */
  Optional<String> misfit(MachineDescription machine) {
    Map<String, Long> sizes = new LinkedHashMap<>();
    regions.forEach((name, leaves) -> sizes.put(name, leaves.bytes));
    return misfit(sizes, machine);
  }

  /**
   * Why a delta can't have such regions: all of the parent's are there and as large as they were,
   * others may be new.
   */
  static Optional<String> misfit(Map<String, Long> parent, MachineDescription delta) {
    Map<String, Long> own = new HashMap<>();
    delta.regions().forEach(region -> own.put(region.name(), region.bytes()));
    for (Map.Entry<String, Long> region : parent.entrySet()) {
      Long bytes = own.get(region.getKey());
      if (!region.getValue().equals(bytes)) {
        return Optional.of(
            "memory region '%s' has %d bytes in the parent, and %s in the delta"
                .formatted(region.getKey(), region.getValue(), bytes == null ? "none" : bytes));
      }
    }
    return Optional.empty();
  }

  /**
   * Whether a block is all zeros.
   *
   * @param region as the machine's description names it
   * @param offset into the region, of any byte of the block
   */
  public boolean isZero(String region, long offset) {
    return leaf(region, offset).isEmpty();
  }

  /** The size of the blocks that {@link #isZero} tells of, in bytes. */
  public static int blockBytes() {
    return SnapshotFormat.BLOCK_BYTES;
  }

  /** The leaf of a block; absent if the block is zeros or the region is not there. */
  Optional<byte[]> leaf(String region, long offset) {
    Leaves leaves = regions.get(region);
    return leaves == null
        ? Optional.empty()
        : Optional.ofNullable(leaves.byBlock.get(offset / SnapshotFormat.BLOCK_BYTES));
  }

  private static String root(Map<String, Leaves> regions) {
    record Named(byte[] name, Leaves leaves) {}
    List<Named> inOrder = new ArrayList<>();
    regions.forEach(
        (name, leaves) -> inOrder.add(new Named(name.getBytes(StandardCharsets.UTF_8), leaves)));
    inOrder.sort(Comparator.comparing(Named::name, Arrays::compareUnsigned));
    MessageDigest digest = ChunkOutput.sha256();
    ByteBuffer number = ByteBuffer.allocate(Long.BYTES);
    for (Named region : inOrder) {
      digest.update(number.putInt(0, region.name.length).array(), 0, Integer.BYTES);
      digest.update(region.name);
      digest.update(number.putLong(0, region.leaves.bytes).array());
      region.leaves.byBlock.forEach((block, leaf) -> {
        digest.update(number.putLong(0, block).array());
        digest.update(leaf);
      });
      digest.update(number.putLong(0, END_OF_REGION).array());
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof MemoryDigest that && that.sha256.equals(sha256);
  }

  @Override
  public int hashCode() {
    return sha256.hashCode();
  }

  @Override
  public String toString() {
    return sha256;
  }

  /** A digest in the making: at first that of the parent's memory, or of zeros. */
  static final class Builder {
    private final Map<String, Leaves> regions = new LinkedHashMap<>();

    Builder(List<MachineDescription.Region> regions, Optional<MemoryDigest> parent) {
      for (MachineDescription.Region region : regions) {
        TreeMap<Long, byte[]> leaves = new TreeMap<>();
        parent
            .map(digest -> digest.regions.get(region.name()))
            .ifPresent(inherited -> leaves.putAll(inherited.byBlock));
        this.regions.put(region.name(), new Leaves(region.bytes(), leaves));
      }
    }

    /** States the leaf of the block at an offset; absent if it is zeros. */
    void leaf(String region, long offset, Optional<byte[]> leaf) {
      TreeMap<Long, byte[]> leaves = regions.get(region).byBlock;
      long block = offset / SnapshotFormat.BLOCK_BYTES;
      leaf.ifPresentOrElse(bytes -> leaves.put(block, bytes), () -> leaves.remove(block));
    }

    /** The digest; the builder is not used again. */
    MemoryDigest build() {
      return new MemoryDigest(regions);
    }
  }
}

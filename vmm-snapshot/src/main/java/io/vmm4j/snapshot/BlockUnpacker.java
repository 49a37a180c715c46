package io.vmm4j.snapshot;

import io.vmm4j.api.SnapshotException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.DataFormatException;

/** Checks the body of a memory chunk, puts its pages where they belong, and digests them. */
final class BlockUnpacker implements AutoCloseable {
  private final Map<Compression, BlockCodec> codecs = new EnumMap<>(Compression.class);
  private final BlockDigest digest = new BlockDigest();
  private byte[] plain = new byte[0];

  /**
   * A memory chunk whose header was found good.
   *
   * @param runs page kind and count, in turn
   * @param plainBytes the length of the body before compression
   * @param base what the region's memory is where the block goes
   */
  record Block(
      String region,
      long regionOffset,
      List<Integer> runs,
      int plainBytes,
      Base base,
      Compression compression,
      ChunkBody body) {}

  /** What is there before a block. */
  enum Base {
    ZEROS,
    /** The parent's memory. */
    PARENT,
    /** Nothing is known of the parent: its pages can't be digested. */
    UNKNOWN
  }

  /**
   * What became of a block.
   *
   * @param leaf its digest; absent if it is zeros
   * @param imageCounts of a piece of a memory image, how many pages there are of each kind
   */
  record Unpacked(
      String region, long regionOffset, Optional<byte[]> leaf, Optional<int[]> imageCounts) {}

  /**
   * Unpacks a block.
   *
   * @param target the region's memory; absent if the block is only checked, which a delta's is only
   *     on an unknown base
   */
  Unpacked unpack(Block block, Optional<MemorySegment> target) {
    ChunkBody body =
        block
            .body()
            .verify("memory of '%s' at 0x%x".formatted(block.region(), block.regionOffset()));
    byte[] bytes = block.compression() == Compression.NONE ? body.bytes() : decompress(block);
    target.ifPresent(memory -> scatter(block, bytes, memory));
    switch (block.base()) {
      case ZEROS -> digest(block, bytes);
      case PARENT -> digest(block, target.orElseThrow());
      case UNKNOWN -> {
        // No digest.
      }
    }
    return new Unpacked(block.region(), block.regionOffset(), digest.end(), Optional.empty());
  }

  /**
   * Puts a piece of a memory image where it belongs.
   *
   * @param target the region's memory, of zeros; absent if the piece is only digested
   */
  Unpacked raw(String region, long regionOffset, byte[] bytes, Optional<MemorySegment> target) {
    MemorySegment piece = MemorySegment.ofArray(bytes);
    int[] counts = new int[SnapshotFormat.PAGE_KINDS];
    for (int from = 0; from < bytes.length; from += SnapshotFormat.PAGE_BYTES) {
      int kind = BlockPacker.kind(piece, from);
      counts[kind]++;
      if (kind != SnapshotFormat.PAGE_ZERO) {
        digest.page(from / SnapshotFormat.PAGE_BYTES, bytes, from);
        if (target.isPresent()) {
          MemorySegment.copy(
              piece, from, target.get(), regionOffset + from, SnapshotFormat.PAGE_BYTES);
        }
      }
    }
    return new Unpacked(region, regionOffset, digest.end(), Optional.of(counts));
  }

  /** Digests a block that stands for itself. */
  private void digest(Block block, byte[] bytes) {
    int page = 0;
    int from = 0;
    for (int i = 0; i < block.runs().size(); i += 2) {
      int kind = block.runs().get(i);
      for (int end = page + block.runs().get(i + 1); page < end; page++) {
        if (kind == SnapshotFormat.PAGE_DATA) {
          digest.page(page, bytes, from);
        } else if (kind == SnapshotFormat.PAGE_FILL) {
          digest.fill(page, bytes, from);
        }
        from += SnapshotFormat.storedBytes(kind);
      }
    }
  }

  /** Digests the memory that a block has become part of. */
  private void digest(Block block, MemorySegment memory) {
    int pages = 0;
    for (int i = 1; i < block.runs().size(); i += 2) {
      pages += block.runs().get(i);
    }
    for (int page = 0; page < pages; page++) {
      digest.page(page, memory, block.regionOffset() + (long) page * SnapshotFormat.PAGE_BYTES);
    }
  }

  private byte[] decompress(Block block) {
    if (plain.length < block.plainBytes()) {
      plain = new byte[SnapshotFormat.BLOCK_BYTES];
    }
    try {
      codecs
          .computeIfAbsent(block.compression(), Compression::codec)
          .unpack(block.body().bytes(), plain, block.plainBytes());
      return plain;
    } catch (DataFormatException e) {
      throw new SnapshotException.Corrupt(
          block.body().offset(), "memory that can't be decompressed: " + e.getMessage());
    }
  }

  private static void scatter(Block block, byte[] bytes, MemorySegment memory) {
    long to = block.regionOffset();
    int from = 0;
    for (int i = 0; i < block.runs().size(); i += 2) {
      long length = (long) block.runs().get(i + 1) * SnapshotFormat.PAGE_BYTES;
      switch (block.runs().get(i)) {
        case SnapshotFormat.PAGE_DATA -> {
          MemorySegment.copy(bytes, from, memory, ValueLayout.JAVA_BYTE, to, (int) length);
          from += (int) length;
        }
        case SnapshotFormat.PAGE_FILL -> {
          for (long page = to; page < to + length; page += SnapshotFormat.PAGE_BYTES) {
            fill(bytes, from, memory.asSlice(page, SnapshotFormat.PAGE_BYTES));
            from += SnapshotFormat.FILL_BYTES;
          }
        }
        case SnapshotFormat.PAGE_ZERO -> {
          if (block.base() != Base.ZEROS) {
            memory.asSlice(to, length).fill((byte) 0);
          }
        }
        default -> {
          // The parent's: the memory is so already.
        }
      }
      to += length;
    }
  }

  private static void fill(byte[] bytes, int from, MemorySegment page) {
    MemorySegment pattern = MemorySegment.ofArray(bytes).asSlice(from, SnapshotFormat.FILL_BYTES);
    long value = pattern.get(ValueLayout.JAVA_LONG_UNALIGNED, 0);
    for (long i = 0; i < page.byteSize(); i += SnapshotFormat.FILL_BYTES) {
      page.set(ValueLayout.JAVA_LONG_UNALIGNED, i, value);
    }
  }

  @Override
  public void close() {
    codecs.values().forEach(BlockCodec::close);
  }
}

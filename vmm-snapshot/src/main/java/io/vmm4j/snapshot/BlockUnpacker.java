package io.vmm4j.snapshot;

import io.vmm4j.api.SnapshotException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/** Checks the body of a memory chunk and puts its pages where they belong. */
final class BlockUnpacker implements AutoCloseable {
  private final Inflater inflater = new Inflater(true);
  private byte[] plain = new byte[0];

  /**
   * A memory chunk whose header was found good.
   *
   * @param runs page kind and count, in turn
   * @param plainBytes the length of the body before compression
   */
  record Block(
      String region,
      long regionOffset,
      List<Integer> runs,
      int plainBytes,
      Compression compression,
      ChunkBody body) {}

  /**
   * Unpacks a block.
   *
   * @param target the region's memory, of zeros where the block goes; absent if it is only checked
   */
  void unpack(Block block, Optional<MemorySegment> target) {
    ChunkBody body =
        block
            .body()
            .verify("memory of '%s' at 0x%x".formatted(block.region(), block.regionOffset()));
    byte[] bytes = block.compression() == Compression.NONE ? body.bytes() : inflate(block);
    target.ifPresent(memory -> scatter(block, bytes, memory));
  }

  private byte[] inflate(Block block) {
    byte[] packed = block.body().bytes();
    if (plain.length < block.plainBytes()) {
      plain = new byte[SnapshotFormat.BLOCK_BYTES];
    }
    inflater.reset();
    inflater.setInput(packed);
    int have = 0;
    try {
      while (have < block.plainBytes()) {
        int n = inflater.inflate(plain, have, block.plainBytes() - have);
        if (n == 0) {
          break;
        }
        have += n;
      }
      // The mark of the end may still be unread when the last byte is there.
      boolean ended =
          inflater.finished() || inflater.inflate(new byte[1]) == 0 && inflater.finished();
      if (have == block.plainBytes() && ended && inflater.getRemaining() == 0) {
        return plain;
      }
    } catch (DataFormatException e) {
      throw new SnapshotException.Corrupt(
          block.body().offset(), "memory that can't be decompressed: " + e.getMessage());
    }
    throw new SnapshotException.Corrupt(
        block.body().offset(),
        "memory that decompresses to another length than " + block.plainBytes());
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
        default -> {
          // Zeros: the memory is so already.
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
    inflater.end();
  }
}

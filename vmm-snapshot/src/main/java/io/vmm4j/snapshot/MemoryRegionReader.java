package io.vmm4j.snapshot;

import io.vmm4j.api.SnapshotException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Checks the headers of one region's memory chunks: their order, their places, their pages. */
final class MemoryRegionReader {
  private final MachineDescription.Region region;
  private final Optional<MemorySegment> target;
  private final BlockUnpacker.Base base;
  private MemoryMakeUp makeUp;
  private long nextOffset;
  private List<Integer> runs = List.of();
  private Compression compression = Compression.NONE;
  private int[] counts = new int[SnapshotFormat.PAGE_KINDS];

  MemoryRegionReader(
      MachineDescription.Region region, Optional<MemorySegment> target, BlockUnpacker.Base base) {
    if (target.isPresent() && target.get().byteSize() != region.bytes()) {
      throw new IllegalArgumentException(
          "the sink gave %d bytes for region '%s' of %d"
              .formatted(target.get().byteSize(), region.name(), region.bytes()));
    }
    this.region = region;
    this.target = target;
    this.base = base;
    this.makeUp = MemoryMakeUp.untouched(region.name(), region.bytes(), delta());
  }

  private boolean delta() {
    return base != BlockUnpacker.Base.ZEROS;
  }

  long bytes() {
    return region.bytes();
  }

  Optional<MemorySegment> target() {
    return target;
  }

  MemoryMakeUp makeUp() {
    return makeUp;
  }

  /** Checks a header before its body is read. */
  void begin(ChunkHeader header) {
    long at = header.offset();
    long offset = Fields.integer(header.fields(), "offset", nextOffset, region.bytes() - 1, at);
    if (offset % SnapshotFormat.BLOCK_BYTES != 0) {
      throw Fields.wrong("offset", "a multiple of the block size", offset, at);
    }
    nextOffset = offset + SnapshotFormat.BLOCK_BYTES;
    compression = compression(Fields.text(header.fields(), "compression", at), at);
    int pages =
        (int)
            (Math.min(SnapshotFormat.BLOCK_BYTES, region.bytes() - offset)
                / SnapshotFormat.PAGE_BYTES);
    readRuns(header, pages);
    boolean fits =
        compression == Compression.NONE
            ? header.length() == plainBytes()
            : header.length() < plainBytes();
    if (!fits) {
      throw Fields.wrong("length", "that of " + plainBytes() + " bytes", header.length(), at);
    }
  }

  private static Compression compression(String name, long at) {
    for (Compression known : Compression.values()) {
      if (known.formatName().equals(name)) {
        return known;
      }
    }
    throw new SnapshotException.Incompatible(
        "compression '%s' at offset %d".formatted(name, at),
        "this version does not know it; use a newer release");
  }

  private void readRuns(ChunkHeader header, int pages) {
    long at = header.offset();
    if (!header.fields().has("pages")
        || !(header.fields().get("pages") instanceof List<?> list)
        || list.size() % 2 != 0) {
      throw new SnapshotException.Corrupt(at, "field 'pages': expected pairs of kind and count");
    }
    List<Integer> read = new ArrayList<>(list.size());
    counts = new int[SnapshotFormat.PAGE_KINDS];
    int lastKind = delta() ? SnapshotFormat.PAGE_PARENT : SnapshotFormat.PAGE_DATA;
    int left = pages;
    for (int i = 0; i < list.size(); i += 2) {
      if (!(list.get(i) instanceof Long kind) || kind < 0 || kind > lastKind) {
        throw Fields.wrong("pages", "the kind of a page", list.get(i), at);
      }
      if (!(list.get(i + 1) instanceof Long count) || count < 1 || count > left) {
        throw Fields.wrong("pages", "a count up to " + left, list.get(i + 1), at);
      }
      left -= count.intValue();
      counts[kind.intValue()] += count.intValue();
      read.add(kind.intValue());
      read.add(count.intValue());
    }
    if (left != 0) {
      throw Fields.wrong("pages", pages + " pages", pages - left, at);
    }
    runs = read;
  }

  int plainBytes() {
    int bytes = 0;
    for (int kind = 0; kind < counts.length; kind++) {
      bytes += counts[kind] * SnapshotFormat.storedBytes(kind);
    }
    return bytes;
  }

  /** The block whose header was checked, with its body. */
  BlockUnpacker.Block block(ChunkHeader header, ChunkBody body) {
    makeUp = makeUp.plus(delta(), counts, header.length(), compression != Compression.NONE);
    return new BlockUnpacker.Block(
        region.name(),
        nextOffset - SnapshotFormat.BLOCK_BYTES,
        runs,
        plainBytes(),
        base,
        compression,
        body);
  }

  /** Reads the region's part of a memory image. */
  void image(ChunkInput in, OrderedPipeline<BlockUnpacker, BlockUnpacker.Unpacked> pipeline)
      throws IOException {
    for (long at = 0; at < region.bytes(); at += SnapshotFormat.BLOCK_BYTES) {
      long offset = at;
      byte[] piece = in.piece((int) Math.min(SnapshotFormat.BLOCK_BYTES, region.bytes() - at));
      pipeline.submit(unpacker -> unpacker.raw(region.name(), offset, piece, target));
    }
  }

  /** Takes in what a piece of a memory image consists of. */
  void addImage(int[] pieceCounts) {
    makeUp = makeUp.plusImage(pieceCounts);
  }
}

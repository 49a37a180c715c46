package io.vmm4j.snapshot;

import io.vmm4j.api.state.FieldMap;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * Writes the memory of all regions as the body of one chunk, which begins at a multiple of the page
 * size. A chunk of padding before it sees to that.
 */
final class MemoryImageOutput {

  /** From here up to 65535 a length takes the same bytes wherever it stands. */
  private static final int LEAST_PADDING = 256;

  private final ChunkOutput out;
  private final CRC32C crc = new CRC32C();
  private List<MachineDescription.Region> regions = List.of();
  private int next;
  private boolean begun;

  MemoryImageOutput(ChunkOutput out) {
    this.out = out;
  }

  /** All regions, in the order in which they will come. */
  void regions(List<MachineDescription.Region> all) {
    regions = all;
  }

  boolean begun() {
    return begun;
  }

  private void begin() throws IOException {
    List<FieldMap> places = new ArrayList<>();
    long total = 0;
    for (MachineDescription.Region region : regions) {
      Map<String, Object> place = new LinkedHashMap<>();
      place.put("region", region.name());
      place.put("offset", total);
      place.put("bytes", region.bytes());
      places.add(FieldMap.of(place));
      total += region.bytes();
    }
    begin(out, FieldMap.of(Map.of("regions", places)), total);
    begun = true;
  }

  /**
   * Begins a memory image with the padding before it.
   *
   * @param header the fields of its header, but for those that every header has
   * @param total the length of its body
   */
  static void begin(ChunkOutput out, FieldMap header, long total) throws IOException {
    FieldMap none = FieldMap.of(Map.of());
    long at =
        out.count()
            + ChunkOutput.beginBodyBytes(SnapshotFormat.PADDING, false, none, LEAST_PADDING)
            + LEAST_PADDING
            + ChunkOutput.CRC_BYTES
            + ChunkOutput.beginBodyBytes(SnapshotFormat.MEMORY_IMAGE, true, header, total);
    int padding = LEAST_PADDING + (int) (-at & (SnapshotFormat.PAGE_BYTES - 1));
    CRC32C ofZeros = new CRC32C();
    ofZeros.update(new byte[padding]);
    out.chunk(
        SnapshotFormat.PADDING, false, none, new byte[padding], padding, (int) ofZeros.getValue());
    out.beginBody(SnapshotFormat.MEMORY_IMAGE, true, header, total);
  }

  /** The contents of the next region. */
  MemoryMakeUp memory(String region, MemorySource source, MemoryDigest.Builder digest)
      throws IOException {
    if (!regions.get(next).name().equals(region)) {
      throw new IllegalArgumentException(
          "region '%s' comes next in the mapped layout, not '%s'"
              .formatted(regions.get(next).name(), region));
    }
    if (!begun) {
      begin();
    }
    next++;
    long size = source.size();
    MemoryMakeUp[] makeUp = {MemoryMakeUp.untouched(region, size, false)};
    try (OrderedPipeline<BlockPacker, BlockPacker.Packed> pipeline =
        new OrderedPipeline<>(
            size >= SnapshotWriter.PARALLEL_BYTES,
            () -> new BlockPacker(Compression.NONE),
            packed -> {
              BlockPacker.Block block = packed.block().orElseThrow();
              crc.update(block.body(), 0, block.length());
              out.body(block.body(), block.length());
              digest.leaf(region, packed.offset(), packed.leaf());
              makeUp[0] = makeUp[0].plusImage(block.counts());
            })) {
      for (long offset = 0; offset < size; offset += SnapshotFormat.BLOCK_BYTES) {
        long at = offset;
        int length = (int) Math.min(SnapshotFormat.BLOCK_BYTES, size - offset);
        pipeline.submit(packer -> packer.raw(source, at, length));
      }
      pipeline.drain();
    }
    return makeUp[0];
  }

  /** Ends the chunk. */
  void end() throws IOException {
    if (next != regions.size() || !begun) {
      throw new IllegalStateException("not now: a region is missing in the mapped layout");
    }
    out.endBody((int) crc.getValue());
  }
}

package io.vmm4j.snapshot;

/**
 * What the memory of a region consists of, as a snapshot has it.
 *
 * @param region the region's name
 * @param totalBytes its size
 * @param zeroBytes in pages of zeros
 * @param fillBytes in pages that repeat eight bytes
 * @param dataBytes in all other pages
 * @param parentBytes in pages that are the same as the parent's; 0 in a whole snapshot
 * @param storedBytes what the contents take in the stream, after compression
 * @param blocks memory chunks; 0 in a memory image
 * @param compressedBlocks memory chunks that are compressed
 */
public record MemoryMakeUp(
    String region,
    long totalBytes,
    long zeroBytes,
    long fillBytes,
    long dataBytes,
    long parentBytes,
    long storedBytes,
    long blocks,
    long compressedBlocks) {

  /** Of a region of which no block was seen yet. */
  static MemoryMakeUp untouched(String region, long totalBytes, boolean delta) {
    return new MemoryMakeUp(
        region, totalBytes, delta ? 0 : totalBytes, 0, 0, delta ? totalBytes : 0, 0, 0, 0);
  }

  /**
   * With one more block.
   *
   * @param delta whether what no block covers is the parent's, and not zeros
   * @param counts how many pages there are of each kind
   */
  MemoryMakeUp plus(boolean delta, int[] counts, long stored, boolean compressed) {
    long covered = bytes(counts[0] + counts[1] + counts[2] + counts[3]);
    return new MemoryMakeUp(
        region,
        totalBytes,
        zeroBytes + bytes(counts[SnapshotFormat.PAGE_ZERO]) - (delta ? 0 : covered),
        fillBytes + bytes(counts[SnapshotFormat.PAGE_FILL]),
        dataBytes + bytes(counts[SnapshotFormat.PAGE_DATA]),
        parentBytes + bytes(counts[SnapshotFormat.PAGE_PARENT]) - (delta ? covered : 0),
        storedBytes + stored,
        blocks + 1,
        compressedBlocks + (compressed ? 1 : 0));
  }

  /** With one more piece of a memory image, in which every page is there. */
  MemoryMakeUp plusImage(int[] counts) {
    MemoryMakeUp sum = plus(false, counts, 0, false);
    return new MemoryMakeUp(
        region,
        totalBytes,
        sum.zeroBytes,
        sum.fillBytes,
        sum.dataBytes,
        0,
        storedBytes + bytes(counts[0] + counts[1] + counts[2]),
        0,
        0);
  }

  private static long bytes(int pages) {
    return (long) pages * SnapshotFormat.PAGE_BYTES;
  }
}

package io.vmm4j.snapshot;

/**
 * What the memory of a region consists of.
 *
 * @param region the region's name
 * @param totalBytes its size
 * @param zeroBytes in pages of zeros
 * @param fillBytes in pages that repeat eight bytes
 * @param dataBytes in all other pages
 * @param storedBytes what the contents take in the stream, after compression
 * @param blocks memory chunks
 * @param compressedBlocks memory chunks that are compressed
 */
public record MemoryMakeUp(
    String region,
    long totalBytes,
    long zeroBytes,
    long fillBytes,
    long dataBytes,
    long storedBytes,
    long blocks,
    long compressedBlocks) {

  /** Of a region of zeros. */
  static MemoryMakeUp zeros(String region, long totalBytes) {
    return new MemoryMakeUp(region, totalBytes, totalBytes, 0, 0, 0, 0, 0);
  }

  /** With one more block. */
  MemoryMakeUp plus(long fill, long data, long stored, boolean compressed) {
    return new MemoryMakeUp(
        region,
        totalBytes,
        zeroBytes - fill - data,
        fillBytes + fill,
        dataBytes + data,
        storedBytes + stored,
        blocks + 1,
        compressedBlocks + (compressed ? 1 : 0));
  }
}

package io.vmm4j.snapshot;

import io.vmm4j.api.SnapshotException;
import java.util.zip.CRC32C;

/**
 * The body of a chunk as it was read, its checksum not yet looked at.
 *
 * @param bytes the body
 * @param crc the checksum that the stream states
 * @param offset where the body begins, in bytes from the start of the stream
 */
record ChunkBody(byte[] bytes, int crc, long offset) {

  /** Refuses the body if it has another checksum than stated. */
  ChunkBody verify(String what) {
    CRC32C actual = new CRC32C();
    actual.update(bytes, 0, bytes.length);
    if ((int) actual.getValue() != crc) {
      throw new SnapshotException.Corrupt(
          offset,
          "%s: its checksum is %08x, stated is %08x".formatted(what, (int) actual.getValue(), crc));
    }
    return this;
  }
}

package io.vmm4j.snapshot;

import io.vmm4j.api.state.FieldMap;
import java.util.Arrays;

/**
 * An optional chunk of a kind that this version does not know: passed over, and kept for who writes
 * the snapshot again.
 *
 * @param kind the chunk's kind
 * @param name its type and path, as far as its header has them; else empty
 * @param offset where it begins, in bytes from the start of the stream
 * @param header all fields of its header
 * @param tagged whether its body is tagged as fields
 * @param body its body, not to be changed
 */
public record SkippedChunk(
    String kind, String name, long offset, FieldMap header, boolean tagged, byte[] body) {

  /** Equal if all is, the body by its contents. */
  @Override
  public boolean equals(Object other) {
    return other instanceof SkippedChunk that
        && that.offset == offset
        && that.tagged == tagged
        && that.header.equals(header)
        && Arrays.equals(that.body, body);
  }

  @Override
  public int hashCode() {
    return Long.hashCode(offset);
  }
}

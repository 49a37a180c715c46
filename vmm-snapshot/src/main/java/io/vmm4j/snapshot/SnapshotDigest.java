package io.vmm4j.snapshot;

/**
 * What the footer says.
 *
 * @param chunkCount the chunks between prologue and footer
 * @param byteCount the bytes before the footer
 * @param sha256 of these bytes, in hexadecimal
 * @param memorySha256 the root of the {@link MemoryDigest}, in hexadecimal: with the id, what a
 *     delta names its parent by
 */
public record SnapshotDigest(long chunkCount, long byteCount, String sha256, String memorySha256) {}

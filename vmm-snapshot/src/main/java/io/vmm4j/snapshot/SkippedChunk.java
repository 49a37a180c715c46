package io.vmm4j.snapshot;

/**
 * An optional chunk that this version does not know and passed over.
 *
 * @param kind the chunk's kind
 * @param name its type and path, as far as its header has them; else empty
 * @param offset where it begins, in bytes from the start of the stream
 * @param bytes the length of its body
 */
public record SkippedChunk(String kind, String name, long offset, long bytes) {}

package io.vmm4j.api.backend;

/**
 * A segment register with its hidden part (Intel SDM volume 3, 3.4.3 and 3.4.5).
 *
 * @param selector 0 to 0xFFFF
 * @param base linear address
 * @param limit in bytes, granularity applied: the last valid offset, 0 to 0xFFFFFFFF
 * @param attributes descriptor bits 40 to 55 without the limit: type in bits 0-3, S 4, DPL 5-6, P
 *     7, AVL 12, L 13, D/B 14, G 15; bit 16 set means unusable (a null selector was loaded)
 */
public record SegmentState(int selector, long base, long limit, int attributes) {
  /** The attribute bit of an unusable segment. */
  public static final int UNUSABLE = 1 << 16;
}

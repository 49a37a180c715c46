package io.vmm4j.x86;

/**
 * Attributes of segment registers, as {@link io.vmm4j.api.backend.SegmentState#attributes} has them
 * (Intel SDM volume 3, 3.4.5).
 */
public final class SegmentAttributes {
  /** Present data, read and write, accessed: what real mode has. */
  public static final int REAL_MODE_DATA = 0x93;

  /** Present code, execute and read, accessed: what real mode has. */
  public static final int REAL_MODE_CODE = 0x9B;

  /** {@link #REAL_MODE_DATA} with 32-bit offsets, the limit in pages. */
  public static final int FLAT_DATA = 0xC093;

  /** {@link #REAL_MODE_CODE} with 32-bit code, the limit in pages. */
  public static final int FLAT_CODE = 0xC09B;

  /** {@link #REAL_MODE_CODE} with 64-bit code, the limit in pages. */
  public static final int LONG_CODE = 0xA09B;

  /** A present local descriptor table. */
  public static final int LDT = 0x82;

  /** A present task state segment of 32 or 64 bits, busy. */
  public static final int BUSY_TSS = 0x8B;

  private SegmentAttributes() {}
}

package io.vmm4j.software.cpu;

import io.vmm4j.api.backend.SegmentState;

/** A segment register with its hidden part; fields as in {@link SegmentState}. */
public final class Segment {
  /** The attribute bit of an unusable segment (null selector). */
  public static final int UNUSABLE = SegmentState.UNUSABLE;

  /** The selector. */
  public int selector;

  /** The linear base. */
  public long base;

  /** The last valid offset (or, expand-down, the last invalid one), granularity applied. */
  public long limit;

  /** Type 0-3, S 4, DPL 5-6, P 7, AVL 12, L 13, D/B 14, G 15, unusable 16. */
  public int attributes;

  /** Type bits, 0 to 15. */
  public int type() {
    return attributes & 15;
  }

  /** The descriptor privilege level. */
  public int dpl() {
    return (attributes >> 5) & 3;
  }

  /** Whether it can't be used. */
  public boolean unusable() {
    return (attributes & UNUSABLE) != 0;
  }

  /** The D/B bit. */
  public boolean big() {
    return (attributes & 0x4000) != 0;
  }

  /** The L bit. */
  public boolean isLong() {
    return (attributes & 0x2000) != 0;
  }

  /** Whether it is usable writable data whose offsets go from 0 to the limit. */
  public boolean isWritableUpwards() {
    return (attributes & (UNUSABLE | 0xE)) == 2;
  }

  /** Sets everything. */
  public void set(int newSelector, long newBase, long newLimit, int newAttributes) {
    selector = newSelector;
    base = newBase;
    limit = newLimit;
    attributes = newAttributes;
  }

  /** Takes on a saved state. */
  public void set(SegmentState state) {
    set(state.selector() & 0xFFFF, state.base(), state.limit() & 0xFFFFFFFFL, state.attributes());
  }

  /** The present state. */
  public SegmentState state() {
    return new SegmentState(selector, base, limit, attributes);
  }
}

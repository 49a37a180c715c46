package io.vmm4j.engine.x86;

import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.backend.CpuidLeaf;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;

/**
 * Where the components of an XSAVE area in the standard form are (Intel SDM volume 1, 13.4), by
 * leaf 0xD of CPUID. Immutable.
 *
 * @param bytes how long the area is, 576 or more
 * @param pkruOffset where PKRU is; 0 if the processor has none
 */
public record XsaveLayout(int bytes, int pkruOffset) {
  /** The legacy region and the header, which every area has. */
  public static final int LEGACY_BYTES = 576;

  /** Where the header begins, with XSTATE_BV. */
  public static final int HEADER = 512;

  /** The bit of PKRU in XCR0 and XSTATE_BV. */
  public static final long PKRU = 1 << 9;

  private static final int LEAF = 0xD;
  private static final int PKRU_SUBLEAF = 9;
  private static final int PKRU_BYTES = 8;

  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Returns the layout that some CPUID leaves tell. */
  public static XsaveLayout of(List<CpuidLeaf> cpuid) {
    for (CpuidLeaf leaf : cpuid) {
      if (leaf.leaf() == LEAF && leaf.subleaf() == PKRU_SUBLEAF && leaf.ebx() >= LEGACY_BYTES) {
        return new XsaveLayout(leaf.ebx() + PKRU_BYTES, leaf.ebx());
      }
    }
    return new XsaveLayout(LEGACY_BYTES, 0);
  }

  /** Whether the processor has PKRU. */
  public boolean hasPkru() {
    return pkruOffset != 0;
  }

  /** Returns how long the area is with what XCR0 enables. */
  public int enabledBytes(long xcr0) {
    return hasPkru() && (xcr0 & PKRU) != 0 ? bytes : LEGACY_BYTES;
  }

  /** Puts PKRU into an area of {@link #bytes}; nothing if the processor has none. */
  public void putPkru(byte[] area, int pkru) {
    if (hasPkru()) {
      MemorySegment segment = MemorySegment.ofArray(area);
      segment.set(LONG, HEADER, segment.get(LONG, HEADER) | PKRU);
      segment.set(LONG, pkruOffset, pkru & 0xFFFF_FFFFL);
    }
  }

  /**
   * Returns PKRU of an area: 0, its initial value, where the area or the processor has none.
   *
   * @param area as in {@link CpuState#xsave}, at least {@value #LEGACY_BYTES} bytes
   */
  public int pkru(byte[] area) {
    MemorySegment segment = MemorySegment.ofArray(area);
    boolean present = hasPkru() && area.length >= bytes && (segment.get(LONG, HEADER) & PKRU) != 0;
    return present ? segment.get(INT, pkruOffset) : 0;
  }
}

package io.vmm4j.x86;

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
 * @param hasAvx whether the processor has the upper halves of YMM registers, at {@link #AVX_OFFSET}
 * @param pkruOffset where PKRU is; 0 if the processor has none
 */
public record XsaveLayout(boolean hasAvx, int pkruOffset) {
  /** The legacy region and the header, which every area has. */
  public static final int LEGACY_BYTES = 576;

  /** Where the header begins, with XSTATE_BV. */
  public static final int HEADER = 512;

  /** Where the upper halves of the YMM registers are, on every processor that has them. */
  public static final int AVX_OFFSET = 576;

  /** How long they are: 16 bytes for each register. */
  public static final int AVX_BYTES = 256;

  /** The bit of XMM registers in XCR0 and XSTATE_BV. */
  public static final long SSE = 1 << 1;

  /** The bit of the upper halves of YMM registers in XCR0 and XSTATE_BV. */
  public static final long AVX = 1 << 2;

  /** The bit of PKRU in XCR0 and XSTATE_BV. */
  public static final long PKRU = 1 << 9;

  private static final int LEAF = 0xD;
  private static final int AVX_SUBLEAF = 2;
  private static final int PKRU_SUBLEAF = 9;
  private static final int PKRU_BYTES = 8;

  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Returns the layout that some CPUID leaves tell. */
  public static XsaveLayout of(List<CpuidLeaf> cpuid) {
    boolean avx = false;
    int pkru = 0;
    for (CpuidLeaf leaf : cpuid) {
      if (leaf.leaf() == LEAF && leaf.ebx() >= LEGACY_BYTES) {
        if (leaf.subleaf() == AVX_SUBLEAF) {
          avx = leaf.ebx() == AVX_OFFSET && leaf.eax() == AVX_BYTES;
        } else if (leaf.subleaf() == PKRU_SUBLEAF) {
          pkru = leaf.ebx();
        }
      }
    }
    return new XsaveLayout(avx, pkru);
  }

  /** Whether the processor has PKRU. */
  public boolean hasPkru() {
    return pkruOffset != 0;
  }

  /** Returns how long the area is with everything that the processor has. */
  public int bytes() {
    return enabledBytes(AVX | PKRU);
  }

  /** Returns how long the area is with what XCR0 enables. */
  public int enabledBytes(long xcr0) {
    if (hasPkru() && (xcr0 & PKRU) != 0) {
      return pkruOffset + PKRU_BYTES;
    }
    return hasAvx && (xcr0 & AVX) != 0 ? AVX_OFFSET + AVX_BYTES : LEGACY_BYTES;
  }

  /** Returns the components that areas of the processor may have. */
  public long components() {
    return 1 | SSE | (hasAvx ? AVX : 0) | (hasPkru() ? PKRU : 0);
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
    boolean present =
        hasPkru() && area.length >= bytes() && (segment.get(LONG, HEADER) & PKRU) != 0;
    return present ? segment.get(INT, pkruOffset) : 0;
  }

  /**
   * Returns whether an area has the upper halves of YMM registers; where not, they are zeros.
   *
   * @param area as in {@link CpuState#xsave}, at least {@value #LEGACY_BYTES} bytes
   */
  public boolean containsAvx(byte[] area) {
    MemorySegment segment = MemorySegment.ofArray(area);
    return hasAvx
        && area.length >= AVX_OFFSET + AVX_BYTES
        && (segment.get(LONG, HEADER) & AVX) != 0;
  }
}

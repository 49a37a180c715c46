package io.vmm4j.api.backend;

import java.util.ArrayList;
import java.util.List;

/**
 * Leaf 0xD, which describes the XSAVE area in the standard form (Intel SDM volume 1, 13.2): it
 * follows from the features that other leaves claim.
 */
final class XsaveLeaves {
  private static final int LEAF = 0xD;
  private static final int PKRU = 9;
  private static final int PKRU_BYTES = 8;

  /** Where PKRU is on processors of Intel with AVX-512, and on those of AMD. */
  private static final int PKRU_OFFSET_INTEL = 2688;

  private static final int PKRU_OFFSET_AMD = 2432;
  private static final int LEGACY_BYTES = 576;

  private XsaveLeaves() {}

  /** Some leaves with those of the area put right; as they are if they have none of it. */
  static List<CpuidLeaf> of(List<CpuidLeaf> leaves) {
    boolean keys = CpuFeature.of(leaves).contains(CpuFeature.PKU);
    int offset = CpuVendor.of(leaves) == CpuVendor.AMD ? PKRU_OFFSET_AMD : PKRU_OFFSET_INTEL;
    List<CpuidLeaf> result = new ArrayList<>();
    boolean area = false;
    for (CpuidLeaf leaf : leaves) {
      if (area && keys && leaf.leaf() != LEAF) {
        result.add(new CpuidLeaf(LEAF, PKRU, PKRU_BYTES, offset, 0, 0));
        area = false;
      }
      if (leaf.leaf() != LEAF) {
        result.add(leaf);
      } else if (leaf.subleaf() == 0) {
        area = true;
        int components = keys ? leaf.eax() | 1 << PKRU : leaf.eax() & ~(1 << PKRU);
        int bytes = keys ? offset + PKRU_BYTES : LEGACY_BYTES;
        result.add(new CpuidLeaf(LEAF, 0, components, leaf.ebx(), bytes, leaf.edx()));
      } else if (leaf.subleaf() != PKRU) {
        result.add(leaf);
      }
    }
    if (area && keys) {
      result.add(new CpuidLeaf(LEAF, PKRU, PKRU_BYTES, offset, 0, 0));
    }
    return List.copyOf(result);
  }
}

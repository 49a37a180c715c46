package io.vmm4j.api.backend;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Leaf 0xD, which describes the XSAVE area in the standard form (Intel SDM volume 1, 13.2): it
 * follows from the features that other leaves claim.
 */
final class XsaveLeaves {
  private static final int LEAF = 0xD;
  private static final int AVX = 2;
  private static final int AVX_OFFSET = 576;
  private static final int AVX_BYTES = 256;
  private static final int PKRU = 9;
  private static final int PKRU_BYTES = 8;

  /** Where PKRU is on processors of Intel with AVX-512, and on those of AMD. */
  private static final int PKRU_OFFSET_INTEL = 2688;

  private static final int PKRU_OFFSET_AMD = 2432;
  private static final int LEGACY_BYTES = 576;

  private XsaveLeaves() {}

  /** Some leaves with those of the area put right; as they are if they have none of it. */
  static List<CpuidLeaf> of(List<CpuidLeaf> leaves) {
    List<CpuidLeaf> components = components(leaves);
    List<CpuidLeaf> result = new ArrayList<>();
    boolean area = false;
    for (CpuidLeaf leaf : leaves) {
      if (area && leaf.leaf() != LEAF) {
        result.addAll(components);
        area = false;
      }
      if (leaf.leaf() != LEAF) {
        result.add(leaf);
      } else if (leaf.subleaf() == 0) {
        area = true;
        result.add(whole(leaf, components));
      } else if (leaf.subleaf() != AVX && leaf.subleaf() != PKRU) {
        result.add(leaf);
      }
    }
    if (area) {
      result.addAll(components);
    }
    return List.copyOf(result);
  }

  /** The leaves of the components behind the header. */
  private static List<CpuidLeaf> components(List<CpuidLeaf> leaves) {
    Set<CpuFeature> features = CpuFeature.of(leaves);
    List<CpuidLeaf> components = new ArrayList<>();
    if (features.contains(CpuFeature.AVX)) {
      components.add(new CpuidLeaf(LEAF, AVX, AVX_BYTES, AVX_OFFSET, 0, 0));
    }
    if (features.contains(CpuFeature.PKU)) {
      int offset = CpuVendor.of(leaves) == CpuVendor.AMD ? PKRU_OFFSET_AMD : PKRU_OFFSET_INTEL;
      components.add(new CpuidLeaf(LEAF, PKRU, PKRU_BYTES, offset, 0, 0));
    }
    return components;
  }

  /** Subleaf 0: which components there are, and the size of an area that has them all. */
  private static CpuidLeaf whole(CpuidLeaf leaf, List<CpuidLeaf> components) {
    int mask = leaf.eax() & ~(1 << AVX | 1 << PKRU);
    int bytes = LEGACY_BYTES;
    for (CpuidLeaf component : components) {
      mask |= 1 << component.subleaf();
      bytes = component.ebx() + component.eax();
    }
    return new CpuidLeaf(LEAF, 0, mask, leaf.ebx(), bytes, leaf.edx());
  }
}

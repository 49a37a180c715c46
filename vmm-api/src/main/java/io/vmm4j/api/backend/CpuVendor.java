package io.vmm4j.api.backend;

import java.util.List;

/**
 * Whose processor a guest finds, by the name in CPUID leaf 0 (Intel SDM volume 2, CPUID; AMD APM
 * volume 3, CPUID). The two differ in a few instructions, and in leaves and MSRs of their own, as
 * docs/design.md lists.
 */
public enum CpuVendor {
  /** GenuineIntel. */
  INTEL("GenuineIntel"),

  /** AuthenticAMD. */
  AMD("AuthenticAMD");

  private final String signature;

  CpuVendor(String signature) {
    this.signature = signature;
  }

  /** Returns the twelve characters that leaf 0 has in EBX, EDX and ECX. */
  public String signature() {
    return signature;
  }

  /** Returns the vendor that some leaves name; {@link #INTEL} if it is none of these. */
  public static CpuVendor of(List<CpuidLeaf> leaves) {
    boolean amd =
        leaves.stream()
            .anyMatch(leaf ->
                leaf.leaf() == 0
                    && leaf.ebx() == AMD.word(0)
                    && leaf.edx() == AMD.word(1)
                    && leaf.ecx() == AMD.word(2));
    return amd ? AMD : INTEL;
  }

  /** Returns leaf 0. */
  public CpuidLeaf leaf(int highestLeaf) {
    return new CpuidLeaf(0, -1, highestLeaf, word(0), word(2), word(1));
  }

  private int word(int index) {
    int value = 0;
    for (int i = 3; i >= 0; i--) {
      value = value << 8 | signature.charAt(4 * index + i);
    }
    return value;
  }
}

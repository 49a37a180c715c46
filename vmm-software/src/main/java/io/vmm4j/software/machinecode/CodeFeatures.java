package io.vmm4j.software.machinecode;

import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.api.backend.CpuidLeaf;
import java.util.List;

/**
 * What machine code of one machine is made of, by its processors and the host's.
 *
 * @param accessControl whether its processors have SMAP, and with it STAC and CLAC
 * @param vex whether the host has what instructions with VEX are made of
 * @param wide whether machine code works with YMM registers, for both have them
 */
record CodeFeatures(boolean accessControl, boolean vex, boolean wide) {
  /** SMAP in EBX of CPUID leaf 7. */
  private static final int SMAP = 1 << 20;

  /** The features on this host of machines whose processors have a CPUID. */
  static CodeFeatures of(List<CpuidLeaf> cpuid) {
    boolean smap =
        cpuid.stream()
            .anyMatch(leaf -> leaf.leaf() == 7 && leaf.subleaf() == 0 && (leaf.ebx() & SMAP) != 0);
    boolean vex = HostProcessor.hasVex();
    return new CodeFeatures(smap, vex, vex && CpuFeature.of(cpuid).contains(CpuFeature.AVX));
  }
}

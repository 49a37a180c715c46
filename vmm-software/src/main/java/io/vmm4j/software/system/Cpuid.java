package io.vmm4j.software.system;

import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.api.backend.CpuVendor;
import io.vmm4j.api.backend.CpuidLeaf;
import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.x86.ControlBits;
import io.vmm4j.x86.XsaveLayout;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * CPUID (Intel SDM volume 2): the machine's leaves, with what depends on the vCPU's state put in.
 * What features the leaves claim decides which control bits and MSRs exist.
 */
public final class Cpuid {
  private static final int EXTENDED = 0x8000_0000;
  private static final int HYPERVISOR = 0x4000_0000;
  private static final int NO_SUBLEAF = -1;
  private static final int DEFAULT_PHYSICAL_BITS = 36;

  private final Cpu cpu;
  private final Map<Long, CpuidLeaf> leaves = new HashMap<>();
  private final int highestBasic;
  private final int highestExtended;
  private final int highestHypervisor;
  private final long cr4Bits;
  private final int physicalBits;
  private final boolean amd;
  private final Set<CpuFeature> features;
  private final XsaveLayout xsave;

  Cpuid(Cpu cpu, List<CpuidLeaf> all) {
    this.cpu = cpu;
    for (CpuidLeaf leaf : all) {
      leaves.put(key(leaf.leaf(), leaf.subleaf()), leaf);
    }
    this.highestBasic = find(0, 0).eax();
    this.highestExtended = find(EXTENDED, 0).eax();
    this.highestHypervisor = find(HYPERVISOR, 0).eax();
    int bits = find(0x8000_0008, 0).eax() & 0xFF;
    this.physicalBits = bits == 0 ? DEFAULT_PHYSICAL_BITS : bits;
    this.cr4Bits = computeCr4Bits();
    this.features = CpuFeature.of(all);
    this.xsave = XsaveLayout.of(all);
    this.amd = CpuVendor.of(all) == CpuVendor.AMD;
  }

  private static long key(int leaf, int subleaf) {
    return (long) leaf << 32 | subleaf & 0xFFFFFFFFL;
  }

  /** A leaf as the machine gives it; zeros if there is none. */
  CpuidLeaf find(int leaf, int subleaf) {
    CpuidLeaf found = leaves.get(key(leaf, subleaf));
    if (found == null) {
      found = leaves.get(key(leaf, NO_SUBLEAF));
    }
    return found == null ? new CpuidLeaf(leaf, subleaf, 0, 0, 0, 0) : found;
  }

  /**
   * The leaf that is answered with: beyond the highest, Intel's processors give the highest basic,
   * and AMD's zeros.
   */
  private int effective(int leaf) {
    if (amd) {
      return leaf;
    }
    boolean inRange =
        switch (leaf >>> 28) {
          case 8 -> Integer.compareUnsigned(leaf, highestExtended) <= 0;
          case 4 -> Integer.compareUnsigned(leaf, highestHypervisor) <= 0;
          default -> Integer.compareUnsigned(leaf, highestBasic) <= 0;
        };
    return inRange ? leaf : highestBasic;
  }

  /** Executes CPUID. */
  void execute() {
    int leaf = effective((int) cpu.gpr[Cpu.RAX]);
    int subleaf = (int) cpu.gpr[Cpu.RCX];
    CpuidLeaf found = find(leaf, subleaf);
    int eax = found.eax();
    int ebx = found.ebx();
    int ecx = found.ecx();
    int edx = found.edx();
    switch (leaf) {
      case 1 -> {
        ebx = ebx & 0xFFFFFF | cpu.apic.id() << 24;
        boolean osxsave = (cpu.cr4 & ControlBits.CR4_OSXSAVE) != 0;
        ecx = ecx & ~(1 << 27) | (osxsave ? 1 << 27 : 0);
        if (!cpu.apic.isEnabled()) {
          edx &= ~(1 << 9);
        }
      }
      case 7 -> {
        boolean ospke = subleaf == 0 && (cpu.cr4 & ControlBits.CR4_PKE) != 0;
        ecx = ecx & ~(1 << 4) | (ospke ? 1 << 4 : 0);
      }
      case 0xB -> {
        ecx = ecx & ~0xFF | subleaf & 0xFF;
        edx = cpu.apic.id();
      }
      case 0x8000_0001 -> {
        // Intel's processors have SYSCALL in 64-bit mode only, and say so.
        if (!amd && cpu.codeSize != 8) {
          edx &= ~(1 << 11);
        }
      }
      case 0xD -> {
        if (subleaf == 0) {
          ebx = xsave.enabledBytes(cpu.xcr0);
        }
      }
      default -> {}
    }
    cpu.gpr[Cpu.RAX] = eax & 0xFFFFFFFFL;
    cpu.gpr[Cpu.RBX] = ebx & 0xFFFFFFFFL;
    cpu.gpr[Cpu.RCX] = ecx & 0xFFFFFFFFL;
    cpu.gpr[Cpu.RDX] = edx & 0xFFFFFFFFL;
  }

  // ---- features ----

  /** Whether the processor is one of AMD's, in what they do otherwise than Intel's. */
  public boolean isAmd() {
    return amd;
  }

  /** Whether the processor has a feature. */
  public boolean has(CpuFeature feature) {
    return features.contains(feature);
  }

  /** The XSAVE area. */
  public XsaveLayout xsave() {
    return xsave;
  }

  boolean featureEcx(int bit) {
    return (find(1, 0).ecx() >> bit & 1) != 0;
  }

  boolean featureEdx(int bit) {
    return (find(1, 0).edx() >> bit & 1) != 0;
  }

  boolean structuredEbx(int bit) {
    return (find(7, 0).ebx() >> bit & 1) != 0;
  }

  boolean structuredEcx(int bit) {
    return (find(7, 0).ecx() >> bit & 1) != 0;
  }

  boolean structuredEdx(int bit) {
    return (find(7, 0).edx() >> bit & 1) != 0;
  }

  boolean extendedEdx(int bit) {
    return (find(0x8000_0001, 0).edx() >> bit & 1) != 0;
  }

  /** Whether EFER.NXE exists. */
  boolean hasNoExecute() {
    return extendedEdx(20);
  }

  /** The width of physical addresses. */
  int physicalBits() {
    return physicalBits;
  }

  /** The XCR0 bits that may be set. */
  long xcr0Bits() {
    CpuidLeaf leaf = find(0xD, 0);
    return leaf.eax() & 0xFFFFFFFFL | (long) leaf.edx() << 32;
  }

  /** The frequency of the core crystal clock in Hz, which is the local APIC timer's, or 0. */
  long crystalHz() {
    return find(0x15, 0).ecx() & 0xFFFFFFFFL;
  }

  /** The bits of CR4 that exist. */
  long cr4Bits() {
    return cr4Bits;
  }

  private long computeCr4Bits() {
    long bits = 0;
    bits |= featureEdx(4) ? ControlBits.CR4_TSD : 0;
    bits |= featureEdx(2) ? ControlBits.CR4_DE : 0;
    bits |= featureEdx(3) ? 1 << 4 : 0;
    bits |= featureEdx(6) ? ControlBits.CR4_PAE : 0;
    bits |= featureEdx(7) ? 1 << 6 : 0;
    bits |= featureEdx(13) ? 1 << 7 : 0;
    bits |= ControlBits.CR4_PCE;
    bits |= featureEdx(24) ? 1 << 9 : 0;
    bits |= featureEdx(25) ? 1 << 10 : 0;
    bits |= structuredEcx(2) ? ControlBits.CR4_UMIP : 0;
    bits |= structuredEbx(0) ? ControlBits.CR4_FSGSBASE : 0;
    bits |= featureEcx(17) ? ControlBits.CR4_PCIDE : 0;
    bits |= featureEcx(26) ? ControlBits.CR4_OSXSAVE : 0;
    bits |= structuredEbx(7) ? 1 << 20 : 0;
    bits |= structuredEbx(20) ? ControlBits.CR4_SMAP : 0;
    bits |= structuredEcx(3) ? ControlBits.CR4_PKE : 0;
    bits |= structuredEcx(31) ? ControlBits.CR4_PKS : 0;
    return bits;
  }
}

package io.vmm4j.api.backend;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * The features that a machine's processor may have, each a bit of CPUID (Intel SDM volume 2,
 * CPUID), by the names of the manual. The portable processor has those of {@link #portable}; the
 * others are had by asking, as not every host has them.
 */
public enum CpuFeature {
  FPU(Register.EDX_1, 0),
  DE(Register.EDX_1, 2),
  PSE(Register.EDX_1, 3),
  TSC(Register.EDX_1, 4),
  MSR(Register.EDX_1, 5),
  PAE(Register.EDX_1, 6),
  MCE(Register.EDX_1, 7),
  CX8(Register.EDX_1, 8),
  APIC(Register.EDX_1, 9),
  SEP(Register.EDX_1, 11),
  MTRR(Register.EDX_1, 12),
  PGE(Register.EDX_1, 13),
  MCA(Register.EDX_1, 14),
  CMOV(Register.EDX_1, 15),
  PAT(Register.EDX_1, 16),
  PSE36(Register.EDX_1, 17),
  CLFSH(Register.EDX_1, 19),
  MMX(Register.EDX_1, 23),
  FXSR(Register.EDX_1, 24),
  SSE(Register.EDX_1, 25),
  SSE2(Register.EDX_1, 26),
  /** Self-snoop: a promise about caches, of which no instruction depends. */
  SS(Register.EDX_1, 27),

  SSE3(Register.ECX_1, 0),
  SSSE3(Register.ECX_1, 9),
  CMPXCHG16B(Register.ECX_1, 13),
  PCID(Register.ECX_1, 17),
  SSE4_1(Register.ECX_1, 19),
  SSE4_2(Register.ECX_1, 20),
  X2APIC(Register.ECX_1, 21),
  POPCNT(Register.ECX_1, 23),
  TSC_DEADLINE(Register.ECX_1, 24),
  XSAVE(Register.ECX_1, 26),
  RDRAND(Register.ECX_1, 30),
  /** A hypervisor is present. */
  HYPERVISOR(Register.ECX_1, 31),

  FSGSBASE(Register.EBX_7, 0),
  TSC_ADJUST(Register.EBX_7, 1),
  SMEP(Register.EBX_7, 7),
  /** REP MOVSB is fast: of advice only. */
  ERMS(Register.EBX_7, 9),
  INVPCID(Register.EBX_7, 10),
  RDSEED(Register.EBX_7, 18),
  SMAP(Register.EBX_7, 20),

  /** Short REP MOVSB is fast: of advice only. */
  FSRM(Register.EDX_7, 4),
  ARCH_CAPABILITIES(Register.EDX_7, 29),

  LAHF64(Register.ECX_EXTENDED, 0),

  // Those that the portable processor lacks.
  /** Fused multiplication and addition. Needs {@link #AVX}. */
  FMA(Register.ECX_1, 12, false),
  MOVBE(Register.ECX_1, 22, false),
  /** Vectors of 256 bits: the YMM registers. */
  AVX(Register.ECX_1, 28, false),
  /** Conversion from and to half precision. Needs {@link #AVX}. */
  F16C(Register.ECX_1, 29, false),
  /** ANDN, BEXTR, BLSI, BLSMSK, BLSR and TZCNT. */
  BMI1(Register.EBX_7, 3, false),
  /** Integer vectors of 256 bits. Needs {@link #AVX}. */
  AVX2(Register.EBX_7, 5, false),
  /** BZHI, MULX, PDEP, PEXT, RORX, SARX, SHLX and SHRX. */
  BMI2(Register.EBX_7, 8, false),
  /** ADCX and ADOX. */
  ADX(Register.EBX_7, 19, false),
  CLFLUSHOPT(Register.EBX_7, 23, false),
  CLWB(Register.EBX_7, 24, false),
  UMIP(Register.ECX_7, 2, false),
  /** Protection keys for user pages: RDPKRU and WRPKRU, and PKRU in XSAVE areas. */
  PKU(Register.ECX_7, 3, false),
  /** Protection keys for supervisor pages: IA32_PKRS. */
  PKS(Register.ECX_7, 31, false),
  LZCNT(Register.ECX_EXTENDED, 5, false),

  SYSCALL(Register.EDX_EXTENDED, 11),
  NX(Register.EDX_EXTENDED, 20),
  PAGE1GB(Register.EDX_EXTENDED, 26),
  RDTSCP(Register.EDX_EXTENDED, 27),
  LM(Register.EDX_EXTENDED, 29);

  /** A register of a leaf. */
  private enum Register {
    ECX_1(1, -1),
    EDX_1(1, -1),
    EBX_7(7, 0),
    ECX_7(7, 0),
    EDX_7(7, 0),
    ECX_EXTENDED(0x8000_0001, -1),
    EDX_EXTENDED(0x8000_0001, -1);

    private final int leaf;
    private final int subleaf;

    Register(int leaf, int subleaf) {
      this.leaf = leaf;
      this.subleaf = subleaf;
    }

    private boolean isIn(CpuidLeaf candidate) {
      return candidate.leaf() == leaf && Math.max(candidate.subleaf(), 0) == Math.max(subleaf, 0);
    }

    private int of(CpuidLeaf from) {
      return switch (this) {
        case EBX_7 -> from.ebx();
        case ECX_1, ECX_7, ECX_EXTENDED -> from.ecx();
        case EDX_1, EDX_7, EDX_EXTENDED -> from.edx();
      };
    }

    /** A leaf with bits set or cleared here. */
    private CpuidLeaf with(CpuidLeaf leaf, int mask, boolean set) {
      int value = set ? of(leaf) | mask : of(leaf) & ~mask;
      int ebx = leaf.ebx();
      int ecx = leaf.ecx();
      int edx = leaf.edx();
      switch (this) {
        case EBX_7 -> ebx = value;
        case ECX_1, ECX_7, ECX_EXTENDED -> ecx = value;
        case EDX_1, EDX_7, EDX_EXTENDED -> edx = value;
      }
      return new CpuidLeaf(leaf.leaf(), leaf.subleaf(), leaf.eax(), ebx, ecx, edx);
    }
  }

  private final Register register;
  private final int mask;
  private final boolean portable;

  CpuFeature(Register register, int bit) {
    this(register, bit, true);
  }

  CpuFeature(Register register, int bit, boolean portable) {
    this.register = register;
    this.mask = 1 << bit;
    this.portable = portable;
  }

  /** Returns those that a processor has unless it is told otherwise. */
  public static Set<CpuFeature> portable() {
    Set<CpuFeature> set = EnumSet.allOf(CpuFeature.class);
    set.removeIf(feature -> !feature.portable);
    return set;
  }

  /** Which of the features some leaves claim. */
  public static Set<CpuFeature> of(List<CpuidLeaf> leaves) {
    Set<CpuFeature> present = EnumSet.noneOf(CpuFeature.class);
    for (CpuidLeaf leaf : leaves) {
      for (CpuFeature feature : values()) {
        if (feature.register.isIn(leaf) && (feature.register.of(leaf) & feature.mask) != 0) {
          present.add(feature);
        }
      }
    }
    return present;
  }

  /**
   * The leaves, which have one for each register, with some features claimed; leaf 0xD then
   * describes the XSAVE area that goes with them.
   */
  public static List<CpuidLeaf> claim(List<CpuidLeaf> leaves, Set<CpuFeature> features) {
    return change(leaves, features, true);
  }

  /** The leaves with the claim to some features withdrawn. */
  public static List<CpuidLeaf> withdraw(List<CpuidLeaf> leaves, Set<CpuFeature> features) {
    return change(leaves, features, false);
  }

  private static List<CpuidLeaf> change(
      List<CpuidLeaf> leaves, Set<CpuFeature> features, boolean claimed) {
    List<CpuidLeaf> result = new ArrayList<>();
    for (CpuidLeaf leaf : leaves) {
      CpuidLeaf changed = leaf;
      for (CpuFeature feature : features) {
        if (feature.register.isIn(leaf)) {
          changed = feature.register.with(changed, feature.mask, claimed);
        }
      }
      result.add(changed);
    }
    return XsaveLeaves.of(result);
  }
}

package io.vmm4j.x86;

import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.api.backend.CpuVendor;
import io.vmm4j.api.backend.CpuidLeaf;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The portable processor model: x86-64-v2 without AVX, with what costs an emulator little and helps
 * a guest (ERMS, FSRM, RDTSCP, FSGSBASE, PCID, a TSC whose frequency is told). Both backends
 * present it, so that a snapshot moves between them. Leaves are those of the Intel SDM, volume 2,
 * CPUID.
 *
 * <p>What depends on the vCPU is left for the backend to fill in: the APIC id in leaf 1 (EBX, bits
 * 31 to 24) and in leaf 0xB (EDX), OSXSAVE in leaf 1 and the enabled size in leaf 0xD. A leaf that
 * is not in the list reads as zeros.
 *
 * <p>Immutable and stateless; from any thread.
 */
public final class CpuidModel {

  /**
   * Family 6, model 0x36, stepping 1: an in-order Atom. Operating systems keep lists of models that
   * do not speculate, and leave every mitigation of speculation off on them (Linux: {@code
   * cpu_vuln_whitelist}, NO_SPECULATION). That is also the truth about an interpreter.
   */
  public static final int SIGNATURE = 0x0003_0661;

  /**
   * Family 0x11, model 3, stepping 1, for {@link CpuVendor#AMD}: likewise on the lists of what does
   * not leak, and without the particulars of a microarchitecture that systems look for.
   */
  public static final int AMD_SIGNATURE = 0x0020_0F31;

  /** Bits of a guest physical address. */
  public static final int PHYSICAL_ADDRESS_BITS = 40;

  /** Bits of a linear address. */
  public static final int LINEAR_ADDRESS_BITS = 48;

  /**
   * The frequency of the core crystal (leaf 0x15) in Hz, at which the local APIC's timer counts
   * before its divider. 1 GHz: one count a nanosecond, as KVM's local APIC has it.
   */
  public static final int CRYSTAL_HZ = 1_000_000_000;

  /** Bytes of an XSAVE area in the standard form with x87 and SSE state. */
  public static final int XSAVE_AREA_BYTES = 576;

  /** The index of IA32_ARCH_CAPABILITIES. */
  public static final int IA32_ARCH_CAPABILITIES = 0x10A;

  /**
   * The value of {@link #IA32_ARCH_CAPABILITIES}: not affected by anything known. IBRS_ALL stays
   * clear, for it promises IA32_SPEC_CTRL, which the model lacks.
   */
  public static final long ARCH_CAPABILITIES =
      1L // RDCL_NO
          | 1L << 3 // SKIP_L1DFL_VMENTRY
          | 1L << 4 // SSB_NO
          | 1L << 5 // MDS_NO
          | 1L << 6 // IF_PSCHANGE_MC_NO
          | 1L << 8 // TAA_NO
          | 1L << 13 // SBDR_SSDP_NO
          | 1L << 14 // FBSDP_NO
          | 1L << 15 // PSDP_NO
          | 1L << 20 // BHI_NO
          | 1L << 24 // PBRSB_NO
          | 1L << 26 // GDS_NO
          | 1L << 27 // RFDS_NO
          | 1L << 62; // ITS_NO

  /** Twelve bytes that name the hypervisor to a guest that asks (leaf 0x40000000). */
  public static final String HYPERVISOR_SIGNATURE = "vmm4jvmm4j";

  /** The processor's name (leaves 0x80000002 to 0x80000004). */
  public static final String BRAND = "vmm4j virtual CPU";

  private static final int MAX_BASIC_LEAF = 0x16;
  private static final int MAX_BASIC_LEAF_AMD = 0xD;
  private static final int MAX_EXTENDED_LEAF = 0x8000_0008;
  private static final int MAX_HYPERVISOR_LEAF = 0x4000_0010;

  private CpuidModel() {}

  /**
   * The leaves of a machine, in ascending order.
   *
   * @param cpus how many vCPUs it has, 1 to 255, each a core of one package
   * @param tscFrequencyHz the frequency of its TSC; guests see it rounded to kHz
   * @throws IllegalArgumentException if one of them is out of range
   */
  public static List<CpuidLeaf> portable(int cpus, long tscFrequencyHz) {
    return portable(cpus, tscFrequencyHz, CpuVendor.INTEL);
  }

  /**
   * The leaves of a machine whose processors are of a vendor.
   *
   * @param cpus how many vCPUs it has, 1 to 255, each a core of one package
   * @param tscFrequencyHz the frequency of its TSC; guests see it rounded to kHz
   * @param vendor whose processor it is
   * @throws IllegalArgumentException if one of them is out of range
   */
  public static List<CpuidLeaf> portable(int cpus, long tscFrequencyHz, CpuVendor vendor) {
    if (cpus < 1 || cpus > 255) {
      throw new IllegalArgumentException("cpus: 1 to 255, not " + cpus);
    }
    if (tscFrequencyHz < 1_000_000 || tscFrequencyHz > 0xFFFF_FFFFL) {
      throw new IllegalArgumentException(
          "tscFrequencyHz: 1 MHz to 4.29 GHz, not " + tscFrequencyHz);
    }
    int coreBits = 32 - Integer.numberOfLeadingZeros(cpus - 1);
    boolean amd = vendor == CpuVendor.AMD;
    List<CpuidLeaf> leaves = new ArrayList<>();
    leaves.add(vendor.leaf(amd ? MAX_BASIC_LEAF_AMD : MAX_BASIC_LEAF));
    leaves.add(
        leaf(
            1,
            amd ? AMD_SIGNATURE : SIGNATURE,
            // CLFLUSH of 8 quadwords; room for 2^coreBits APIC ids in the package
            (1 << coreBits) << 16 | 8 << 8,
            0,
            cpus > 1 ? 1 << 28 : 0));
    if (!amd) {
      intelCaches(leaves, coreBits);
    }
    leaves.add(leaf(6, 1 << 2, 0, 0, 0)); // ARAT
    leaves.add(new CpuidLeaf(7, 0, 0, 0, 0, 0));
    leaves.add(new CpuidLeaf(0xB, 0, 0, 1, 1 << 8, 0));
    leaves.add(new CpuidLeaf(0xB, 1, coreBits, cpus, 2 << 8 | 1, 0));
    leaves.add(new CpuidLeaf(0xB, 2, 0, 0, 2, 0));
    leaves.add(new CpuidLeaf(0xD, 0, 0b11, XSAVE_AREA_BYTES, XSAVE_AREA_BYTES, 0));
    leaves.add(new CpuidLeaf(0xD, 1, 1, 0, 0, 0)); // XSAVEOPT, neither XSAVEC nor XSAVES
    if (!amd) {
      leaves.add(tscRatio(tscFrequencyHz));
      int megahertz = (int) ((tscFrequencyHz + 500_000) / 1_000_000);
      leaves.add(leaf(0x16, megahertz, megahertz, 100, 0));
    }
    leaves.add(text(0x4000_0000, MAX_HYPERVISOR_LEAF, HYPERVISOR_SIGNATURE));
    leaves.add(
        leaf(MAX_HYPERVISOR_LEAF, (int) ((tscFrequencyHz + 500) / 1000), CRYSTAL_HZ / 1000, 0, 0));
    extended(leaves, cpus, coreBits, vendor);
    return CpuFeature.claim(leaves, CpuFeature.portable());
  }

  private static void intelCaches(List<CpuidLeaf> leaves, int coreBits) {
    // Leaf 2 refers to leaf 4 for the caches (0xFF) and promises 64-byte prefetch (0xF0).
    leaves.add(leaf(2, 0x00FF_F001, 0, 0, 0));
    leaves.add(cache(0, 1, 1, 0, coreBits, 8, 64));
    leaves.add(cache(1, 2, 1, 0, coreBits, 8, 64));
    leaves.add(cache(2, 3, 2, 0, coreBits, 16, 1024));
    leaves.add(new CpuidLeaf(4, 3, 0, 0, 0, 0));
  }

  /**
   * The extended leaves, where AMD has what Intel has in leaves 0, 1, 2 and 4 (APM volume 3, E.4).
   */
  private static void extended(List<CpuidLeaf> leaves, int cpus, int coreBits, CpuVendor vendor) {
    boolean amd = vendor == CpuVendor.AMD;
    CpuidLeaf name = vendor.leaf(MAX_EXTENDED_LEAF);
    leaves.add(
        amd
            ? leaf(0x8000_0000, MAX_EXTENDED_LEAF, name.ebx(), name.ecx(), name.edx())
            : leaf(0x8000_0000, MAX_EXTENDED_LEAF, 0, 0, 0));
    // CmpLegacy: the threads that HTT tells of are cores.
    leaves.add(leaf(0x8000_0001, amd ? AMD_SIGNATURE : 0, 0, amd && cpus > 1 ? 1 << 1 : 0, 0));
    for (int part = 0; part < 3; part++) {
      leaves.add(
          leaf(
              0x8000_0002 + part,
              word(BRAND, 16 * part),
              word(BRAND, 16 * part + 4),
              word(BRAND, 16 * part + 8),
              word(BRAND, 16 * part + 12)));
    }
    if (amd) {
      int firstLevel = 32 << 24 | 8 << 16 | 1 << 8 | 64; // 32 KiB, 8 ways, lines of 64 bytes
      leaves.add(leaf(0x8000_0005, 0, 0, firstLevel, firstLevel));
    }
    leaves.add(leaf(0x8000_0006, 0, 0, 1024 << 16 | 8 << 12 | 64, 0));
    leaves.add(leaf(0x8000_0007, 0, 0, 0, 1 << 8)); // invariant TSC
    leaves.add(
        leaf(
            0x8000_0008,
            PHYSICAL_ADDRESS_BITS | LINEAR_ADDRESS_BITS << 8,
            0,
            amd ? coreBits << 12 | cpus - 1 : 0,
            0));
  }

  /**
   * Leaf 0x15, which Linux reads of Intel's processors only. Linux computes {@code crystalKHz *
   * numerator / denominator} in 32 bits, so the product must stay below 2^32: with a crystal of 1
   * GHz that holds for whole MHz. Other frequencies are told as a crystal of their own with ratio
   * 1; a guest that takes the local APIC's timer for a counter of the crystal would be wrong then,
   * but Linux uses the TSC deadline.
   */
  private static CpuidLeaf tscRatio(long tscFrequencyHz) {
    if (tscFrequencyHz % 1_000_000 == 0) {
      return leaf(0x15, 1000, (int) (tscFrequencyHz / 1_000_000), CRYSTAL_HZ, 0);
    }
    return leaf(0x15, 1, 1, (int) tscFrequencyHz, 0);
  }

  private static CpuidLeaf cache(
      int subleaf, int type, int level, int sharingBits, int coreBits, int ways, int sets) {
    int eax =
        type
            | level << 5
            | 1 << 8 // self-initializing
            | ((1 << sharingBits) - 1) << 14
            | ((1 << Math.min(coreBits, 6)) - 1) << 26;
    int ebx = 64 - 1 | (ways - 1) << 22;
    return new CpuidLeaf(4, subleaf, eax, ebx, sets - 1, 0);
  }

  private static CpuidLeaf leaf(int leaf, int eax, int ebx, int ecx, int edx) {
    return new CpuidLeaf(leaf, -1, eax, ebx, ecx, edx);
  }

  private static CpuidLeaf text(int leaf, int eax, String text) {
    return leaf(leaf, eax, word(text, 0), word(text, 4), word(text, 8));
  }

  private static int word(String text, int at) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    int value = 0;
    for (int i = 3; i >= 0; i--) {
      value = value << 8 | (at + i < bytes.length ? bytes[at + i] : 0);
    }
    return value;
  }
}

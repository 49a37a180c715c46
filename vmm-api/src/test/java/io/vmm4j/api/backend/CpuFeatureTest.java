package io.vmm4j.api.backend;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Features as bits of CPUID leaves, and the leaf of the XSAVE area that follows from them. */
class CpuFeatureTest {
  private static List<CpuidLeaf> leaves(CpuVendor vendor) {
    return List.of(
        vendor.leaf(0xD),
        new CpuidLeaf(1, -1, 0, 0, 0, 0),
        new CpuidLeaf(7, 0, 0, 0, 0, 0),
        new CpuidLeaf(0xD, 0, 3, 576, 576, 0),
        new CpuidLeaf(0xD, 1, 1, 0, 0, 0),
        new CpuidLeaf(0x8000_0001, -1, 0, 0, 0, 0));
  }

  @ParameterizedTest
  @EnumSource
  void whatIsClaimedIsThereUntilItIsWithdrawn(CpuFeature feature) {
    List<CpuidLeaf> none = leaves(CpuVendor.INTEL);

    List<CpuidLeaf> claimed = CpuFeature.claim(none, Set.of(feature));

    assertThat(CpuFeature.of(claimed)).containsExactly(feature);
    assertThat(CpuFeature.withdraw(claimed, Set.of(feature))).isEqualTo(none);
  }

  @Test
  void everyFeatureHasABitOfItsOwn() {
    assertThat(CpuFeature.of(CpuFeature.claim(leaves(CpuVendor.INTEL), CpuFeature.portable())))
        .isEqualTo(CpuFeature.portable());
  }

  @Test
  void thePortableProcessorLacksWhatNotEveryHostHas() {
    assertThat(EnumSet.complementOf(EnumSet.copyOf(CpuFeature.portable())))
        .containsExactlyInAnyOrder(
            CpuFeature.MOVBE,
            CpuFeature.AVX,
            CpuFeature.AVX2,
            CpuFeature.FMA,
            CpuFeature.F16C,
            CpuFeature.BMI1,
            CpuFeature.BMI2,
            CpuFeature.ADX,
            CpuFeature.CLFLUSHOPT,
            CpuFeature.CLWB,
            CpuFeature.UMIP,
            CpuFeature.PKU,
            CpuFeature.PKS,
            CpuFeature.LZCNT);
  }

  @ParameterizedTest
  @CsvSource({"INTEL,2688", "AMD,2432"})
  void protectionKeysHaveTheirPlaceInTheXsaveArea(CpuVendor vendor, int offset) {
    List<CpuidLeaf> keyed = CpuFeature.claim(leaves(vendor), Set.of(CpuFeature.PKU));

    assertThat(keyed)
        .contains(
            new CpuidLeaf(0xD, 0, 0x203, 576, offset + 8, 0),
            new CpuidLeaf(0xD, 1, 1, 0, 0, 0),
            new CpuidLeaf(0xD, 9, 8, offset, 0, 0));
    assertThat(keyed)
        .extracting(leaf -> Integer.toUnsignedLong(leaf.leaf()) << 8 | Math.max(0, leaf.subleaf()))
        .isSorted()
        .doesNotHaveDuplicates();
    assertThat(CpuFeature.claim(keyed, Set.of(CpuFeature.PKU))).isEqualTo(keyed);
  }

  @Test
  void theVendorIsReadFromLeaf0() {
    assertThat(CpuVendor.of(leaves(CpuVendor.AMD))).isEqualTo(CpuVendor.AMD);
    assertThat(CpuVendor.of(leaves(CpuVendor.INTEL))).isEqualTo(CpuVendor.INTEL);
    assertThat(CpuVendor.of(List.of())).isEqualTo(CpuVendor.INTEL);
    assertThat(CpuVendor.INTEL.leaf(13))
        .isEqualTo(new CpuidLeaf(0, -1, 13, 0x756E6547, 0x6C65746E, 0x49656E69));
  }

  @Test
  void vectorsAndKeysHaveTheirPlacesInOneArea() {
    List<CpuidLeaf> both =
        CpuFeature.claim(leaves(CpuVendor.INTEL), Set.of(CpuFeature.AVX, CpuFeature.PKU));
    assertThat(both)
        .contains(
            new CpuidLeaf(0xD, 0, 0x207, 576, 2696, 0),
            new CpuidLeaf(0xD, 2, 256, 576, 0, 0),
            new CpuidLeaf(0xD, 9, 8, 2688, 0, 0));
    assertThat(CpuFeature.claim(leaves(CpuVendor.AMD), Set.of(CpuFeature.AVX)))
        .contains(new CpuidLeaf(0xD, 0, 7, 576, 832, 0), new CpuidLeaf(0xD, 2, 256, 576, 0, 0));
    assertThat(CpuFeature.withdraw(both, Set.of(CpuFeature.AVX, CpuFeature.PKU)))
        .isEqualTo(leaves(CpuVendor.INTEL));
  }

  @Test
  void theThirdModelHasWhatTheAbiSays() {
    assertThat(CpuModel.V2.features()).isEmpty();
    assertThat(CpuModel.V3.features())
        .containsExactlyInAnyOrder(
            CpuFeature.AVX,
            CpuFeature.AVX2,
            CpuFeature.BMI1,
            CpuFeature.BMI2,
            CpuFeature.F16C,
            CpuFeature.FMA,
            CpuFeature.LZCNT,
            CpuFeature.MOVBE);
    assertThat(CpuFeature.portable()).doesNotContainAnyElementsOf(CpuModel.V3.features());
  }
}

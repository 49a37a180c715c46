package io.vmm4j.x86;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.api.backend.CpuVendor;
import io.vmm4j.api.backend.CpuidLeaf;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class CpuidModelTest {
  private static final long TSC_HZ = 2_000_000_000L;

  private final List<CpuidLeaf> leaves = CpuidModel.portable(4, TSC_HZ);

  @Test
  void everyLeafIsThereOnceInAscendingOrder() {
    assertThat(leaves)
        .extracting(leaf -> Integer.toUnsignedLong(leaf.leaf()) << 8 | Math.max(0, leaf.subleaf()))
        .isSorted()
        .doesNotHaveDuplicates();
  }

  @Test
  void everyLeafIsWithinTheMaximumOfItsRange() {
    for (CpuidLeaf leaf : leaves) {
      int range = leaf.leaf() & 0xF000_0000;
      assertThat(leaf.leaf()).isLessThanOrEqualTo(leaf(range, -1).eax());
    }
  }

  @Test
  void theVendorIsOneWhoseTscLeafLinuxReads() {
    CpuidLeaf vendor = leaf(0, -1);

    assertThat(text(vendor.ebx(), vendor.edx(), vendor.ecx())).isEqualTo("GenuineIntel");
  }

  @Test
  void ofAmdItHasTheLeavesThatAmdHas() {
    List<CpuidLeaf> amd = CpuidModel.portable(3, TSC_HZ, CpuVendor.AMD);

    assertThat(CpuVendor.of(amd)).isEqualTo(CpuVendor.AMD);
    assertThat(CpuFeature.of(amd)).isEqualTo(CpuFeature.of(leaves));
    assertThat(amd).extracting(CpuidLeaf::leaf).doesNotContain(2, 4, 0x15, 0x16);
    CpuidLeaf extended = find(amd, 0x8000_0000, -1);
    assertThat(text(extended.ebx(), extended.edx(), extended.ecx())).isEqualTo("AuthenticAMD");
    int signature = find(amd, 1, -1).eax();
    assertThat(signature >> 8 & 0xF).as("base family").isEqualTo(0xF);
    assertThat(signature >> 20 & 0xFF).as("extended family").isEqualTo(2);
    assertThat(find(amd, 0x8000_0001, -1).eax()).isEqualTo(signature);
    assertThat(find(amd, 0x8000_0001, -1).ecx() & 2).as("CmpLegacy").isEqualTo(2);
    CpuidLeaf sizes = find(amd, 0x8000_0008, -1);
    assertThat(sizes.ecx() & 0xFF).as("cores less one").isEqualTo(2);
    assertThat(sizes.ecx() >> 12 & 0xF).as("bits of an APIC id").isEqualTo(2);
    assertThat(amd)
        .extracting(leaf -> Integer.toUnsignedLong(leaf.leaf()) << 8 | Math.max(0, leaf.subleaf()))
        .isSorted()
        .doesNotHaveDuplicates();
  }

  @Test
  void theFeaturesAreThoseOfX8664V2AndNothingThatNeedsAvx() {
    CpuidLeaf basic = leaf(1, -1);
    CpuidLeaf extended = leaf(0x8000_0001, -1);

    for (int bit : new int[] {0, 9, 13, 19, 20, 23}) {
      assertThat(basic.ecx() >>> bit & 1).as("leaf 1 ECX bit " + bit).isEqualTo(1);
    }
    for (int bit : new int[] {1, 3, 12, 22, 25, 27, 28, 29}) {
      assertThat(basic.ecx() >>> bit & 1).as("leaf 1 ECX bit " + bit).isZero();
    }
    for (int bit : new int[] {0, 8, 15, 23, 24, 25, 26}) {
      assertThat(basic.edx() >>> bit & 1).as("leaf 1 EDX bit " + bit).isEqualTo(1);
    }
    assertThat(extended.ecx() & 1).as("LAHF").isEqualTo(1);
    assertThat(leaf(7, 0).ebx() & (1 << 3 | 1 << 5 | 1 << 8 | 1 << 19))
        .as("BMI, AVX2, ADX")
        .isZero();
  }

  @ParameterizedTest
  @ValueSource(longs = {1_000_000_000L, 2_000_000_000L, 3_700_000_000L, 2_596_148_000L})
  void linuxComputesTheTscFrequencyFromLeaf15(long tscHz) {
    CpuidLeaf ratio =
        CpuidModel.portable(1, tscHz).stream()
            .filter(l -> l.leaf() == 0x15)
            .findFirst()
            .orElseThrow();

    int crystalKhz = Integer.divideUnsigned(ratio.ecx(), 1000);
    int tscKhz = Integer.divideUnsigned(crystalKhz * ratio.ebx(), ratio.eax());

    assertThat(Integer.toUnsignedLong(tscKhz)).as("in 32 bits").isEqualTo(tscHz / 1000);
  }

  @Test
  void theTopologyHoldsEveryCpuAsACoreOfOnePackage() {
    for (int cpus : new int[] {1, 2, 3, 4, 5, 255}) {
      List<CpuidLeaf> model = CpuidModel.portable(cpus, TSC_HZ);
      CpuidLeaf core = find(model, 0xB, 1);
      assertThat(1 << core.eax()).as("APIC ids of %d CPUs", cpus).isGreaterThanOrEqualTo(cpus);
      assertThat(core.ebx()).isEqualTo(cpus);
      assertThat(find(model, 1, -1).edx() >>> 28 & 1).as("HTT").isEqualTo(cpus > 1 ? 1 : 0);
    }
  }

  @Test
  void cachesHaveTheSizesTheyTell() {
    assertThat(cacheBytes(leaf(4, 0))).isEqualTo(32 << 10);
    assertThat(cacheBytes(leaf(4, 1))).isEqualTo(32 << 10);
    assertThat(cacheBytes(leaf(4, 2))).isEqualTo(1 << 20);
    assertThat(leaf(4, 3).eax() & 31).as("no further cache").isZero();
  }

  @Test
  void theXsaveAreaIsThatOfX87AndSse() {
    assertThat(leaf(0xD, 0).eax()).isEqualTo(0b11);
    assertThat(leaf(0xD, 0).ecx()).isEqualTo(576);
  }

  @Test
  void theNameIsReadFromThreeLeaves() {
    StringBuilder name = new StringBuilder();
    for (int leaf = 0x8000_0002; leaf <= 0x8000_0004; leaf++) {
      CpuidLeaf part = leaf(leaf, -1);
      name.append(text(part.eax(), part.ebx(), part.ecx(), part.edx()));
    }
    assertThat(name.toString().replace("\0", "")).isEqualTo("vmm4j virtual CPU");
  }

  @Test
  void impossibleMachinesAreRefused() {
    assertThatThrownBy(() -> CpuidModel.portable(0, TSC_HZ)).hasMessageContaining("cpus");
    assertThatThrownBy(() -> CpuidModel.portable(1, 5_000_000_000L)).hasMessageContaining("tsc");
  }

  private CpuidLeaf leaf(int leaf, int subleaf) {
    return find(leaves, leaf, subleaf);
  }

  private static CpuidLeaf find(List<CpuidLeaf> model, int leaf, int subleaf) {
    return model.stream()
        .filter(l -> l.leaf() == leaf && l.subleaf() == subleaf)
        .findFirst()
        .orElseThrow();
  }

  private static int cacheBytes(CpuidLeaf leaf) {
    int ways = (leaf.ebx() >>> 22) + 1;
    int lineBytes = (leaf.ebx() & 0xFFF) + 1;
    return ways * lineBytes * (leaf.ecx() + 1);
  }

  private static String text(int... words) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * words.length).order(ByteOrder.LITTLE_ENDIAN);
    for (int word : words) {
      bytes.putInt(word);
    }
    return new String(bytes.array(), StandardCharsets.US_ASCII);
  }
}

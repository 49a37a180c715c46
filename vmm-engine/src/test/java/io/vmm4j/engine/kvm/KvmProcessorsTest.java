package io.vmm4j.engine.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.vmm4j.api.BackendChoice;
import io.vmm4j.api.BackendUnavailableException;
import io.vmm4j.api.Backends;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.backend.CpuVendor;
import io.vmm4j.api.backend.CpuidLeaf;
import io.vmm4j.engine.machine.GuestPrograms;
import io.vmm4j.kvm.KvmBackend;
import io.vmm4j.x86.CpuidModel;
import io.vmm4j.x86.XsaveLayout;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Processors other than the portable one on KVM. */
@Timeout(600)
class KvmProcessorsTest {
  private static final Duration LONG = Duration.ofSeconds(120);
  private static final int PKRU = 0x5555_5554;
  private static final int SPINS_FROM = 0x21;
  private static final int SPINS_TO = 0x2C;

  /**
   * Sets PKRU, says so, and looks at it for ever.
   *
   * <pre>
   *       mov eax, cr4
   *       or eax, 0x400000        ; PKE
   *       mov cr4, eax
   *       xor ecx, ecx
   *       xor edx, edx
   *       mov eax, 0x55555554
   *       wrpkru
   *       mov dx, 0x3F8
   *       mov al, 'A'
   *       out dx, al
   * spin: rdpkru
   *       cmp eax, 0x55555554
   *       je spin
   *       mov al, 43
   *       out 0xF4, al
   * </pre>
   */
  private static final String KEYS =
      "0f20e0 660d00004000 0f22e0 6631c9 6631d2 66b854555555 0f01ef baf803 b041 ee"
          + " 0f01ee 663d54555555 74f5 b02b e6f4";

  @TempDir private Path directory;

  @BeforeEach
  void kvmIsThere() {
    Kvm.required();
  }

  private static Set<CpuFeature> given(CpuVendor vendor) {
    List<CpuidLeaf> all =
        CpuFeature.claim(
            CpuidModel.portable(1, 1_000_000_000, vendor), EnumSet.allOf(CpuFeature.class));
    return CpuFeature.of(new KvmBackend().possible(all));
  }

  private VmSpec.Builder guest(BackendChoice backend, String hex) throws IOException {
    return GuestPrograms.spec(directory, backend, hex);
  }

  @ParameterizedTest
  @EnumSource
  void aMachineOfEitherVendorHasAllThatTheHostCanGive(CpuVendor vendor) throws IOException {
    Set<CpuFeature> features = given(vendor);
    features.removeAll(CpuFeature.portable());
    VmSpec spec =
        guest(Backends.kvm(), GuestPrograms.HELLO)
            .cpuVendor(vendor)
            .withCpuFeatures(features.toArray(CpuFeature[]::new))
            .build();
    try (Vm vm = Vm.start(spec)) {
      assertThat(vm.awaitExit(LONG)).isEqualTo(new VmExit.DebugExit(42));
    }
  }

  @Test
  void whatNoHostCanGiveIsRefusedByNameAndChosenAgainstByItself() throws IOException {
    VmSpec.Builder wishes =
        guest(Backends.kvm(), GuestPrograms.HELLO).withCpuFeatures(CpuFeature.PKS);
    assertThatThrownBy(() -> Vm.create(wishes.build()))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContaining("PKS");
    try (Vm vm = Vm.create(wishes.backend(Backends.auto()).build())) {
      assertThat(vm.backend().name()).isEqualTo("software");
    }
  }

  @Test
  void protectionKeysMoveBetweenTheBackends() throws IOException {
    CpuVendor vendor =
        given(CpuVendor.AMD).contains(CpuFeature.PKU) ? CpuVendor.AMD : CpuVendor.INTEL;
    if (!given(vendor).contains(CpuFeature.PKU)) {
      System.out.println("SKIPPED: protection keys on KVM: this host has none for a guest");
    }
    assumeTrue(given(vendor).contains(CpuFeature.PKU));
    VmSpec spec =
        guest(Backends.kvm(), KEYS)
            .cpuVendor(vendor)
            .withCpuFeatures(CpuFeature.PKU)
            .withoutCpuFeatures(Kvm.isEmulated() ? new CpuFeature[] {CpuFeature.XSAVE} : none())
            .build();
    try (Vm kvm = Vm.start(spec)) {
      kvm.console("com1").expect("A", LONG);
      kvm.pause();
      assertKeys(kvm, vendor);
      try (Snapshot first = kvm.snapshot();
          Vm software = first.load(Backends.software())) {
        assertKeys(software, vendor);
        software.resume();
        software.pause();
        assertKeys(software, vendor);
        try (Snapshot second = software.snapshot();
            Vm back = second.load(Backends.kvm())) {
          back.resume();
          back.pause();
          assertKeys(back, vendor);
        }
      }
    }
  }

  private static CpuFeature[] none() {
    return new CpuFeature[0];
  }

  private static void assertKeys(Vm vm, CpuVendor vendor) {
    CpuState state = vm.cpuState(0);
    XsaveLayout layout =
        XsaveLayout.of(
            CpuFeature.claim(
                CpuidModel.portable(1, 1_000_000_000, vendor), Set.of(CpuFeature.PKU)));
    assertThat(layout.pkru(state.xsave())).isEqualTo(PKRU);
    assertThat(state.rip()).isBetween((long) SPINS_FROM, (long) SPINS_TO);
  }
}

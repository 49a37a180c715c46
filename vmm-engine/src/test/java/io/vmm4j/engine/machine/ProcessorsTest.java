package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.BackendChoice;
import io.vmm4j.api.BackendUnavailableException;
import io.vmm4j.api.Backends;
import io.vmm4j.api.InvalidSpecException;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.backend.BackendHost;
import io.vmm4j.api.backend.BackendMachine;
import io.vmm4j.api.backend.BackendProbe;
import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.api.backend.CpuModel;
import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.backend.CpuVendor;
import io.vmm4j.api.backend.CpuidLeaf;
import io.vmm4j.api.backend.VmBackend;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.api.device.PlatformFact;
import io.vmm4j.api.memory.GuestMemory;
import io.vmm4j.snapshot.SnapshotInspection;
import io.vmm4j.software.SoftwareBackend;
import io.vmm4j.x86.CpuidModel;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a machine's processors are like: the specification's wishes and the host's limits. */
class ProcessorsTest {
  private static final long HOST_HZ = 2_096_011_000L;

  @TempDir private Path directory;

  /** A backend of a host without PCID and BMI2, whose counter can't be scaled. */
  private record PoorBackend(boolean usable) implements VmBackend {
    @Override
    public String name() {
      return "poor";
    }

    @Override
    public int preference() {
      return 1;
    }

    @Override
    public BackendProbe probe() {
      return new BackendProbe(usable, "for a test");
    }

    @Override
    public List<CpuidLeaf> possible(List<CpuidLeaf> wanted) {
      return CpuFeature.withdraw(wanted, EnumSet.of(CpuFeature.PCID, CpuFeature.BMI2));
    }

    @Override
    public long possibleTscFrequencyHz(long wanted) {
      return HOST_HZ;
    }

    @Override
    public BackendMachine open(BackendHost host) {
      throw new UnsupportedOperationException();
    }
  }

  private static Processors portable(VmSpec spec, boolean usable) {
    MachineBoot boot =
        new MachineBoot() {
          @Override
          public List<CpuidLeaf> cpuid(int cpus, long hz, CpuVendor vendor) {
            return CpuidModel.portable(cpus, hz, vendor);
          }

          @Override
          public CpuState load(MachinePlan plan, GuestMemory memory, List<PlatformFact> facts) {
            throw new UnsupportedOperationException();
          }
        };
    return Processors.portable(spec, List.of(new PoorBackend(usable)), boot);
  }

  private static VmSpec spec(ClockMode clock) {
    return TestMachines.spec(clock, Map.of());
  }

  @Test
  void withRealTimeTheyHaveWhatAllUsableBackendsHave() {
    Processors processors = portable(spec(ClockMode.REAL), true);
    assertThat(processors.tscFrequencyHz()).isEqualTo(HOST_HZ);
    assertThat(CpuFeature.of(processors.cpuid())).isEqualTo(portableWithoutPcid());
  }

  private static Set<CpuFeature> portableWithoutPcid() {
    Set<CpuFeature> features = CpuFeature.portable();
    features.remove(CpuFeature.PCID);
    return features;
  }

  @Test
  void aBackendThatCannotRunCostsNothing() {
    assertThat(portable(spec(ClockMode.REAL), false))
        .isEqualTo(new Processors(CpuidModel.portable(1, 1_000_000_000), 1_000_000_000));
  }

  @Test
  void withVirtualTimeTheyAreTheSameOnEveryHost() {
    assertThat(portable(spec(ClockMode.VIRTUAL), true))
        .isEqualTo(new Processors(CpuidModel.portable(1, 1_000_000_000), 1_000_000_000));
  }

  private static VmSpec asking(ClockMode clock, CpuFeature... features) {
    return spec(clock).toBuilder()
        .withCpuFeatures(features)
        .cpuVendor(CpuVendor.AMD)
        .backend(Backends.software())
        .build();
  }

  private static BackendChooser.Chosen choose(VmSpec spec, BackendChoice choice) {
    List<VmBackend> backends = List.of(new PoorBackend(true), new SoftwareBackend());
    return BackendChooser.choose(
        backends,
        choice,
        spec.clock(),
        CpuFeature.claim(CpuidModel.portable(1, 1_000_000_000), spec.withCpuFeatures()),
        spec.withCpuFeatures());
  }

  @Test
  void whatIsAskedForIsThereThoughABackendThatCouldRunHereLacksIt() {
    for (ClockMode clock : ClockMode.values()) {
      Processors processors = portable(asking(clock, CpuFeature.BMI2, CpuFeature.UMIP), true);
      assertThat(CpuFeature.of(processors.cpuid()))
          .containsAll(CpuFeature.portable()) // PCID too: the other backend can't run it anyway
          .contains(CpuFeature.BMI2, CpuFeature.UMIP)
          .doesNotContain(CpuFeature.BMI1);
      assertThat(CpuVendor.of(processors.cpuid())).isEqualTo(CpuVendor.AMD);
    }
  }

  @Test
  void whatIsAskedForOfAllBackendsLeavesThemWhatTheyHaveInCommon() {
    Set<CpuFeature> expected = portableWithoutPcid();
    expected.add(CpuFeature.UMIP);
    assertThat(CpuFeature.of(portable(asking(ClockMode.REAL, CpuFeature.UMIP), true).cpuid()))
        .isEqualTo(expected);
  }

  @Test
  void ofSeveralBackendsOneIsChosenThatCanGiveWhatIsAskedFor() {
    BackendChooser.Chosen common = choose(asking(ClockMode.REAL), Backends.auto());
    assertThat(common.backend().name()).isEqualTo("poor");
    VmSpec wishes = asking(ClockMode.REAL, CpuFeature.BMI2);
    BackendChooser.Chosen able = choose(wishes, Backends.auto());
    assertThat(able.backend().name()).isEqualTo("software");
    assertThat(able.selection().reason()).contains("poor: it can't give the processor BMI2");
    assertThatThrownBy(() -> choose(wishes, new BackendChoice("poor")))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContaining("BMI2");
  }

  @Test
  void aFeatureBothAskedForAndDeclinedIsAFault() {
    assertThatThrownBy(() ->
            GuestPrograms.spec(directory, Backends.software(), GuestPrograms.HELLO)
                .withCpuFeatures(CpuFeature.BMI1)
                .withoutCpuFeatures(CpuFeature.BMI1)
                .build())
        .isInstanceOf(InvalidSpecException.class)
        .hasMessageContaining("BMI1");
  }

  @Test
  void whatIsAskedForGoesThroughSnapshotsWhichNameIt() throws IOException {
    VmSpec spec =
        GuestPrograms.spec(directory, Backends.software(), GuestPrograms.REGISTERS)
            .withCpuFeatures(CpuFeature.PKU, CpuFeature.PKS)
            .cpuVendor(CpuVendor.AMD)
            .build();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (Vm vm = Vm.create(spec);
        Snapshot snapshot = vm.snapshot()) {
      snapshot.writeTo(bytes);
    }
    byte[] file = bytes.toByteArray();
    assertThat(
            SnapshotInspection.of(new ByteArrayInputStream(file), SnapshotLimits.standard())
                .prologue()
                .orElseThrow()
                .features())
        .containsExactlyInAnyOrder("cpu:PKU", "cpu:PKS");
    try (Snapshot read = Snapshot.read(new ByteArrayInputStream(file));
        Vm vm = read.load(Backends.auto())) {
      assertThat(vm.backend().name()).isEqualTo("software"); // KVM has no PKS anywhere
      assertThat(vm.spec().cpuVendor()).isEqualTo(CpuVendor.AMD);
      assertThat(vm.cpuState(0).xsave()).hasSize(2440);
    }
  }

  @Test
  void theThirdModelIsItsFeaturesAndGoesThroughSnapshots() throws IOException {
    VmSpec spec =
        GuestPrograms.spec(directory, Backends.software(), GuestPrograms.REGISTERS)
            .cpuModel(CpuModel.V3)
            .withoutCpuFeatures(CpuFeature.F16C)
            .build();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (Vm vm = Vm.create(spec);
        Snapshot snapshot = vm.snapshot()) {
      snapshot.writeTo(bytes);
      assertThat(vm.cpuState(0).xsave()).hasSize(832);
    }
    byte[] file = bytes.toByteArray();
    assertThat(
            SnapshotInspection.of(new ByteArrayInputStream(file), SnapshotLimits.standard())
                .prologue()
                .orElseThrow()
                .features())
        .containsExactlyInAnyOrder(
            "cpu:AVX", "cpu:AVX2", "cpu:FMA", "cpu:BMI1", "cpu:BMI2", "cpu:LZCNT", "cpu:MOVBE");
    try (Snapshot read = Snapshot.read(new ByteArrayInputStream(file));
        Vm vm = read.load(Backends.software())) {
      assertThat(vm.cpuState(0).xsave()).hasSize(832);
    }
  }

  @Test
  void aModelThatTheHostLacksIsRefusedByTheNamesOfWhatIsMissing() {
    VmSpec spec = spec(ClockMode.REAL).toBuilder().cpuModel(CpuModel.V3).build();
    assertThatThrownBy(() -> choose(spec, new BackendChoice("poor")))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContaining("it can't give the processor BMI2");
    assertThat(choose(spec, Backends.auto()).backend().name()).isEqualTo("software");
  }

  @Test
  void featuresNeedThoseThatTheyAreMadeOf() {
    assertThatThrownBy(() ->
            spec(ClockMode.REAL).toBuilder()
                .cpuModel(CpuModel.V3)
                .withoutCpuFeatures(CpuFeature.AVX)
                .build())
        .isInstanceOf(InvalidSpecException.class)
        .hasMessageContaining("AVX2 needs AVX")
        .hasMessageContaining("FMA needs AVX")
        .hasMessageContaining("F16C needs AVX");
    assertThatThrownBy(() ->
            spec(ClockMode.REAL).toBuilder()
                .withCpuFeatures(CpuFeature.AVX)
                .withoutCpuFeatures(CpuFeature.XSAVE)
                .build())
        .isInstanceOf(InvalidSpecException.class)
        .hasMessageContaining("AVX needs XSAVE");
  }

  @Test
  void theSpecificationHasItsWayThroughSnapshots() throws IOException {
    VmSpec spec =
        GuestPrograms.spec(directory, Backends.software(), GuestPrograms.REGISTERS)
            .tscFrequencyHz(3_000_000_000L)
            .withoutCpuFeatures(CpuFeature.PCID, CpuFeature.RDSEED)
            .build();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (Vm vm = Vm.create(spec);
        Snapshot snapshot = vm.snapshot()) {
      snapshot.writeTo(bytes);
    }
    try (Snapshot read = Snapshot.read(new ByteArrayInputStream(bytes.toByteArray()));
        Vm vm = read.load(Backends.software())) {
      long tsc = vm.cpuState(0).tsc();
      long nanos = vm.clock().nanoTime();
      vm.resume();
      vm.console("com1").expect("AB", java.time.Duration.ofMinutes(10));
      vm.pause();
      assertThat(vm.cpuState(0).tsc() - tsc)
          .isBetween(
              3 * (vm.clock().nanoTime() - nanos), 3 * (vm.clock().nanoTime() - nanos) + 0x1003);
      assertThat(Set.copyOf(spec.withoutCpuFeatures()))
          .containsExactlyInAnyOrder(CpuFeature.PCID, CpuFeature.RDSEED);
    }
  }

  @Test
  void aFrequencyOutOfRangeIsRefused() {
    assertThatThrownBy(() ->
            GuestPrograms.spec(directory, Backends.software(), GuestPrograms.HELLO)
                .tscFrequencyHz(10)
                .build())
        .isInstanceOf(InvalidSpecException.class)
        .hasMessageContaining("tscFrequencyHz");
  }
}

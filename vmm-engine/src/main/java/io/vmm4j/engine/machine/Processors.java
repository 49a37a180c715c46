package io.vmm4j.engine.machine;

import io.vmm4j.api.VmSpec;
import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.api.backend.CpuidLeaf;
import io.vmm4j.api.backend.VmBackend;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.engine.machine.clock.MachineTime;
import java.util.List;
import java.util.Set;

/**
 * What a machine's processors are like to its guest, whatever backend runs them.
 *
 * @param cpuid the leaves of CPUID
 * @param tscFrequencyHz the frequency of the time-stamp counters
 */
record Processors(List<CpuidLeaf> cpuid, long tscFrequencyHz) {

  /**
   * The processors of a new machine, as the specification wants them. A machine with real time may
   * move to any backend that can run it here, so it has nothing that one of them lacks but what was
   * asked for. One with virtual time is the same on every host, and stays with those that can
   * count.
   */
  static Processors portable(VmSpec spec, List<VmBackend> backends, MachineBoot boot) {
    List<CpuidLeaf> asked = wanted(spec, MachineTime.TSC_FREQUENCY_HZ, boot);
    List<VmBackend> usable =
        spec.clock() == ClockMode.VIRTUAL
            ? List.of()
            : backends.stream()
                .filter(backend -> backend.probe().usable())
                .filter(backend -> lacking(backend, asked, spec.withCpuFeatures()).isEmpty())
                .toList();
    long hz =
        spec.tscFrequencyHz()
            .orElseGet(() -> {
              long possible = MachineTime.TSC_FREQUENCY_HZ;
              for (VmBackend backend : usable) {
                possible = backend.possibleTscFrequencyHz(possible);
              }
              return possible;
            });
    List<CpuidLeaf> cpuid = wanted(spec, hz, boot);
    for (VmBackend backend : usable) {
      cpuid = backend.possible(cpuid);
    }
    return new Processors(cpuid, hz);
  }

  /** The leaves that a specification asks for, whatever can give them. */
  static List<CpuidLeaf> wanted(VmSpec spec, long hz, MachineBoot boot) {
    List<CpuidLeaf> model = boot.cpuid(spec.cpus(), hz, spec.cpuVendor());
    return CpuFeature.claim(
        CpuFeature.withdraw(model, spec.withoutCpuFeatures()), spec.withCpuFeatures());
  }

  /** Which of some needed features that leaves claim a backend, which can run here, can't give. */
  static Set<CpuFeature> lacking(VmBackend backend, List<CpuidLeaf> cpuid, Set<CpuFeature> needed) {
    Set<CpuFeature> lacking = CpuFeature.of(cpuid);
    lacking.retainAll(needed);
    lacking.removeAll(CpuFeature.of(backend.possible(cpuid)));
    return lacking;
  }
}

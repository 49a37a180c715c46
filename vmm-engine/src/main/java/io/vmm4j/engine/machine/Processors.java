package io.vmm4j.engine.machine;

import io.vmm4j.api.VmSpec;
import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.api.backend.CpuidLeaf;
import io.vmm4j.api.backend.VmBackend;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.engine.machine.clock.MachineTime;
import java.util.List;

/**
 * What a machine's processors are like to its guest, whatever backend runs them.
 *
 * @param cpuid the leaves of CPUID
 * @param tscFrequencyHz the frequency of the time-stamp counters
 */
record Processors(List<CpuidLeaf> cpuid, long tscFrequencyHz) {

  /**
   * The portable processors, as the specification wants them. A machine with real time may move to
   * any backend that can run here, so it has nothing that one of them lacks. One with virtual time
   * is the same on every host, and stays with those that can count.
   */
  static Processors portable(VmSpec spec, List<VmBackend> backends, MachineBoot boot) {
    List<VmBackend> usable =
        spec.clock() == ClockMode.VIRTUAL
            ? List.of()
            : backends.stream().filter(backend -> backend.probe().usable()).toList();
    long hz =
        spec.tscFrequencyHz()
            .orElseGet(() -> {
              long possible = MachineTime.TSC_FREQUENCY_HZ;
              for (VmBackend backend : usable) {
                possible = backend.possibleTscFrequencyHz(possible);
              }
              return possible;
            });
    List<CpuidLeaf> cpuid =
        CpuFeature.withdraw(boot.cpuid(spec.cpus(), hz), spec.withoutCpuFeatures());
    for (VmBackend backend : usable) {
      cpuid = backend.possible(cpuid);
    }
    return new Processors(cpuid, hz);
  }
}

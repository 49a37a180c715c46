package io.vmm4j.engine.machine;

import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.backend.CpuVendor;
import io.vmm4j.api.backend.CpuidLeaf;
import io.vmm4j.api.device.PlatformFact;
import io.vmm4j.api.memory.GuestMemory;
import java.util.List;

/** What a machine needs from the boot loaders. */
public interface MachineBoot {

  /** The CPUID leaves that a guest of so many processors of a vendor sees. */
  List<CpuidLeaf> cpuid(int cpus, long tscFrequencyHz, CpuVendor vendor);

  /**
   * Puts firmware tables and what the specification boots from into the memory of a fresh machine.
   *
   * @return the state in which the bootstrap processor begins
   * @throws io.vmm4j.api.BootException if the boot source can't be loaded
   */
  CpuState load(MachinePlan plan, GuestMemory memory, List<PlatformFact> facts);
}

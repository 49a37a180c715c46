package io.vmm4j.engine;

import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.backend.CpuidLeaf;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.device.PlatformFact;
import io.vmm4j.api.memory.GuestMemory;
import io.vmm4j.engine.acpi.AcpiTables;
import io.vmm4j.engine.boot.BiosMemoryMap;
import io.vmm4j.engine.boot.BootLoader;
import io.vmm4j.engine.boot.BootTarget;
import io.vmm4j.engine.machine.MachineBoot;
import io.vmm4j.engine.machine.MachinePlan;
import io.vmm4j.engine.machine.cpuid.CpuModel;
import java.util.List;

/** Brings the firmware tables and the boot source of a specification into a fresh machine. */
final class BootLoaders implements MachineBoot {

  @Override
  public List<CpuidLeaf> cpuid(int cpus, long tscFrequencyHz) {
    return CpuModel.portable(cpus, tscFrequencyHz);
  }

  @Override
  public CpuState load(MachinePlan plan, GuestMemory memory, List<PlatformFact> facts) {
    BootSource source = plan.spec().boot();
    long rsdpAddress = 0;
    if (!BootLoader.isFirmware(source)) {
      AcpiTables tables = AcpiTables.build(facts, plan.spec().cpus(), AcpiTables.DEFAULT_ADDRESS);
      if (memory.contains(AcpiTables.DEFAULT_ADDRESS, tables.bytes().length)) {
        tables.writeTo(memory);
        rsdpAddress = tables.rsdpAddress();
      }
    }
    BiosMemoryMap ram = new BiosMemoryMap(plan.spec().memory().bytes());
    return BootLoader.of(source).load(new BootTarget(memory, ram, rsdpAddress));
  }
}

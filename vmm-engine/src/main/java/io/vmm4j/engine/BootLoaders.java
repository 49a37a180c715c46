package io.vmm4j.engine;

import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.backend.CpuVendor;
import io.vmm4j.api.backend.CpuidLeaf;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.device.PlatformFact;
import io.vmm4j.api.memory.GuestMemory;
import io.vmm4j.engine.acpi.AcpiTables;
import io.vmm4j.engine.boot.BiosData;
import io.vmm4j.engine.boot.BiosMemoryMap;
import io.vmm4j.engine.boot.BootLoader;
import io.vmm4j.engine.boot.BootTarget;
import io.vmm4j.engine.machine.MachineBoot;
import io.vmm4j.engine.machine.MachinePlan;
import io.vmm4j.engine.mp.MpTable;
import io.vmm4j.x86.CpuidModel;
import java.util.List;
import java.util.Optional;

/** Brings the firmware tables and the boot source of a specification into a fresh machine. */
final class BootLoaders implements MachineBoot {
  private static final int EDX = 2;

  @Override
  public List<CpuidLeaf> cpuid(int cpus, long tscFrequencyHz, CpuVendor vendor) {
    return CpuidModel.portable(cpus, tscFrequencyHz, vendor);
  }

  @Override
  public CpuState load(MachinePlan plan, GuestMemory memory, List<PlatformFact> facts) {
    BootSource source = plan.spec().boot();
    long rsdpAddress = 0;
    BiosMemoryMap ram = new BiosMemoryMap(plan.spec().memory().bytes());
    if (!BootLoader.isFirmware(source)) {
      AcpiTables tables = AcpiTables.build(facts, plan.spec().cpus(), AcpiTables.DEFAULT_ADDRESS);
      if (memory.contains(AcpiTables.DEFAULT_ADDRESS, tables.bytes().length)) {
        tables.writeTo(memory);
        rsdpAddress = tables.rsdpAddress();
      }
      mpTable(plan, facts)
          .filter(table -> memory.contains(MpTable.ADDRESS, table.bytes().length))
          .ifPresent(table -> table.writeTo(memory));
      BiosData.of(facts, plan.startTime()).writeTo(memory, ram);
    }
    CpuState state = BootLoader.of(source).load(new BootTarget(memory, ram, rsdpAddress));
    if (BootLoader.isFirmware(source)) {
      // EDX tells firmware the processor's signature, which the loader does not know.
      plan.cpuid().stream()
          .filter(leaf -> leaf.leaf() == 1)
          .findFirst()
          .ifPresent(leaf -> state.gpr()[EDX] = leaf.eax() & 0xFFFF_FFFFL);
    }
    return state;
  }

  private static Optional<MpTable> mpTable(MachinePlan plan, List<PlatformFact> facts) {
    return plan.cpuid().stream()
        .filter(leaf -> leaf.leaf() == 1)
        .findFirst()
        .flatMap(leaf -> MpTable.build(facts, plan.spec().cpus(), leaf.eax(), leaf.edx()));
  }
}

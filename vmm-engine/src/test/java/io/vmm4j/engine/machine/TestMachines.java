package io.vmm4j.engine.machine;

import io.vmm4j.api.BackendChoice;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.backend.CpuVendor;
import io.vmm4j.api.backend.CpuidLeaf;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.api.device.PlatformFact;
import io.vmm4j.api.memory.GuestMemory;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Machines of a scripted vCPU and a test device. */
final class TestMachines {
  final FakeBackend backend;
  final MachineFactory factory;

  TestMachines(FakeBackend.Script script) {
    backend = new FakeBackend(script);
    TestDevice.Factory device = new TestDevice.Factory();
    factory =
        new MachineFactory(
            new DeviceCatalog(Map.of(device.type(), device), Map.of(), List.of(backend)),
            new NoBoot());
  }

  static final class NoBoot implements MachineBoot {
    @Override
    public List<CpuidLeaf> cpuid(int cpus, long tscFrequencyHz, CpuVendor vendor) {
      return List.of(new CpuidLeaf(0, -1, 1, 2, 3, 4));
    }

    @Override
    public CpuState load(MachinePlan plan, GuestMemory memory, List<PlatformFact> facts) {
      return FakeBackend.resetState();
    }
  }

  static VmSpec spec(ClockMode clock) {
    return spec(clock, Map.of("test", TestDevice.Config.STANDARD));
  }

  static VmSpec spec(ClockMode clock, Map<String, DeviceConfig> devices) {
    return new VmSpec(
        "machine",
        new BackendChoice(BackendChoice.AUTO),
        MemorySize.mebibytes(2),
        1,
        new BootSource.ResetVector(),
        DeviceCatalog.NO_BOARD,
        new LinkedHashMap<>(devices),
        clock,
        Optional.of(Instant.EPOCH),
        Optional.of(1L),
        MemorySize.kibibytes(64),
        Optional.empty(),
        Set.of(),
        Set.of(),
        CpuVendor.INTEL);
  }

  Vm create(ClockMode clock) {
    return factory.create(spec(clock));
  }

  Vm start(ClockMode clock) {
    Vm vm = create(clock);
    vm.resume();
    return vm;
  }
}

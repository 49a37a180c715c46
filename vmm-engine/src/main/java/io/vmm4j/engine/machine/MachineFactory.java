package io.vmm4j.engine.machine;

import io.vmm4j.api.BackendChoice;
import io.vmm4j.api.Backends;
import io.vmm4j.api.InvalidSpecException;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.device.Board;
import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.engine.machine.clock.MachineTime;
import io.vmm4j.engine.machine.snapshot.ImageMemory;
import io.vmm4j.engine.machine.snapshot.MemoryRestore;
import io.vmm4j.snapshot.MachineDescription;
import io.vmm4j.snapshot.SnapshotPlan;
import io.vmm4j.snapshot.SnapshotReader;
import io.vmm4j.snapshot.StateChunk;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Builds machines: from specifications and from snapshots. Any thread. */
public final class MachineFactory {
  private final DeviceCatalog catalog;
  private final MachineBoot boot;

  /** A factory of machines of what a catalogue holds. */
  public MachineFactory(DeviceCatalog catalog, MachineBoot boot) {
    this.catalog = catalog;
    this.boot = boot;
  }

  /** What is present to build from. */
  public DeviceCatalog catalog() {
    return catalog;
  }

  /** The faults of a specification. */
  public List<InvalidSpecException.Fault> check(VmSpec spec) {
    return SpecCheck.check(catalog, spec);
  }

  /** Builds a machine and boots it, up to its first instruction. */
  public Vm create(VmSpec spec) {
    List<InvalidSpecException.Fault> faults = check(spec);
    if (!faults.isEmpty()) {
      throw new InvalidSpecException(faults);
    }
    BackendChooser.Chosen chosen =
        BackendChooser.choose(catalog.backends(), spec.backend(), spec.clock());
    Machine machine = Machine.build(catalog, plan(spec), chosen);
    try {
      machine.boot(boot);
      machine.start();
      return new VirtualMachine(this, machine);
    } catch (Throwable e) {
      machine.closeAfter(e);
      throw e;
    }
  }

  private MachinePlan plan(VmSpec spec) {
    Board board = catalog.boards().get(spec.board());
    Instant startTime = spec.startTime().orElseGet(Instant::now);
    long seed = spec.randomSeed().orElseGet(new SecureRandom()::nextLong);
    VmSpec resolved =
        new VmSpec(
            spec.name(),
            spec.backend(),
            spec.memory(),
            spec.cpus(),
            spec.boot(),
            spec.board(),
            spec.devices(),
            spec.clock(),
            Optional.of(startTime),
            Optional.of(seed),
            spec.consoleLimit());
    return new MachinePlan(
        resolved,
        MachinePlan.devices(spec, board),
        startTime,
        seed,
        boot.cpuid(spec.cpus(), MachineTime.TSC_FREQUENCY_HZ));
  }

  /** A paused machine in the state of an image. */
  Vm load(MachinePlan plan, MachineImage image, ImageMemory contents, BackendChoice choice) {
    BackendChooser.Chosen chosen =
        BackendChooser.choose(catalog.backends(), choice, plan.spec().clock());
    Machine machine = Machine.build(catalog, plan, chosen, Optional.of(image.description()));
    try (MemoryRestore memory = memoryRestore(machine)) {
      MachineRestore.prepare(machine, image).apply(contents, memory);
      machine.start();
      return new VirtualMachine(this, machine);
    } catch (Throwable e) {
      machine.closeAfter(e);
      throw e;
    }
  }

  static MemoryRestore memoryRestore(Machine machine) {
    return new MemoryRestore(machine.memory(), machine.processors()::memoryWritten);
  }

  /** Reads a snapshot, to its footer and not further. */
  public Snapshot read(InputStream in, SnapshotLimits limits) throws IOException {
    Contents contents = new Contents();
    try {
      SnapshotPlan plan;
      try (Arena arena = Arena.ofShared()) {
        plan = new SnapshotReader(in, limits).read(machine -> contents.allocate(machine, arena));
      }
      MachineImage image = new MachineImage(plan.machine(), plan.states(), plan.mappings());
      ImageMemory memory = contents.get();
      contents.memory = null;
      return new MachineSnapshot(this, plan.prologue().id(), image, Optional.empty(), memory);
    } finally {
      contents.close();
    }
  }

  /** Memory that a reader has asked for, released unless it is taken. */
  private static final class Contents implements AutoCloseable {
    private @Nullable ImageMemory memory;

    java.util.Map<String, java.lang.foreign.MemorySegment> allocate(
        MachineDescription machine, Arena arena) {
      try {
        ImageMemory made = ImageMemory.create(machine.regions(), machine.totalMemoryBytes());
        memory = made;
        return made.map(arena);
      } catch (IOException | io.vmm4j.api.VmException e) {
        throw new SnapshotException.Incompatible(
            MemorySize.bytes(machine.totalMemoryBytes()) + " of memory",
            String.valueOf(e.getMessage()));
      }
    }

    ImageMemory get() {
      ImageMemory made = memory;
      if (made == null) {
        throw new IllegalStateException("the reader has asked for no memory");
      }
      return made;
    }

    @Override
    public void close() {
      if (memory != null) {
        memory.close();
      }
    }
  }

  /**
   * What a machine is built from according to a snapshot.
   *
   * @throws SnapshotException of the kind that fits, if it can't be built here
   */
  MachinePlan plan(MachineDescription description) {
    checkBuildable(description);
    SequencedMap<String, DeviceConfig> devices = new LinkedHashMap<>();
    for (MachineDescription.Device device : description.devices()) {
      DeviceFactory<?, ?> factory =
          catalog
              .factory(device.type())
              .orElseThrow(() -> new SnapshotException.MissingDevice(device.path(), device.type()));
      devices.put(device.path(), config(device, factory));
    }
    VmSpec spec =
        new VmSpec(
            description.name(),
            Backends.auto(),
            MemorySize.bytes(description.memoryBytes()),
            description.cpus(),
            new BootSource.ResetVector(),
            description.board(),
            devices,
            description.clock(),
            Optional.of(description.startTime()),
            Optional.of(description.randomSeed()),
            MemorySize.bytes(description.consoleLimitBytes()));
    return new MachinePlan(
        spec, devices, description.startTime(), description.randomSeed(), description.cpuid());
  }

  private static <C extends Record & DeviceConfig> C config(
      MachineDescription.Device device, DeviceFactory<C, ?> factory) {
    return new StateChunk(
            "configuration", device.path(), device.configVersion(), true, device.config(), 0)
        .decode(factory.configSchema());
  }

  private static void checkBuildable(MachineDescription d) {
    require(
        d.memoryBytes() >= 64 << 10 && d.memoryBytes() <= VmSpec.MAX_MEMORY.bytes(),
        "%s of RAM",
        MemorySize.bytes(d.memoryBytes()),
        "64K to " + VmSpec.MAX_MEMORY + " are possible");
    require(d.cpus() <= VmSpec.MAX_CPUS, "%s vCPUs", d.cpus(), VmSpec.MAX_CPUS + " are possible");
    require(
        d.tscFrequencyHz() == MachineTime.TSC_FREQUENCY_HZ,
        "a time-stamp counter of %s Hz",
        d.tscFrequencyHz(),
        MachineTime.TSC_FREQUENCY_HZ + " Hz is possible");
    require(
        d.consoleLimitBytes() >= 4096 && d.consoleLimitBytes() <= 1 << 30,
        "a console limit of %s bytes",
        d.consoleLimitBytes(),
        "4K to 1G are possible");
    require(
        d.memoryMap().equals(MachineImage.memoryMap(d.memoryBytes())),
        "the memory map %s",
        d.memoryMap(),
        "this version lays RAM out otherwise");
  }

  private static void require(boolean holds, String feature, Object value, String why) {
    if (!holds) {
      throw new SnapshotException.Incompatible(feature.formatted(value), why);
    }
  }

  /** A snapshot of a machine that is held. */
  MachineSnapshot capture(Machine machine) {
    MachineImage image = MachineImage.of(machine);
    ImageMemory memory = ImageMemory.create(image.description().regions(), 0);
    try {
      MachineImage.places(machine)
          .forEach((region, place) -> memory.capture(region, machine.memory(), place.offset()));
      return new MachineSnapshot(
          this, UUID.randomUUID(), image, Optional.of(machine.plan()), memory);
    } catch (Throwable e) {
      memory.close();
      throw e;
    }
  }
}

package io.vmm4j.engine.machine;

import io.vmm4j.api.Backends;
import io.vmm4j.api.DeviceException;
import io.vmm4j.api.InvalidSpecException;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.ResumeOptions;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.SnapshotResolver;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmException;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.api.backend.CpuVendor;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.api.device.Board;
import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.engine.machine.clock.MachineTime;
import io.vmm4j.engine.machine.snapshot.ImageMemory;
import io.vmm4j.engine.machine.snapshot.MemoryRestore;
import io.vmm4j.engine.memory.HostRoom;
import io.vmm4j.snapshot.MachineDescription;
import io.vmm4j.snapshot.MappedSnapshot;
import io.vmm4j.snapshot.MemorySink;
import io.vmm4j.snapshot.SharedFile;
import io.vmm4j.snapshot.SnapshotPath;
import io.vmm4j.snapshot.SnapshotPlan;
import io.vmm4j.snapshot.SnapshotReader;
import io.vmm4j.snapshot.StateChunk;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Builds machines: from specifications and from snapshots. Any thread. */
public final class MachineFactory {
  private static final Logger LOG = LoggerFactory.getLogger(MachineFactory.class);

  private final DeviceCatalog catalog;
  private final MachineBoot boot;
  private final HostRoom host = HostRoom.ofThisHost();

  /** A factory of machines of what a catalogue holds. */
  public MachineFactory(DeviceCatalog catalog, MachineBoot boot) {
    this.catalog = catalog;
    this.boot = boot;
  }

  /** Where there is room for machines' memory. */
  HostRoom host() {
    return host;
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
        BackendChooser.choose(
            catalog.backends(),
            spec.backend(),
            spec.clock(),
            Processors.wanted(spec, MachineTime.TSC_FREQUENCY_HZ, boot),
            spec.withCpuFeatures());
    Machine machine = Machine.build(catalog, plan(spec), chosen, host);
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
            spec.consoleLimit(),
            spec.tscFrequencyHz(),
            spec.withoutCpuFeatures(),
            spec.withCpuFeatures(),
            spec.cpuVendor());
    Processors processors = Processors.portable(spec, catalog.backends(), boot);
    return new MachinePlan(
        resolved,
        MachinePlan.devices(spec, board),
        startTime,
        seed,
        processors.cpuid(),
        processors.tscFrequencyHz());
  }

  /** A machine in the state of a snapshot, running or standing as the options say. */
  Vm resume(MachineSnapshot snapshot, ResumeOptions options) {
    try {
      return build(snapshot, options);
    } catch (DeviceException e) {
      if (options.rebound().isEmpty()) {
        throw MachineRestore.incompatible(e); // all of the device's configuration is the snapshot's
      }
      throw e;
    }
  }

  private Vm build(MachineSnapshot snapshot, ResumeOptions options) {
    MachinePlan plan = plan(snapshot.plan(), options);
    long advance = clockAdvance(snapshot, options);
    BackendChooser.Chosen chosen =
        BackendChooser.choose(
            catalog.backends(),
            options.backend(),
            plan.spec().clock(),
            plan.cpuid(),
            BackendChooser.isAuto(options.backend()) ? CpuFeature.of(plan.cpuid()) : Set.of());
    MachineImage image = snapshot.image();
    Machine machine = Machine.build(catalog, plan, chosen, image.description(), snapshot.memory());
    try (MemoryRestore memory = memoryRestore(machine)) {
      MachineRestore restore = MachineRestore.prepare(machine, image, options.rebound().keySet());
      restore.advanceClock(advance);
      machine
          .quiet()
          .during(() -> {
            machine.acceptOtherContents(options.acceptChangedDisks());
            restore.apply(snapshot.memory(), memory);
            machine.acceptOtherContents(false);
            return restore;
          });
      if (options.identity() == ResumeOptions.Identity.CLONE) {
        machine.becomeClone(UUID.randomUUID());
      }
      machine.start();
      Vm vm = new VirtualMachine(this, machine);
      if (!options.paused()) {
        vm.resume();
      }
      return vm;
    } catch (Throwable e) {
      machine.closeAfter(e);
      throw e;
    }
  }

  private static long clockAdvance(MachineSnapshot snapshot, ResumeOptions options) {
    if (options.clock() == ResumeOptions.GuestClock.CONTINUE) {
      return 0;
    }
    if (snapshot.plan().spec().clock() == ClockMode.VIRTUAL) {
      throw new IllegalArgumentException(
          "clock: a machine with virtual time can't catch up with the host's");
    }
    try {
      return Math.max(0, Duration.between(snapshot.taken(), Instant.now()).toNanos());
    } catch (ArithmeticException e) {
      throw new SnapshotException.Incompatible(
          "the time of the snapshot, " + snapshot.taken(),
          "the clock can't catch up with centuries; let it go on where it stood");
    }
  }

  /** The plan of a snapshot's machine with what the options change. */
  private static MachinePlan plan(MachinePlan saved, ResumeOptions options) {
    SequencedMap<String, DeviceConfig> devices = new LinkedHashMap<>(saved.devices());
    options
        .rebound()
        .forEach((path, config) -> {
          DeviceConfig old = devices.get(path);
          if (old == null || !old.deviceType().equals(config.deviceType())) {
            throw new IllegalArgumentException(
                "rebound: there is no device '%s' of type '%s' in the snapshot"
                    .formatted(path, config.deviceType()));
          }
          devices.put(path, config);
        });
    boolean clone = options.identity() == ResumeOptions.Identity.CLONE;
    long seed = clone ? new SecureRandom().nextLong() : saved.randomSeed();
    VmSpec spec = saved.spec();
    VmSpec now =
        new VmSpec(
            options.name().orElse(spec.name()),
            options.backend(),
            spec.memory(),
            spec.cpus(),
            spec.boot(),
            spec.board(),
            devices(spec, devices),
            spec.clock(),
            spec.startTime(),
            Optional.of(seed),
            spec.consoleLimit(),
            spec.tscFrequencyHz(),
            spec.withoutCpuFeatures(),
            spec.withCpuFeatures(),
            spec.cpuVendor());
    return new MachinePlan(
        now, devices, saved.startTime(), seed, saved.cpuid(), saved.tscFrequencyHz());
  }

  /** The specification's own devices as they are now. */
  private static Map<String, DeviceConfig> devices(
      VmSpec spec, SequencedMap<String, DeviceConfig> now) {
    Map<String, DeviceConfig> own = new LinkedHashMap<>(spec.devices());
    own.replaceAll((path, config) -> now.getOrDefault(path, config));
    return own;
  }

  MemoryRestore memoryRestore(Machine machine) {
    return new MemoryRestore(host, machine.memory(), machine::tellProcessors);
  }

  /** Reads a snapshot, to its footer and not further, and the parents that it is a delta to. */
  public Snapshot read(InputStream in, SnapshotLimits limits, SnapshotResolver parents)
      throws IOException {
    Contents contents = new Contents(host);
    try {
      SnapshotPlan plan;
      try (Arena arena = Arena.ofShared()) {
        plan = new SnapshotReader(in, limits).read(contents.in(arena), parents);
      } catch (InternalError e) {
        if (SharedFile.isFault(e)) {
          throw contents.get().explain(e);
        }
        throw e;
      }
      ImageMemory memory = contents.get();
      memory.completeRead();
      contents.memory = null;
      return snapshot(plan, memory);
    } finally {
      contents.close();
    }
  }

  /** Reads a snapshot from a file; maps its memory where the file and its layout allow it. */
  public Snapshot read(Path file, SnapshotLimits limits, SnapshotResolver parents)
      throws IOException {
    Optional<MappedSnapshot> mapped = MappedSnapshot.open(file, limits);
    if (mapped.isPresent()) {
      Optional<Snapshot> snapshot = map(file, mapped.get());
      if (snapshot.isPresent()) {
        return snapshot.get();
      }
      LOG.info("{} can't be mapped, since it may not be written to: reading it", file);
    }
    try (InputStream in = new BufferedInputStream(SnapshotPath.open(file), 1 << 16)) {
      return read(in, limits, parents);
    }
  }

  private Optional<Snapshot> map(Path path, MappedSnapshot file) throws IOException {
    boolean taken = false;
    try {
      Optional<ImageMemory> memory = ImageMemory.mapped(path, file);
      taken = memory.isPresent();
      return memory.map(image -> snapshot(file.plan(), image));
    } finally {
      if (!taken) {
        file.close();
      }
    }
  }

  private MachineSnapshot snapshot(SnapshotPlan plan, ImageMemory memory) {
    plan.memoryDigest().ifPresent(memory::noteZeros);
    return new MachineSnapshot(
        this,
        plan.prologue().id(),
        plan.prologue().created(),
        new MachineImage(plan.machine(), plan.states(), plan.mappings()),
        plan.memoryDigest(),
        plan.leftovers(),
        memory);
  }

  /** Memory that a reader has asked for, released unless it is taken. */
  private static final class Contents implements AutoCloseable {
    private final HostRoom host;
    private @Nullable ImageMemory memory;

    Contents(HostRoom host) {
      this.host = host;
    }

    /** Memory that is mapped for as long as an arena lives. */
    MemorySink in(Arena arena) {
      return new MemorySink() {
        @Override
        public Map<String, MemorySegment> allocate(MachineDescription machine) {
          return Contents.this.allocate(machine, arena);
        }

        @Override
        public void filling(String region, long bytes) {
          try {
            get().filling(region, bytes);
          } catch (VmException e) {
            throw new SnapshotException.Incompatible(
                "the memory of " + region, String.valueOf(e.getMessage()));
          }
        }
      };
    }

    private Map<String, MemorySegment> allocate(MachineDescription machine, Arena arena) {
      try {
        ImageMemory made = ImageMemory.create(host, machine.regions());
        memory = made;
        return made.map(arena);
      } catch (IOException | VmException e) {
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
        memory.release();
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
      VmSpec.pathFault(device.path())
          .ifPresent(fault -> {
            throw new SnapshotException.Incompatible("device '" + device.path() + "'", fault);
          });
      devices.put(device.path(), config(device, factory));
    }
    VmSpec.nameFault(description.name())
        .ifPresent(fault -> {
          throw new SnapshotException.Incompatible("the machine's name", fault);
        });
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
            MemorySize.bytes(description.consoleLimitBytes()),
            Optional.of(description.tscFrequencyHz()),
            Set.of(),
            Set.of(),
            CpuVendor.of(description.cpuid()));
    return new MachinePlan(
        spec,
        devices,
        description.startTime(),
        description.randomSeed(),
        description.cpuid(),
        description.tscFrequencyHz());
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
        d.tscFrequencyHz() >= VmSpec.MIN_TSC_HZ && d.tscFrequencyHz() <= VmSpec.MAX_TSC_HZ,
        "a time-stamp counter of %s Hz",
        d.tscFrequencyHz(),
        "%d to %d Hz are possible".formatted(VmSpec.MIN_TSC_HZ, VmSpec.MAX_TSC_HZ));
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
}

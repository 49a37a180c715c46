package io.vmm4j.engine.machine;

import io.vmm4j.api.DeviceException;
import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.clock.VmClock;
import io.vmm4j.engine.machine.console.HostConsole;
import io.vmm4j.engine.machine.device.DeviceMemories;
import io.vmm4j.engine.machine.snapshot.ImageMemory;
import io.vmm4j.engine.machine.snapshot.MemoryRestore;
import io.vmm4j.snapshot.ClockState;
import io.vmm4j.snapshot.ConsoleState;
import io.vmm4j.snapshot.MachineDescription;
import io.vmm4j.snapshot.MachineSchemas;
import io.vmm4j.snapshot.MappingState;
import io.vmm4j.snapshot.StateChunk;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes a machine, which is held, to the state of an image, in two phases. {@link #prepare} finds
 * every fault that can be found by looking; {@link #apply} changes the machine, in a fixed order:
 * memory, device memory mappings, clock, interrupt controllers, other devices, vCPUs, consoles.
 */
final class MachineRestore {
  private static final Logger LOG = LoggerFactory.getLogger(MachineRestore.class);

  /** Leaves a machine time to run: a clock that overflows is negative. */
  private static final long MAX_NANO_TIME = Long.MAX_VALUE - Duration.ofDays(9 * 366).toNanos();

  private final Machine machine;
  private final MachineImage image;
  private final ClockState clock;
  private final List<Runnable> controllers;
  private final List<Runnable> devices;
  private final List<CpuState> vcpus;
  private final Map<HostConsole, ConsoleState> consoles;
  private long clockAdvance;

  private MachineRestore(
      Machine machine,
      MachineImage image,
      ClockState clock,
      List<Runnable> controllers,
      List<Runnable> devices,
      List<CpuState> vcpus,
      Map<HostConsole, ConsoleState> consoles) {
    this.machine = machine;
    this.image = image;
    this.clock = clock;
    this.controllers = controllers;
    this.devices = devices;
    this.vcpus = vcpus;
    this.consoles = consoles;
  }

  /**
   * Checks and decodes everything; changes nothing.
   *
   * @throws SnapshotException of the kind that fits
   */
  static MachineRestore prepare(Machine machine, MachineImage image) {
    return prepare(machine, image, Set.of());
  }

  /** The same, but that devices of some paths may be configured otherwise. */
  static MachineRestore prepare(Machine machine, MachineImage image, Set<String> rebound) {
    machine.lock().lock();
    try {
      checkMake(machine, image.description(), rebound);
      checkRegions(machine, image.description());
      Set<StateChunk> taken = new HashSet<>();
      ClockState clock =
          take(image, taken, MachineImage.CLOCK, MachineImage.CLOCK).decode(ClockState.SCHEMA);
      List<Runnable> controllers = new ArrayList<>();
      List<Runnable> devices = new ArrayList<>();
      machine
          .devices()
          .forEach((device, context) -> {
            StateChunk chunk = take(image, taken, device.type(), device.path());
            (context.isInterruptController() ? controllers : devices).add(device.restorer(chunk));
          });
      List<CpuState> vcpus = new ArrayList<>();
      for (int i = 0; i < machine.plan().spec().cpus(); i++) {
        vcpus.add(
            take(image, taken, MachineImage.VCPU, MachineImage.vcpuPath(i))
                .decode(MachineSchemas.CPU));
      }
      Map<HostConsole, ConsoleState> consoles = new LinkedHashMap<>();
      machine
          .consoles()
          .forEach((path, console) -> consoles.put(console, console(machine, image, taken, path)));
      refuseRest(machine, image, taken);
      return new MachineRestore(machine, image, clock, controllers, devices, vcpus, consoles);
    } finally {
      machine.lock().unlock();
    }
  }

  private static void checkMake(Machine machine, MachineDescription theirs, Set<String> rebound) {
    MachineDescription ours = MachineImage.describe(machine);
    same("memory size", ours.memoryBytes(), theirs.memoryBytes());
    same("number of vCPUs", ours.cpus(), theirs.cpus());
    same("clock", ours.clock(), theirs.clock());
    same("time-stamp counter frequency", ours.tscFrequencyHz(), theirs.tscFrequencyHz());
    same("start time", ours.startTime(), theirs.startTime());
    same("memory map", ours.memoryMap(), theirs.memoryMap());
    same("CPUID", ours.cpuid(), theirs.cpuid());
    same("devices", names(ours), names(theirs));
    for (int i = 0; i < ours.devices().size(); i++) {
      MachineDescription.Device our = ours.devices().get(i);
      MachineDescription.Device their = theirs.devices().get(i);
      if (our.configVersion() == their.configVersion() && !rebound.contains(our.path())) {
        same("configuration of '" + our.path() + "'", our.config(), their.config());
      }
    }
  }

  private static List<String> names(MachineDescription description) {
    return description.devices().stream().map(d -> d.path() + " (" + d.type() + ")").toList();
  }

  private static void same(String what, Object ours, Object theirs) {
    if (!ours.equals(theirs)) {
      throw new SnapshotException.Incompatible(
          what, "the machine has %s, the snapshot %s".formatted(ours, theirs));
    }
  }

  private static void checkRegions(Machine machine, MachineDescription theirs) {
    Map<String, ImageMemory.Place> places = MachineImage.places(machine);
    for (MachineDescription.Region region : theirs.regions()) {
      ImageMemory.Place place = places.get(region.name());
      if (place == null || place.bytes() != region.bytes()) {
        throw new SnapshotException.Incompatible(
            "memory region '" + region.name() + "'",
            place == null
                ? "the machine has none of this name"
                : "%d bytes, but %d in the machine".formatted(region.bytes(), place.bytes()));
      }
    }
  }

  private static StateChunk take(
      MachineImage image, Set<StateChunk> taken, String type, String path) {
    return find(image, taken, type, path)
        .orElseThrow(() ->
            new SnapshotException.Incompatible(
                "state of '%s'".formatted(path),
                "the snapshot has none of type '%s'".formatted(type)));
  }

  private static Optional<StateChunk> find(
      MachineImage image, Set<StateChunk> taken, String type, String path) {
    for (StateChunk chunk : image.states()) {
      if (chunk.type().equals(type) && chunk.path().equals(path)) {
        taken.add(chunk);
        return Optional.of(chunk);
      }
    }
    return Optional.empty();
  }

  /**
   * Snapshots of earlier releases have no consoles: nothing was written to them, as far as known.
   */
  private static ConsoleState console(
      Machine machine, MachineImage image, Set<StateChunk> taken, String device) {
    String path = MachineSchemas.consolePath(device);
    Optional<StateChunk> chunk = find(image, taken, MachineSchemas.CONSOLE_TYPE, path);
    if (chunk.isEmpty()) {
      return ConsoleState.EMPTY;
    }
    ConsoleState state = chunk.get().decode(ConsoleState.SCHEMA);
    if (state.input().length > machine.inputLimitBytes()) {
      throw new SnapshotException.Corrupt(
          chunk.get().offset(),
          "state of '%s': %d bytes of waiting input are more than %d"
              .formatted(path, state.input().length, machine.inputLimitBytes()));
    }
    return state;
  }

  /** What it means that a device can't be what the snapshot says. */
  static SnapshotException incompatible(DeviceException refusal) {
    SnapshotException incompatible =
        new SnapshotException.Incompatible("device", String.valueOf(refusal.getMessage()));
    incompatible.initCause(refusal);
    return incompatible;
  }

  private static void refuseRest(Machine machine, MachineImage image, Set<StateChunk> taken) {
    for (StateChunk chunk : image.states()) {
      if (taken.contains(chunk)) {
        continue;
      }
      if (chunk.critical()) {
        throw new SnapshotException.Incompatible(
            "state of '%s' of type '%s'".formatted(chunk.path(), chunk.type()),
            "it is critical and nothing here takes it; use the release that wrote it");
      }
      LOG.warn("machine '{}': leaving out the state of '{}'", machine.name(), chunk.path());
    }
  }

  /**
   * Lets the clock stand later than in the image, and every time-stamp counter as much further on.
   * Counters and timers of devices follow from the clock; those that were due meanwhile are due
   * when the machine goes on. A clock that is advanced by nothing is checked too.
   *
   * @throws SnapshotException.Incompatible if it can't count so far
   */
  void advanceClock(long nanos) {
    if (clock.nanoTime() > MAX_NANO_TIME - nanos) {
      throw new SnapshotException.Incompatible(
          nanos == 0
              ? "the clock at %d ns".formatted(clock.nanoTime())
              : "the clock at %d ns, caught up by %d ns".formatted(clock.nanoTime(), nanos),
          "a clock goes up to 2^63 ns, and a machine begins with at least 9 years of it left");
    }
    clockAdvance = nanos;
    // What the counter of the clock does between the two moments, so that their distance stays.
    long hz = machine.plan().tscFrequencyHz();
    long then = VmClock.nanosToTicks(clock.nanoTime(), hz);
    long ticks = VmClock.nanosToTicks(clock.nanoTime() + nanos, hz) - then;
    vcpus.replaceAll(vcpu -> vcpu.withTscAdvanced(ticks));
  }

  /** Changes the machine; what memory it replaces, {@code memory} can put back. */
  void apply(ImageMemory contents, MemoryRestore memory) {
    machine.lock().lock();
    try {
      clear();
      machine.harvestWrites(); // what resets have written counts too
      memory.apply(contents, MachineImage.places(machine));
      machine.deviceMemories().noteAllWritten();
      applyStates();
      consoles.forEach(HostConsole::restore);
    } finally {
      machine.lock().unlock();
    }
  }

  /**
   * After {@link #apply} has failed: puts back all but the contents of the memory. The consoles are
   * as they were; nothing was taken from them nor sent meanwhile.
   */
  void undo() {
    machine.lock().lock();
    try {
      clear();
      applyStates();
      consoles.keySet().forEach(HostConsole::releaseInput);
    } finally {
      machine.lock().unlock();
    }
  }

  private void clear() {
    machine.lines().hold();
    consoles.keySet().forEach(HostConsole::holdInput);
    machine.devices().keySet().forEach(MachineDevice::reset);
    machine.control().timers().cancelAll();
    machine.deviceMemories().unmapAll();
  }

  private void applyStates() {
    for (MappingState mapping : image.mappings()) {
      DeviceMemories.Memory memory =
          machine
              .deviceMemories()
              .find(mapping.path(), mapping.memory())
              .orElseThrow(() ->
                  new SnapshotException.Incompatible(
                      "mapping '%s' of '%s'".formatted(mapping.mapping(), mapping.path()),
                      "there is no device memory '%s'".formatted(mapping.memory())));
      memory.map(
          mapping.mapping(),
          mapping.offset(),
          mapping.length(),
          mapping.guestPhysicalAddress(),
          mapping.access());
    }
    machine.time().set(clock.nanoTime() + clockAdvance);
    controllers.forEach(Runnable::run);
    devices.forEach(Runnable::run);
    machine.lines().release();
    for (int i = 0; i < vcpus.size(); i++) {
      machine.vcpu(i).restore(vcpus.get(i));
    }
  }
}

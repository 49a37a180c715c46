package io.vmm4j.engine.machine;

import io.vmm4j.api.BackendChoice;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.ResumeOptions;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.backend.CpuVendor;
import io.vmm4j.api.backend.CpuidLeaf;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.api.device.ByteChannelEndpoint;
import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.GuestAccess;
import io.vmm4j.api.device.PlatformFact;
import io.vmm4j.api.memory.GuestMemory;
import io.vmm4j.api.state.FieldMap;
import io.vmm4j.engine.machine.bus.Claimed;
import io.vmm4j.engine.machine.clock.VirtualTime;
import io.vmm4j.engine.machine.device.DeviceMemories;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.SortedMap;
import java.util.UUID;
import java.util.function.Supplier;

/**
 * A whole machine whose processors stand: a test does what a guest would, and moves the time.
 * Buses, lines, timers, memory and snapshots are the ones that guests meet. For the project's test
 * kit alone.
 *
 * <p>What devices do to the outside is kept as text, in order. What a device throws is thrown here,
 * by the call that led to it. For one thread.
 */
public final class DeviceBench implements AutoCloseable {
  /** A device whose timers fire more often without time passing has a loop. */
  private static final int MOST_FIRINGS_AT_ONE_TIME = 100;

  /**
   * A message to the local APICs.
   *
   * @param address as {@link io.vmm4j.api.device.MessageInterrupts#send} takes it
   * @param data as {@link io.vmm4j.api.device.MessageInterrupts#send} takes it
   */
  public record Message(long address, int data) {}

  private final MachineFactory factory;
  private final Vm vm;
  private final Machine machine;
  private final VirtualTime time;
  private final OutsideWorld outside;
  private final Observed observed;

  /** What was seen of the devices of one machine. */
  private static final class Observed implements BenchBackend.Pins {
    private final List<String> events = new ArrayList<>();
    private final List<Message> messages = new ArrayList<>();
    private final List<VmExit> exits = new ArrayList<>();
    private final Map<Integer, Integer> edges = new HashMap<>();
    private boolean intr;
    private int nmis;

    @Override
    public void message(long address, int data) {
      messages.add(new Message(address, data));
      events.add("message 0x%x to 0x%x".formatted(data, address));
    }

    @Override
    public void externalInterrupt(boolean asserted) {
      if (intr != asserted) {
        intr = asserted;
        events.add("INTR " + asserted);
      }
    }

    @Override
    public void nonMaskableInterrupt() {
      nmis++;
      events.add("NMI");
    }

    void driven(String path, int line, boolean asserted) {
      if (!path.equals(OutsideWorld.PATH)) {
        edges.merge(line, asserted ? 1 : 0, Integer::sum);
        events.add("line %d %s".formatted(line, asserted ? "asserted" : "released"));
      }
    }

    void exit(VmExit how) {
      exits.add(how);
      events.add("exit " + how);
    }
  }

  private DeviceBench(
      MachineFactory factory, List<OutsideWorld> worlds, Observed observed, Supplier<Vm> making) {
    this.factory = factory;
    this.observed = observed;
    this.vm = making.get();
    this.machine = ((VirtualMachine) vm).machine();
    this.time = (VirtualTime) machine.time();
    this.outside = worlds.getLast();
    machine.lines().onDrive(observed::driven);
    machine.control().onExitRequest(observed::exit);
  }

  private static final class NoBoot implements MachineBoot {
    @Override
    public List<CpuidLeaf> cpuid(int cpus, long tscFrequencyHz, CpuVendor vendor) {
      return List.of(new CpuidLeaf(0, -1, 1, 0, 0, 0));
    }

    @Override
    public CpuState load(MachinePlan plan, GuestMemory memory, List<PlatformFact> facts) {
      return BenchBackend.standing();
    }
  }

  /**
   * A machine after power-on.
   *
   * @param factories of the devices
   * @param devices by path
   * @param startTime the wall-clock time at guest time 0
   */
  public static DeviceBench create(
      List<DeviceFactory<?, ?>> factories,
      SequencedMap<String, DeviceConfig> devices,
      MemorySize ram,
      Instant startTime) {
    SequencedMap<String, DeviceConfig> all = new LinkedHashMap<>();
    all.put(OutsideWorld.PATH, new OutsideWorld.Config());
    all.putAll(devices);
    VmSpec spec =
        new VmSpec(
            "bench",
            new BackendChoice(BackendChoice.AUTO),
            ram,
            1,
            new BootSource.ResetVector(),
            DeviceCatalog.NO_BOARD,
            all,
            ClockMode.VIRTUAL,
            Optional.of(startTime),
            Optional.of(1L),
            MemorySize.kibibytes(64),
            Optional.empty(),
            Set.of(),
            Set.of(),
            CpuVendor.INTEL);
    Observed observed = new Observed();
    List<OutsideWorld> worlds = new ArrayList<>();
    MachineFactory made = factory(factories, worlds, observed);
    return new DeviceBench(made, worlds, observed, () -> made.create(spec));
  }

  private static MachineFactory factory(
      List<DeviceFactory<?, ?>> factories, List<OutsideWorld> worlds, Observed observed) {
    Map<String, DeviceFactory<?, ?>> byType = new LinkedHashMap<>();
    factories.forEach(each -> byType.put(each.type(), each));
    OutsideWorld.Factory around = new OutsideWorld.Factory(worlds);
    byType.put(around.type(), around);
    return new MachineFactory(
        new DeviceCatalog(byType, Map.of(), List.of(new BenchBackend(observed))), new NoBoot());
  }

  /** Another machine, made from a snapshot of this one. */
  public DeviceBench twin() {
    Observed seen = new Observed();
    List<OutsideWorld> worlds = new ArrayList<>();
    List<DeviceFactory<?, ?>> factories =
        factory.catalog().factories().values().stream()
            .filter(each -> !(each instanceof OutsideWorld.Factory))
            .<DeviceFactory<?, ?>>map(each -> each)
            .toList();
    MachineFactory made = factory(factories, worlds, seen);
    try (Snapshot snapshot = snapshot()) {
      MachineSnapshot saved = (MachineSnapshot) snapshot;
      DeviceBench twin =
          new DeviceBench(
              made, worlds, seen, () -> made.resume(saved, ResumeOptions.standard().standing()));
      twin.clearEvents();
      return twin;
    }
  }

  /** The machine as it is now. */
  public Snapshot snapshot() {
    Snapshot taken = vm.snapshot();
    checkFailures();
    return taken;
  }

  /** Takes this machine to a snapshot of it, or of one built alike. */
  public void restore(Snapshot snapshot) {
    vm.restore(snapshot);
    checkFailures();
  }

  /** The machine as its user has it. */
  public Vm vm() {
    return vm;
  }

  // ---- what a guest does ----

  /** IN of 1, 2 or 4 bytes. */
  public int in(int port, int size) {
    return locked(() -> machine.ports().read(port, size));
  }

  /** OUT of 1, 2 or 4 bytes. */
  public void out(int port, int size, int value) {
    locked(() -> machine.ports().write(port, size, value));
  }

  /** A load of 1, 2, 4 or 8 bytes. */
  public long readMmio(long address, int size) {
    return locked(() -> machine.mmio().read(address, size));
  }

  /** A store of 1, 2, 4 or 8 bytes. */
  public void writeMmio(long address, int size, long value) {
    locked(() -> machine.mmio().write(address, size, value));
  }

  /** The acknowledge cycle of a processor. */
  public int acknowledge() {
    return locked(() -> machine.messages().acknowledge());
  }

  /** A local APIC has ended a level-triggered interrupt. */
  public void endInterrupt(int vector) {
    locked(() -> machine.messages().endOfInterrupt(vector));
  }

  // ---- what the world does ----

  /** Drives an interrupt line as another device would. */
  public void setLine(int line, boolean asserted) {
    locked(() -> outside.set(line, asserted));
  }

  /** Lets guest time pass: tasks run, and timers fire as they fall due. */
  public void advance(long nanos) {
    locked(() -> advanceTo(time.nanoTime() + nanos));
  }

  private void advanceTo(long target) {
    machine.control().tasks().runAll();
    int atOneTime = 0;
    while (machine.control().timers().nextDeadline() <= target) {
      long deadline = machine.control().timers().nextDeadline();
      atOneTime = deadline > time.nanoTime() ? 0 : atOneTime + 1;
      if (atOneTime > MOST_FIRINGS_AT_ONE_TIME) {
        throw new AssertionError("timers fire without end at " + time.nanoTime());
      }
      time.skipTo(deadline);
      machine.control().timers().fireDue(time.nanoTime());
      machine.control().tasks().runAll();
    }
    time.skipTo(target);
  }

  /** Puts the clock to a time without anything happening. */
  public void setTime(long nanoTime) {
    locked(() -> time.set(nanoTime));
  }

  /** Does what devices have given to be done soon. */
  public void runTasks() {
    locked(() -> machine.control().tasks().runAll());
  }

  /** Resets a device, as nothing but power-on does to it alone. */
  public void reset(String path) {
    locked(() -> device(path).reset());
  }

  /** Tells a device that it belongs to a clone. */
  public void becomeClone(String path, UUID identity) {
    locked(() -> device(path).becomeClone(identity));
  }

  /** Takes the input that waits at a device's console away. */
  public void dropInput(String path) {
    locked(() -> {
      ByteChannelEndpoint console = machine.consoleOf(path).endpoint();
      while (console.receive() >= 0) {
        // Nobody gets it.
      }
    });
  }

  // ---- what is seen of devices ----

  /** The state of a device. */
  public FieldMap state(String path) {
    return locked(() -> device(path).save().fields());
  }

  private MachineDevice<?> device(String path) {
    return machine.devices().keySet().stream()
        .filter(device -> device.path().equals(path))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no device '" + path + "'"));
  }

  /** Closes a device, which the machine does again at its end. */
  public void closeDevice(String path) {
    locked(() -> device(path).close());
  }

  /** The guest time in nanoseconds. */
  public long nanoTime() {
    return time.nanoTime();
  }

  /** The claims of a device, on the buses or off. */
  public List<Claimed> claims(String path) {
    return locked(() -> {
      List<Claimed> claims = new ArrayList<>(machine.ports().claims(path));
      claims.addAll(machine.mmio().claims(path));
      return claims;
    });
  }

  /**
   * Rings a doorbell, wherever its claim is by now.
   *
   * @param claim its index in {@link #claims}
   * @param bell its index in the claim
   */
  public void ring(String path, int claim, int bell) {
    locked(() -> {
      int ports = machine.ports().claims(path).size();
      if (claim < ports) {
        machine.ports().ring(path, claim, bell);
      } else {
        machine.mmio().ring(path, claim - ports, bell);
      }
    });
  }

  /** Where the guest sees device memory of a device, as text. */
  public List<String> mappings(String path) {
    return locked(() -> {
      List<String> found = new ArrayList<>();
      for (DeviceMemories.Memory memory : machine.deviceMemories().all()) {
        for (DeviceMemories.Mapping mapping : memory.mappings()) {
          if (memory.path().equals(path) && mapping.access() != GuestAccess.OFF) {
            found.add(
                "%s/%s [0x%x, +0x%x) at 0x%x %s"
                    .formatted(
                        memory.name(),
                        mapping.name(),
                        mapping.offset(),
                        mapping.length(),
                        mapping.guestPhysicalAddress(),
                        mapping.access()));
          }
        }
      }
      found.sort(null);
      return found;
    });
  }

  /** The armed timers of a device, each with its deadline. */
  public SortedMap<String, Long> timers(String path) {
    return locked(() -> machine.control().timers().armed(path));
  }

  /** How many timers have fired. */
  public long firings() {
    return machine.control().timers().fired();
  }

  /** Whether a device asserts an interrupt line. */
  public boolean line(String path, int line) {
    return locked(() -> machine.lines().isAssertedBy(path, line));
  }

  /** How often devices have begun to assert a line. */
  public int edges(int line) {
    return observed.edges.getOrDefault(line, 0);
  }

  /** The INTR pin. */
  public boolean externalInterrupt() {
    return observed.intr;
  }

  /** The messages sent, oldest first. */
  public List<Message> messages() {
    return List.copyOf(observed.messages);
  }

  /** How often NMI was pulsed. */
  public int nonMaskableInterrupts() {
    return observed.nmis;
  }

  /** The exits asked for, oldest first. */
  public List<VmExit> exits() {
    return List.copyOf(observed.exits);
  }

  /** The facts that devices have stated. */
  public List<PlatformFact> facts() {
    return machine.facts();
  }

  /** What devices did to the outside, in order. */
  public List<String> events() {
    return List.copyOf(observed.events);
  }

  /** Forgets the events so far. */
  public void clearEvents() {
    observed.events.clear();
  }

  private void locked(Runnable action) {
    locked(() -> {
      action.run();
      return action;
    });
  }

  private <T> T locked(Supplier<T> action) {
    T result;
    machine.lock().lock();
    try {
      result = action.get();
    } finally {
      machine.lock().unlock();
    }
    checkFailures();
    return result;
  }

  private void checkFailures() {
    for (VmExit exit : observed.exits) {
      if (exit instanceof VmExit.Crashed(String reason, String detail)) {
        throw new AssertionError(reason + System.lineSeparator() + detail);
      }
    }
  }

  @Override
  public void close() {
    vm.close();
  }
}

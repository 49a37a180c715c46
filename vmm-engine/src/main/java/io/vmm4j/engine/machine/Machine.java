package io.vmm4j.engine.machine;

import io.vmm4j.api.BackendSelection;
import io.vmm4j.api.BootException;
import io.vmm4j.api.Console;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.VmException;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.backend.BackendMachine;
import io.vmm4j.api.backend.CpuStateText;
import io.vmm4j.api.backend.Vcpu;
import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.MappingConflictException;
import io.vmm4j.api.device.PlatformFact;
import io.vmm4j.api.memory.GuestMemory;
import io.vmm4j.engine.machine.bus.MmioBus;
import io.vmm4j.engine.machine.bus.PortBus;
import io.vmm4j.engine.machine.clock.MachineTime;
import io.vmm4j.engine.machine.console.ConsoleOwner;
import io.vmm4j.engine.machine.console.HostConsole;
import io.vmm4j.engine.machine.device.Buses;
import io.vmm4j.engine.machine.device.Capabilities;
import io.vmm4j.engine.machine.device.DeviceMemories;
import io.vmm4j.engine.machine.interrupt.InterruptLines;
import io.vmm4j.engine.machine.interrupt.InterruptMessages;
import io.vmm4j.engine.machine.run.RunControl;
import io.vmm4j.engine.machine.run.Workers;
import io.vmm4j.engine.memory.HostRoom;
import io.vmm4j.engine.memory.MachineMemory;
import io.vmm4j.engine.memory.MappedGuestMemory;
import io.vmm4j.engine.memory.MemoryImage;
import io.vmm4j.engine.memory.MemoryRange;
import io.vmm4j.engine.memory.PhysicalMemoryMap;
import io.vmm4j.engine.memory.RamLayout;
import io.vmm4j.snapshot.MachineDescription;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One machine: memory, buses, interrupts, time, devices and processors, put together and taken
 * apart again. What runs when is {@link RunControl}'s business.
 */
public final class Machine implements AutoCloseable, ConsoleOwner {
  private static final Logger LOG = LoggerFactory.getLogger(Machine.class);
  private static final Duration DESCRIBE_LIMIT = Duration.ofSeconds(1);

  /** How much input waits at most at one console, and at all together: a snapshot holds it. */
  private static final int CONSOLE_INPUT_BYTES = 256 << 10;

  private static final int INPUT_BYTES = 16 << 20;

  private static final Duration CLOSE_LIMIT = Duration.ofSeconds(30);

  private volatile MachinePlan plan;
  private final BackendSelection selection;
  private final ReentrantLock lock = new ReentrantLock();
  private final ReentrantLock closing = new ReentrantLock();
  private final MachineMemory memory;
  private final PhysicalMemoryMap map = new PhysicalMemoryMap();
  private final MappedGuestMemory guestMemory;
  private final MachineTime time;
  private final RunControl control;
  private final Workers workers;
  private final PortBus ports;
  private final MmioBus mmio;
  private final InterruptLines lines;
  private final InterruptMessages messages;
  private final DeviceMemories deviceMemories;
  private final SequencedMap<MachineDevice<?>, MachineDeviceContext> devices =
      new LinkedHashMap<>();
  private final Map<String, HostConsole> consoles = new ConcurrentSkipListMap<>();
  private final List<PlatformFact> facts = new ArrayList<>();
  private final Map<String, Integer> numbers = new HashMap<>();
  private int nextNumber;
  private final Buses buses = new Buses();
  private final Capabilities capabilities = new Capabilities();
  private final Quiet quiet = new Quiet(this);
  private final MachineDebugger debugger = new MachineDebugger(this);
  private volatile @Nullable BackendMachine backend;
  private volatile boolean closed;
  private volatile boolean acceptsOtherContents;
  private final SparseBytes sparse;

  private Machine(
      MachinePlan plan, BackendSelection selection, MachineMemory memory, SparseBytes sparse) {
    this.plan = plan;
    this.sparse = sparse;
    this.selection = selection;
    this.time = MachineTime.create(plan.spec().clock(), plan.startTime());
    this.control = new RunControl(plan.spec().name(), lock, time, memory::explain);
    this.workers = new Workers(control, lock, time);
    this.ports = new PortBus(control);
    this.lines = new InterruptLines(control);
    this.messages = new InterruptMessages(control);
    this.memory = memory;
    this.guestMemory = new MappedGuestMemory(map, memory, this::memoryWritten, this::releasePages);
    this.mmio = new MmioBus(map, guestMemory, control);
    this.deviceMemories =
        new DeviceMemories(lock, memory, map, this::memoryWritten, quiet::whileHarvested, control);
    mmio.onReadOnlyStore(deviceMemories::store);
  }

  /**
   * Builds a machine: paused, its devices made and reset, nothing booted, its threads not yet
   * started. If it can't, nothing is left behind.
   */
  static Machine build(
      DeviceCatalog catalog, MachinePlan plan, BackendChooser.Chosen chosen, HostRoom host) {
    SparseBytes sparse = SparseBytes.of(catalog, plan);
    MachineMemory memory = MachineMemory.allocate(host, ramBytes(plan), sparse.total());
    return build(catalog, plan, chosen, Optional.empty(), memory, sparse);
  }

  /**
   * Builds a machine that is to be restored: it has all device memory of the image before its
   * devices are made, whether or not they ask for it, and shares the image's contents.
   */
  static Machine build(
      DeviceCatalog catalog,
      MachinePlan plan,
      BackendChooser.Chosen chosen,
      MachineDescription image,
      MemoryImage contents) {
    return build(
        catalog,
        plan,
        chosen,
        Optional.of(image),
        MachineMemory.copyOnWrite(contents, ramBytes(plan)),
        SparseBytes.NONE);
  }

  private static long ramBytes(MachinePlan plan) {
    return plan.spec().memory().bytes();
  }

  private static Machine build(
      DeviceCatalog catalog,
      MachinePlan plan,
      BackendChooser.Chosen chosen,
      Optional<MachineDescription> image,
      MachineMemory memory,
      SparseBytes sparse) {
    Machine machine = new Machine(plan, chosen.selection(), memory, sparse);
    LOG.info(
        "machine '{}': backend {}: {}",
        plan.spec().name(),
        chosen.selection().name(),
        chosen.selection().reason());
    machine.lock.lock();
    try {
      long ramBytes = ramBytes(plan);
      for (MemoryRange ram : RamLayout.fixed(ramBytes)) {
        machine.map.add(ram);
      }
      RamLayout.shadow(ramBytes).forEach(machine.map::add);
      BackendMachine processors =
          chosen.backend().open(new MachineHost(machine, chosen.translation()));
      machine.backend = processors;
      machine.messages.connect(processors);
      machine.ports.connect(processors);
      machine.mmio.connect(processors);
      machine.map.onMemoryMoved(processors::memoryMapChanged);
      plan.devices().keySet().forEach(machine::numberOf);
      image.ifPresent(machine::makeDeviceMemory);
      for (Map.Entry<String, DeviceConfig> entry : plan.devices().entrySet()) {
        machine.make(catalog, entry.getKey(), entry.getValue(), image.isPresent());
      }
      machine.devices.keySet().forEach(MachineDevice::reset);
      machine.refuseHiddenMemory();
      return machine;
    } catch (Throwable e) {
      machine.lock.unlock();
      machine.closeAfter(e);
      machine.lock.lock();
      throw e;
    } finally {
      machine.lock.unlock();
    }
  }

  private void makeDeviceMemory(MachineDescription image) {
    for (MachineDescription.Region region : image.regions()) {
      for (String path : plan.devices().keySet()) {
        String prefix = MachineDescription.deviceRegion(path, "");
        String name = region.name().substring(Math.min(prefix.length(), region.name().length()));
        // A path may begin another one: the name of a memory has no slash.
        if (region.name().startsWith(prefix) && name.indexOf('/') < 0) {
          deviceMemories.get(path, numberOf(path), name, MemorySize.bytes(region.bytes()));
        }
      }
    }
  }

  /** The number of a device, in the order in which they are made. */
  int numberOf(String path) {
    return numbers.computeIfAbsent(path, p -> nextNumber++);
  }

  /**
   * What the board has put where something else is seen is a fault of the specification: only a
   * guest may do so.
   */
  private void refuseHiddenMemory() {
    for (DeviceMemories.Memory each : deviceMemories.all()) {
      for (DeviceMemories.Mapping mapping : each.mappings()) {
        mapping
            .covering()
            .ifPresent(there -> {
              throw new MappingConflictException(
                  each.path(), mapping.guestPhysicalAddress(), mapping.length(), there.toString());
            });
      }
    }
  }

  /** Makes a device, which is not reset yet. With the machine lock held. */
  MachineDevice<?> make(
      DeviceCatalog catalog, String path, DeviceConfig config, boolean restoring) {
    DeviceFactory<?, ?> factory =
        catalog
            .factory(config.deviceType())
            .orElseThrow(() ->
                new VmException(
                    "%s: no device type '%s' is present".formatted(path, config.deviceType())));
    MachineDeviceContext context = new MachineDeviceContext(this, path, restoring);
    MachineDevice<?> device = MachineDevice.create(path, factory, config, context);
    devices.put(device, context);
    return device;
  }

  /** How much sparse memory devices get. */
  SparseBytes sparseBytes() {
    return sparse;
  }

  /** Whether devices take contents outside of the snapshot as they are. */
  boolean acceptsOtherContents() {
    return acceptsOtherContents;
  }

  /** Says so, for the restore that follows. */
  void acceptOtherContents(boolean accepts) {
    acceptsOtherContents = accepts;
  }

  /** Forgets the number of a device that is gone. */
  void forgetNumber(String path) {
    numbers.remove(path);
  }

  /** The machine has other devices now. With the machine lock held. */
  void replan(MachinePlan now) {
    plan = now;
  }

  /** Loads firmware tables and the boot source, and puts the processor to its first instruction. */
  void boot(MachineBoot loaders) {
    lock.lock();
    try {
      vcpu(0).restore(loaders.load(plan, guestMemory, List.copyOf(facts)));
    } catch (io.vmm4j.api.memory.GuestMemoryException e) {
      throw new BootException("the boot source does not fit: " + e.getMessage(), e);
    } finally {
      lock.unlock();
    }
  }

  /** Starts the threads, which stand still until the machine is resumed. */
  void start() {
    control.onDebugStop(debugger::stopped);
    control.onClockStopped(processors()::clockStopped);
    lock.lock();
    try {
      workers.start();
      control.start(processors().runners(), this::complete, this::ended);
    } finally {
      lock.unlock();
    }
  }

  private void ended(VmExit exit) {
    consoles.values().forEach(console -> console.end(exit));
    debugger.ended(exit);
    workers.end();
  }

  /** Adds the registers where a reader would miss them: after a crash, and to a guest's death. */
  private VmExit complete(VmExit exit) {
    return switch (exit) {
      case VmExit.Crashed(String reason, String detail) ->
          new VmExit.Crashed(reason, detail + registers());
      case VmExit.Dead(String detail) -> new VmExit.Dead(detail + registers());
      case VmExit.Panicked(String detail) -> new VmExit.Panicked(detail + registers());
      case VmExit.Reset(VmExit.Reset.Cause cause, String detail)
          when cause == VmExit.Reset.Cause.TRIPLE_FAULT ->
          new VmExit.Reset(cause, detail + registers());
      default -> exit;
    };
  }

  private String registers() {
    return IntStream.range(0, plan.spec().cpus())
        .mapToObj(i -> CpuStateText.full(i, vcpu(i).save()))
        .collect(Collectors.joining());
  }

  void closeAfter(Throwable cause) {
    try {
      close();
    } catch (RuntimeException e) {
      cause.addSuppressed(e);
    }
  }

  /** Ends it and releases everything. May be called more than once, from any thread but its own. */
  @Override
  public void close() {
    close(CLOSE_LIMIT);
  }

  /**
   * The same, waiting so long for its threads.
   *
   * @throws VmException if a device keeps a thread from coming back: all is then as it was, but for
   *     the guest, which does not go on; it may be tried again
   */
  void close(Duration limit) {
    control.threads().refuseOwn("close");
    closing.lock();
    try {
      if (closed) {
        return;
      }
      if (!control.shutDown(limit)) {
        throw new VmException(
            "machine '%s' can't be closed: a device has not returned from a call for %d s; %s"
                .formatted(name(), limit.toSeconds(), control.threads().describe()));
      }
      control
          .holding()
          .whileHeld(
              "close",
              false,
              () -> {
                release();
                return this;
              });
    } finally {
      closing.unlock();
    }
  }

  private void release() {
    closed = true;
    lock.lock();
    try {
      for (MachineDevice<?> device : devices.sequencedKeySet().reversed()) {
        try {
          device.close();
        } catch (RuntimeException e) {
          LOG.warn("machine '{}': {} can't be closed", name(), device.path(), e);
        }
      }
    } finally {
      lock.unlock();
    }
    try {
      BackendMachine processors = backend;
      if (processors != null) {
        processors.close();
      }
    } finally {
      memory.close();
      consoles.values().forEach(HostConsole::close);
    }
  }

  private void memoryWritten(long offset, long length) {
    memory.dirty().mark(offset, length);
    tellProcessors(offset, length);
  }

  /** Says that bytes of its one segment were written, of which no code may be left. */
  void tellProcessors(long offset, long length) {
    BackendMachine processors = backend;
    if (processors != null && memory.isGuestVisible(offset)) {
      processors.memoryWritten(offset, length);
    }
  }

  private boolean releasePages(long offset, long length, boolean shared) {
    BackendMachine processors = backend;
    return processors != null && processors.releasePages(offset, length, shared);
  }

  /** Tells every device that this is a clone. While it stands. */
  void becomeClone(UUID identity) {
    lock.lock();
    try {
      devices.keySet().forEach(device -> device.becomeClone(identity));
    } finally {
      lock.unlock();
    }
  }

  /**
   * Gives every page that has been written since the last call a new version. While it is held.
   *
   * @return the pages, by place in its memory
   */
  BitSet harvestWrites() {
    lock.lock();
    try {
      processors().harvestWrites();
      BitSet written = memory.harvest();
      deviceMemories.noteWritten(written);
      return written;
    } finally {
      lock.unlock();
    }
  }

  // ---- its parts ----

  /** What keeps devices from their work for a while. */
  Quiet quiet() {
    return quiet;
  }

  Workers workers() {
    return workers;
  }

  boolean isClosed() {
    return closed;
  }

  MachinePlan plan() {
    return plan;
  }

  BackendSelection selection() {
    return selection;
  }

  ReentrantLock lock() {
    return lock;
  }

  MachineMemory memory() {
    return memory;
  }

  PhysicalMemoryMap map() {
    return map;
  }

  GuestMemory guestMemory() {
    return guestMemory;
  }

  MachineTime time() {
    return time;
  }

  RunControl control() {
    return control;
  }

  PortBus ports() {
    return ports;
  }

  MmioBus mmio() {
    return mmio;
  }

  InterruptLines lines() {
    return lines;
  }

  InterruptMessages messages() {
    return messages;
  }

  MachineDebugger debugger() {
    return debugger;
  }

  DeviceMemories deviceMemories() {
    return deviceMemories;
  }

  SequencedMap<MachineDevice<?>, MachineDeviceContext> devices() {
    return devices;
  }

  Map<String, HostConsole> consoles() {
    return consoles;
  }

  /** With the machine lock held. */
  HostConsole consoleOf(String path) {
    int limit = Math.toIntExact(plan.spec().consoleLimit().bytes());
    HostConsole known = consoles.get(path);
    if (known != null) {
      return known;
    }
    HostConsole made = new HostConsole(path, limit, this);
    consoles.put(path, made);
    capabilities.offer(path, Console.class, made);
    return made;
  }

  List<PlatformFact> facts() {
    return List.copyOf(facts);
  }

  void describe(PlatformFact fact) {
    facts.add(fact);
  }

  Buses buses() {
    return buses;
  }

  Capabilities capabilities() {
    return capabilities;
  }

  BackendMachine processors() {
    BackendMachine present = backend;
    if (present == null) {
      throw new IllegalStateException("the processors are not there yet");
    }
    return present;
  }

  void requireVcpu(int index) {
    int cpus = plan.spec().cpus();
    if (index < 0 || index >= cpus) {
      throw new IllegalArgumentException("no vCPU %d: there are %d".formatted(index, cpus));
    }
  }

  Vcpu vcpu(int index) {
    return processors().vcpu(index);
  }

  /** Instructions executed by all vCPUs, or -1 if the backend does not count. */
  long instructionsExecuted() {
    long sum = 0;
    for (int i = 0; i < plan.spec().cpus(); i++) {
      long count = vcpu(i).instructionsExecuted();
      if (count < 0) {
        return -1;
      }
      sum += count;
    }
    return sum;
  }

  // ---- what consoles ask ----

  @Override
  public String name() {
    return plan.spec().name();
  }

  @Override
  public void execute(String path, Runnable task) {
    control.execute(path, task);
  }

  @Override
  public boolean isOwnThread() {
    return control.threads().isOwn();
  }

  @Override
  public int inputLimitBytes() {
    return INPUT_BYTES / Math.max(INPUT_BYTES / CONSOLE_INPUT_BYTES, consoles.size());
  }

  @Override
  public String describeVcpus() {
    Optional<String> text =
        control
            .holding()
            .tryWhileHeld(
                DESCRIBE_LIMIT,
                () ->
                    closed
                        ? "the machine is closed"
                        : IntStream.range(0, plan.spec().cpus())
                            .mapToObj(i -> CpuStateText.summary(i, vcpu(i).save()))
                            .collect(Collectors.joining("\n")));
    return text.orElse("the vCPUs did not stop within " + DESCRIBE_LIMIT.toMillis() + " ms");
  }
}

package io.vmm4j.engine.machine;

import io.vmm4j.api.BackendSelection;
import io.vmm4j.api.DeviceException;
import io.vmm4j.api.PowerButton;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.SnapshotOptions;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmMetrics;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.VmState;
import io.vmm4j.api.VmStoppedException;
import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.clock.VmClock;
import io.vmm4j.api.debug.VmDebugger;
import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.api.memory.GuestMemory;
import io.vmm4j.engine.machine.snapshot.ImageMemory;
import io.vmm4j.engine.machine.snapshot.MemoryRestore;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.TreeMap;

/** The machine as its user sees it. */
final class VirtualMachine implements Vm {
  private final MachineFactory factory;
  private final Machine machine;
  private final MetricsEvents events;

  VirtualMachine(MachineFactory factory, Machine machine) {
    this.factory = factory;
    this.machine = machine;
    this.events = new MetricsEvents(machine.name(), this::metrics);
    events.open();
  }

  @Override
  public VmSpec spec() {
    return machine.plan().spec();
  }

  @Override
  public VmState state() {
    return switch (machine.control().mode()) {
      case RUNNING, STEPPING -> new VmState.Running();
      case PAUSED -> new VmState.Paused();
      case ENDED -> new VmState.Ended(machine.control().exit().orElseGet(VmExit.Stopped::new));
    };
  }

  @Override
  public BackendSelection backend() {
    return machine.selection();
  }

  @Override
  public VmClock clock() {
    return machine.time();
  }

  @Override
  public GuestMemory memory() {
    requireOpen("reach the memory");
    return machine.guestMemory();
  }

  @Override
  public <T> T device(String path, Class<T> type) {
    return machine.capabilities().device(path, type);
  }

  @Override
  public <T> SequencedMap<String, T> devices(Class<T> type) {
    return machine.capabilities().devices(type);
  }

  @Override
  public void attach(String path, DeviceConfig config) {
    Objects.requireNonNull(config, "config");
    hold("attach a device", () -> new HotPlug(machine).attach(factory.catalog(), path, config));
  }

  @Override
  public void detach(String path) {
    hold("detach a device", () -> new HotPlug(machine).detach(path));
  }

  private void hold(String what, Runnable action) {
    machine
        .control()
        .holding()
        .whileHeld(
            what,
            true,
            () -> {
              action.run();
              return action;
            });
    machine.control().nudge();
  }

  @Override
  public CpuState cpuState(int vcpu) {
    machine.requireVcpu(vcpu);
    return machine
        .control()
        .holding()
        .whileHeld(
            "read the state of a vCPU",
            false,
            () -> {
              requireOpen("read the state of a vCPU");
              return machine.vcpu(vcpu).save();
            });
  }

  private void requireOpen(String asked) {
    if (machine.isClosed()) {
      throw new VmStoppedException(asked, machine.control().exit().orElseGet(VmExit.Stopped::new));
    }
  }

  @Override
  public VmDebugger debugger() {
    requireOpen("debug it");
    machine.debugger().requireSupport();
    return machine.debugger();
  }

  @Override
  public void pause() {
    machine.control().pause();
    machine.debugger().endStep();
  }

  @Override
  public void resume() {
    machine.debugger().endStep();
    machine.control().resume();
    machine.control().nudge(); // vCPUs that a debugger had stand while others ran
  }

  @Override
  public void step(long instructions) {
    machine.control().step(instructions);
  }

  @Override
  public Snapshot snapshot(SnapshotOptions options) {
    return new Capture(factory, machine, Objects.requireNonNull(options, "options")).take();
  }

  @Override
  public void snapshotTo(OutputStream out) throws IOException {
    Objects.requireNonNull(out, "out");
    try {
      machine
          .control()
          .holding()
          .whileHeld(
              "write a snapshot",
              true,
              () ->
                  machine
                      .quiet()
                      .during(() -> {
                        try {
                          stream(out);
                        } catch (IOException e) {
                          throw new UncheckedIOException(e);
                        }
                        return out;
                      }));
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private void stream(OutputStream out) throws IOException {
    machine.harvestWrites();
    MachineImage image = MachineImage.of(machine);
    Map<String, ImageMemory.Place> places = MachineImage.places(machine);
    MachineSnapshot.write(
        out, image, region -> ImageMemory.source(places.get(region), machine.memory()));
  }

  @Override
  public void restore(Snapshot snapshot) {
    MachineSnapshot ours = MachineSnapshot.ours(Objects.requireNonNull(snapshot, "snapshot"));
    synchronized (ours) {
      ImageMemory contents = ours.memory();
      machine
          .control()
          .holding()
          .whileHeld(
              "restore a snapshot",
              true,
              () ->
                  machine
                      .quiet()
                      .during(() -> {
                        restore(ours.image(), contents);
                        return ours;
                      }));
    }
  }

  private void restore(MachineImage image, ImageMemory contents) {
    MachineRestore there = MachineRestore.prepare(machine, image);
    there.advanceClock(0);
    MachineRestore back = MachineRestore.prepare(machine, MachineImage.of(machine));
    try (MemoryRestore memory = factory.memoryRestore(machine)) {
      try {
        there.apply(contents, memory);
      } catch (DeviceException e) {
        undo(back, memory, e);
        throw MachineRestore.incompatible(e);
      } catch (Throwable e) {
        undo(back, memory, e);
        throw e;
      }
    }
    machine.control().nudge();
  }

  private void undo(MachineRestore back, MemoryRestore memory, Throwable cause) {
    try {
      memory.undo();
      back.undo();
    } catch (Throwable e) {
      cause.addSuppressed(e);
      machine
          .control()
          .requestExit(
              new VmExit.Crashed("a failed restore could not be taken back: " + e, cause + "\n"));
    }
  }

  @Override
  public VmExit awaitExit(Duration timeout) {
    return machine.control().awaitExit(timeout);
  }

  @Override
  public boolean pressPowerButton() {
    machine.control().requireAlive("press the power button");
    Collection<PowerButton> buttons = devices(PowerButton.class).values();
    buttons.forEach(PowerButton::press);
    return !buttons.isEmpty();
  }

  @Override
  public void stop() {
    machine.control().stop();
  }

  @Override
  public void endWhenDead(boolean ends) {
    machine.control().endWhenDead(ends);
  }

  @Override
  public VmMetrics metrics() {
    Map<String, Long> counters = new TreeMap<>();
    counters.put("portExits", machine.ports().accesses());
    counters.put("mmioExits", machine.mmio().accesses());
    counters.put(
        "interruptMessages", machine.messages().messages() + machine.processors().signalMessages());
    counters.put("timersFired", machine.control().timers().fired());
    counters.put("deadGuests", machine.control().deaths());
    counters.putAll(machine.processors().metrics());
    return new VmMetrics(
        machine.instructionsExecuted(),
        machine.control().running(),
        machine.control().idle(),
        counters);
  }

  @Override
  public void close() {
    events.close();
    machine.close();
  }

  Machine machine() {
    return machine;
  }
}

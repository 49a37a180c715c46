package io.vmm4j.engine.machine;

import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmStoppedException;
import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.backend.VcpuDebug;
import io.vmm4j.api.debug.Breakpoint;
import io.vmm4j.api.debug.DebugStop;
import io.vmm4j.api.debug.DebuggingUnsupportedException;
import io.vmm4j.api.debug.VmDebugger;
import io.vmm4j.engine.machine.debug.LinearMemory;
import io.vmm4j.engine.machine.run.RunControl;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Breakpoints, steps and linear memory of one machine. */
final class MachineDebugger implements VmDebugger {
  private static final Logger LOG = LoggerFactory.getLogger(MachineDebugger.class);
  private static final int MOST_READ_BYTES = 16 << 20;

  private final Machine machine;
  private final List<Consumer<DebugStop>> listeners = new CopyOnWriteArrayList<>();

  /** Changed while the machine is held, by one at a time. */
  private volatile Set<Breakpoint> breakpoints = Set.of();

  MachineDebugger(Machine machine) {
    this.machine = machine;
  }

  /**
   * Refuses a backend without support for debuggers.
   *
   * @throws DebuggingUnsupportedException if it has none
   */
  void requireSupport() {
    if (machine.vcpu(0).debug().isEmpty()) {
      throw new DebuggingUnsupportedException(machine.selection().name());
    }
  }

  private Stream<VcpuDebug> vcpus() {
    return IntStream.range(0, machine.plan().spec().cpus())
        .mapToObj(machine::vcpu)
        .flatMap(vcpu -> vcpu.debug().stream());
  }

  // ---- what the machine tells ----

  /** A vCPU stands for a debugger. By its thread, without a lock. */
  void stopped() {
    vcpus().forEach(vcpu -> vcpu.takeStop().ifPresent(this::tell));
  }

  /** The machine has ended. With its lock held. */
  void ended(VmExit exit) {
    tell(new DebugStop.Ended(exit));
  }

  private void tell(DebugStop stop) {
    for (Consumer<DebugStop> listener : listeners) {
      try {
        listener.accept(stop);
      } catch (RuntimeException e) {
        LOG.error("machine '{}': a debugger's listener has thrown", machine.name(), e);
      }
    }
  }

  /** The machine is paused or goes on by other means: no vCPU steps or stands any more. */
  void endStep() {
    vcpus()
        .forEach(vcpu -> {
          vcpu.step(false);
          vcpu.standStill(false);
        });
  }

  // ---- what a debugger asks ----

  private <T> T held(String what, Function<RunControl, T> action) {
    RunControl control = machine.control();
    return control
        .holding()
        .whileHeld(
            what,
            false,
            () -> {
              if (machine.isClosed()) {
                throw new VmStoppedException(what, control.exit().orElseGet(VmExit.Stopped::new));
              }
              return action.apply(control);
            });
  }

  @Override
  public void update(int vcpu, UnaryOperator<CpuState> change) {
    Objects.requireNonNull(change, "change");
    machine.requireVcpu(vcpu);
    held(
        "change the state of a vCPU",
        control -> {
          CpuState state = change.apply(machine.vcpu(vcpu).save());
          machine.lock().lock();
          try {
            machine.vcpu(vcpu).restore(state);
          } finally {
            machine.lock().unlock();
          }
          control.nudge(); // it may be halted no longer
          return state;
        });
  }

  private LinearMemory linear(int vcpu) {
    return new LinearMemory(machine.vcpu(vcpu).save(), machine.guestMemory());
  }

  @Override
  public OptionalLong guestPhysicalAddress(int vcpu, long linearAddress) {
    machine.requireVcpu(vcpu);
    return held("translate an address", control -> linear(vcpu).physical(linearAddress));
  }

  @Override
  public byte[] read(int vcpu, long linearAddress, int length) {
    machine.requireVcpu(vcpu);
    if (length < 0 || length > MOST_READ_BYTES) {
      throw new IllegalArgumentException("length: %d is not in 0..16 MiB".formatted(length));
    }
    return held("read memory", control -> linear(vcpu).read(linearAddress, length));
  }

  @Override
  public void write(int vcpu, long linearAddress, byte[] bytes) {
    Objects.requireNonNull(bytes, "bytes");
    machine.requireVcpu(vcpu);
    held(
        "write memory",
        control -> {
          linear(vcpu).write(linearAddress, bytes);
          return bytes;
        });
  }

  @Override
  public void add(Breakpoint breakpoint) {
    Objects.requireNonNull(breakpoint, "breakpoint");
    change(set -> set.add(breakpoint));
  }

  @Override
  public void remove(Breakpoint breakpoint) {
    Objects.requireNonNull(breakpoint, "breakpoint");
    change(set -> set.remove(breakpoint));
  }

  private void change(Function<Set<Breakpoint>, Boolean> change) {
    held(
        "change breakpoints",
        control -> {
          Set<Breakpoint> next = new LinkedHashSet<>(breakpoints);
          boolean changed = change.apply(next);
          if (changed) {
            Set<Breakpoint> all = Collections.unmodifiableSet(next);
            vcpus().forEach(vcpu -> vcpu.breakpoints(all));
            breakpoints = all;
          }
          return changed;
        });
  }

  @Override
  public Set<Breakpoint> breakpoints() {
    return breakpoints;
  }

  @Override
  public void step(int vcpu) {
    machine.requireVcpu(vcpu);
    goOn("step", OptionalInt.of(vcpu), all());
  }

  @Override
  public void step(int vcpu, Set<Integer> running) {
    Objects.requireNonNull(running, "running");
    Set<Integer> withIt = new HashSet<>(running);
    withIt.add(vcpu);
    goOn("step", OptionalInt.of(vcpu), withIt);
  }

  @Override
  public void resume(Set<Integer> running) {
    Objects.requireNonNull(running, "running");
    if (running.isEmpty()) {
      throw new IllegalArgumentException("no vCPU would run");
    }
    goOn("resume some vCPUs", OptionalInt.empty(), running);
  }

  private Set<Integer> all() {
    return IntStream.range(0, machine.plan().spec().cpus()).boxed().collect(Collectors.toSet());
  }

  private void goOn(String what, OptionalInt stepping, Set<Integer> running) {
    running.forEach(machine::requireVcpu);
    machine.control().requireAlive(what);
    held(
        what,
        control -> {
          if (control.mode() != RunControl.Mode.PAUSED) {
            throw new IllegalStateException("cannot %s: the machine is not paused".formatted(what));
          }
          endStep();
          for (int vcpu : all()) {
            machine.vcpu(vcpu).debug().ifPresent(d -> d.standStill(!running.contains(vcpu)));
          }
          stepping.ifPresent(vcpu -> machine.vcpu(vcpu).debug().ifPresent(d -> d.step(true)));
          control.resume();
          return what;
        });
  }

  @Override
  public Listening onStop(Consumer<DebugStop> listener) {
    Objects.requireNonNull(listener, "listener");
    listeners.add(listener);
    return () -> listeners.remove(listener);
  }
}

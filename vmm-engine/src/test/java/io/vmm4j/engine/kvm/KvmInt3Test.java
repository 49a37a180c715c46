package io.vmm4j.engine.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.Backends;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.debug.Breakpoint;
import io.vmm4j.api.debug.DebugStop;
import io.vmm4j.api.debug.VmDebugger;
import io.vmm4j.engine.machine.GuestPrograms;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Breakpoints for which no debug register is left. */
@Timeout(1200)
class KvmInt3Test {
  private static final Duration PATIENCE = Duration.ofMinutes(10);

  /** In the ALIASES guest: the function, its other address, and its own INT3. */
  private static final long FUNCTION = 0x10002;

  private static final long ALIAS = 0x410002;
  private static final long OWN_INT3 = 0x10010;

  private final BlockingQueue<DebugStop> stops = new LinkedBlockingQueue<>();

  @TempDir private Path directory;

  @BeforeEach
  void kvmIsThere() {
    Kvm.required();
  }

  /** A machine whose debug registers all have breakpoints where nothing ever comes by. */
  private Vm guest(String hex, int cpus) throws IOException {
    Vm vm = Vm.create(GuestPrograms.spec(directory, Backends.kvm(), hex).cpus(cpus).build());
    vm.debugger().onStop(stops::add);
    for (int i = 0; i < 4; i++) {
      vm.debugger().add(Breakpoint.at(0x9_0000 + i));
    }
    return vm;
  }

  private DebugStop next(Vm vm) throws InterruptedException {
    DebugStop stop = stops.poll(10, TimeUnit.MINUTES);
    assertThat(stop).isNotNull();
    if (!(stop instanceof DebugStop.Ended)) {
      vm.pause();
    }
    return stop;
  }

  @Test
  void itIsHitEachTimeAndLetsTheInstructionRun() throws Exception {
    if (!Kvm.hasBreakpoints()) {
      return;
    }
    try (Vm vm = guest(GuestPrograms.HELLO, 1)) {
      VmDebugger debugger = vm.debugger();
      Breakpoint next = Breakpoint.at(0x10006);
      debugger.add(next);
      for (String printed : new String[] {"", "h", "he", "hel"}) {
        vm.resume();
        assertThat(next(vm)).isEqualTo(new DebugStop.BreakpointHit(0, next));
        assertThat(vm.cpuState(0).rip()).isEqualTo(6);
        assertThat(vm.console("com1").transcript()).isEqualTo(printed);
        assertThat(debugger.read(0, 0x10006, 2)).containsExactly(0x2E, 0xAC);
      }
      debugger.step(0);
      assertThat(next(vm)).isEqualTo(new DebugStop.Stepped(0));
      assertThat(vm.cpuState(0).rip()).isEqualTo(8);
      assertThat((char) (vm.cpuState(0).gpr()[0] & 0xFF)).isEqualTo('l');

      debugger.remove(next);
      vm.resume();
      assertThat(vm.awaitExit(PATIENCE)).isEqualTo(new VmExit.DebugExit(42));
      assertThat(vm.console("com1").transcript()).isEqualTo("hello, world");
    }
  }

  @Test
  void aSnapshotHasTheGuestsMemory() throws Exception {
    if (!Kvm.hasBreakpoints()) {
      return;
    }
    try (Vm vm = guest(GuestPrograms.HELLO, 1)) {
      vm.debugger().add(Breakpoint.at(0x10006));
      vm.resume();
      next(vm);
      vm.resume(); // over the breakpoint, with the one that it stands at inserted again
      next(vm);
      try (Snapshot snapshot = vm.snapshot();
          Vm copy = snapshot.resume(Backends.kvm())) {
        assertThat(copy.awaitExit(PATIENCE)).isEqualTo(new VmExit.DebugExit(42));
        assertThat(copy.console("com1").transcript()).isEqualTo("hello, world");
      }
    }
  }

  @Test
  void anotherAddressOfTheSameMemoryAndAnInt3OfTheGuestAreNoneOfIt() throws Exception {
    if (!Kvm.hasBreakpoints()) {
      return;
    }
    try (Vm vm = guest(GuestPrograms.ALIASES, 1)) {
      VmDebugger debugger = vm.debugger();
      debugger.add(Breakpoint.at(FUNCTION));
      for (int i = 0; i < 5; i++) {
        vm.resume();
        assertThat(next(vm)).isEqualTo(new DebugStop.BreakpointHit(0, Breakpoint.at(FUNCTION)));
        assertThat(vm.cpuState(0).rip()).isEqualTo(FUNCTION);
        assertThat(vm.memory().readInt(0x600)).isEqualTo(2 * i);
        assertThat(vm.memory().readInt(0x604)).isEqualTo(i);
      }
      debugger.remove(Breakpoint.at(FUNCTION));
      debugger.add(Breakpoint.at(ALIAS));
      for (int i = 4; i < 8; i++) {
        vm.resume();
        assertThat(next(vm)).isEqualTo(new DebugStop.BreakpointHit(0, Breakpoint.at(ALIAS)));
        assertThat(vm.cpuState(0).rip()).isEqualTo(ALIAS);
        assertThat(vm.memory().readInt(0x600)).isEqualTo(2 * i + 1);
      }
      debugger.add(Breakpoint.at(FUNCTION)); // two in one place
      vm.resume();
      assertThat(next(vm)).isEqualTo(new DebugStop.BreakpointHit(0, Breakpoint.at(FUNCTION)));
      debugger.remove(Breakpoint.at(FUNCTION));
      debugger.remove(Breakpoint.at(ALIAS));
      vm.resume();
      assertThat(vm.awaitExit(PATIENCE)).isEqualTo(new VmExit.DebugExit(42));
      assertThat(vm.memory().readInt(0x600)).isEqualTo(200);
      assertThat(vm.memory().readInt(0x604)).isEqualTo(100);
    }
  }

  @Test
  void anInt3OfTheGuestCanHaveOneToo() throws Exception {
    if (!Kvm.hasBreakpoints()) {
      return;
    }
    try (Vm vm = guest(GuestPrograms.ALIASES, 1)) {
      vm.debugger().add(Breakpoint.at(OWN_INT3));
      for (int i = 0; i < 3; i++) {
        vm.resume();
        assertThat(next(vm)).isEqualTo(new DebugStop.BreakpointHit(0, Breakpoint.at(OWN_INT3)));
        assertThat(vm.memory().readInt(0x604)).isEqualTo(i);
      }
      vm.debugger().remove(Breakpoint.at(OWN_INT3));
      vm.resume();
      assertThat(vm.awaitExit(PATIENCE)).isEqualTo(new VmExit.DebugExit(42));
      assertThat(vm.memory().readInt(0x604)).isEqualTo(100);
    }
  }

  @Test
  void everyVcpuStopsThereAndNoneSlipsThrough() throws Exception {
    if (!Kvm.hasBreakpoints()) {
      return;
    }
    try (Vm vm = guest(GuestPrograms.RING_WITH_SLOW_TIMERS, 4)) {
      // Before the token is counted, which each vCPU does in its turn.
      Breakpoint count = Breakpoint.at(0x1_0119);
      vm.debugger().add(count);
      Set<Integer> vcpus = new HashSet<>();
      for (int tokens = 0; tokens < 24; tokens++) {
        vm.resume();
        DebugStop stop = next(vm);
        assertThat(stop).isInstanceOf(DebugStop.BreakpointHit.class);
        vcpus.add(((DebugStop.BreakpointHit) stop).vcpu());
        assertThat(vm.memory().readInt(0x604)).isEqualTo(tokens);
      }
      assertThat(vcpus).containsExactlyInAnyOrder(0, 1, 2, 3);
      vm.debugger().remove(count);
      vm.resume();
      vm.console("com1").expect("ABCDABCDABCDABCDABCDABCDABCDABCD", PATIENCE);
    }
  }

  @Test
  void whereThereIsNoMemoryThereIsNone() throws Exception {
    try (Vm vm = guest(GuestPrograms.HELLO, 1)) {
      assertThatThrownBy(() -> vm.debugger().add(Breakpoint.at(0x7000_0000)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("0x70000000");
      assertThat(vm.debugger().breakpoints()).hasSize(4);
      vm.resume();
      assertThat(vm.awaitExit(PATIENCE)).isEqualTo(new VmExit.DebugExit(42));
    }
  }
}

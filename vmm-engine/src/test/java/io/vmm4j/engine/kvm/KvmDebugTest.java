package io.vmm4j.engine.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.Backends;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.debug.Breakpoint;
import io.vmm4j.api.debug.DebugStop;
import io.vmm4j.api.debug.VmDebugger;
import io.vmm4j.engine.machine.GuestPrograms;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Breakpoints, watchpoints and steps by the processor's debug registers. */
@Timeout(1200)
class KvmDebugTest {
  /** Where the hello guest fetches the next letter, and what follows. */
  private static final long NEXT = 0x10006;

  /** Where the two vCPUs of the ring that never halt count. */
  private static final long WORK = 0x660;

  private static final Breakpoint AT_NEXT = Breakpoint.at(NEXT);

  private final BlockingQueue<DebugStop> stops = new LinkedBlockingQueue<>();

  @TempDir private Path directory;

  @BeforeEach
  void kvmIsThere() {
    Kvm.required();
  }

  private Vm guest(String hex) throws IOException {
    Vm vm = Vm.create(GuestPrograms.spec(directory, Backends.kvm(), hex).build());
    vm.debugger().onStop(stops::add);
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
  void aStepIsOneInstruction() throws Exception {
    try (Vm vm = guest(GuestPrograms.HELLO)) {
      for (int rip : new int[] {3, 6, 8, 10, 12, 13, 6, 8}) {
        vm.debugger().step(0);
        assertThat(next(vm)).isEqualTo(new DebugStop.Stepped(0));
        assertThat(vm.cpuState(0).rip()).isEqualTo(rip);
      }
      assertThat(vm.console("com1").transcript()).isEqualTo("h");
      assertThat((char) (vm.cpuState(0).gpr()[0] & 0xFF)).isEqualTo('e');
      assertThat(vm.cpuState(0).rflags() & 0x100).isZero();
      vm.resume();
      assertThat(vm.awaitExit(Duration.ofMinutes(10))).isEqualTo(new VmExit.DebugExit(42));
    }
  }

  @Test
  void aBreakpointIsHitEachTimeAndLetsTheInstructionRun() throws Exception {
    if (!Kvm.hasBreakpoints()) {
      return;
    }
    try (Vm vm = guest(GuestPrograms.HELLO)) {
      VmDebugger debugger = vm.debugger();
      debugger.add(AT_NEXT);
      for (String printed : new String[] {"", "h", "he", "hel"}) {
        vm.resume();
        assertThat(next(vm)).isEqualTo(new DebugStop.BreakpointHit(0, AT_NEXT));
        assertThat(vm.cpuState(0).rip()).isEqualTo(NEXT - 0x10000);
        assertThat(vm.console("com1").transcript()).isEqualTo(printed);
      }
      debugger.step(0);
      assertThat(next(vm)).isEqualTo(new DebugStop.Stepped(0));
      assertThat(vm.cpuState(0).rip()).isEqualTo(NEXT - 0x10000 + 2);
      assertThat((char) (vm.cpuState(0).gpr()[0] & 0xFF)).isEqualTo('l');
      debugger.step(0);
      assertThat(next(vm)).isEqualTo(new DebugStop.Stepped(0));
      assertThat(vm.cpuState(0).rip()).isEqualTo(NEXT - 0x10000 + 4);

      debugger.remove(AT_NEXT);
      vm.resume();
      assertThat(vm.awaitExit(Duration.ofMinutes(10))).isEqualTo(new VmExit.DebugExit(42));
      assertThat(vm.console("com1").transcript()).isEqualTo("hello, world");
    }
  }

  @Test
  void aStoreToAWatchedRangeIsSeen() throws Exception {
    if (!Kvm.hasBreakpoints()) {
      return;
    }
    try (Vm vm = guest(GuestPrograms.TICKS)) {
      Breakpoint counter = Breakpoint.onWrite(0x604, 4);
      vm.debugger().add(counter);
      for (int i = 1; i <= 3; i++) {
        vm.resume();
        assertThat(next(vm)).isEqualTo(new DebugStop.WatchpointHit(0, counter, 0x604));
        assertThat(vm.memory().readInt(0x604)).isEqualTo(i);
      }
    }
  }

  @Test
  void othersStandIfTheyAreToldTo() throws Exception {
    try (Vm vm =
        Vm.create(
            GuestPrograms.spec(directory, Backends.kvm(), GuestPrograms.RING_WITH_SLOW_TIMERS)
                .cpus(4)
                .build())) {
      VmDebugger debugger = vm.debugger();
      debugger.onStop(stops::add);
      vm.resume();
      vm.console("com1").expect("ABCDABCD", Duration.ofMinutes(10));
      vm.pause();

      // when vCPU 3, which never halts, steps alone, then vCPU 2, which doesn't either, does
      // nothing
      CpuState second = vm.cpuState(2);
      long work = vm.memory().readInt(WORK);
      for (int i = 0; i < 10; i++) {
        debugger.step(3, Set.of());
        assertThat(next(vm)).isEqualTo(new DebugStop.Stepped(3));
        assertThat(vm.cpuState(2).rip()).isEqualTo(second.rip());
        assertThat(vm.cpuState(2).gpr()).isEqualTo(second.gpr());
      }

      // and when vCPU 2 runs alone, vCPU 3 does nothing
      CpuState third = vm.cpuState(3);
      debugger.resume(Set.of(2));
      while (vm.memory().readInt(WORK) - work < 1000) {
        Thread.onSpinWait();
      }
      vm.pause();
      assertThat(vm.cpuState(3).rip()).isEqualTo(third.rip());
      assertThat(vm.cpuState(3).gpr()).isEqualTo(third.gpr());

      vm.resume();
      vm.console("com1").expect("ABCDABCD", Duration.ofMinutes(10));
    }
  }

  @Test
  void whatTheProcessorCannotWatchIsRefused() throws Exception {
    try (Vm vm = guest(GuestPrograms.HELLO)) {
      VmDebugger debugger = vm.debugger();
      assertThatThrownBy(() -> debugger.add(Breakpoint.onWrite(0x605, 4)))
          .hasMessageContaining("aligned");
      debugger.add(AT_NEXT); // has a register until others need it
      for (int i = 0; i < 4; i++) {
        debugger.add(Breakpoint.onWrite(0x600 + i, 1));
      }
      assertThatThrownBy(() -> debugger.add(Breakpoint.onWrite(0x604, 4)))
          .hasMessageContaining("4");
      assertThat(debugger.breakpoints()).hasSize(5);
    }
  }
}

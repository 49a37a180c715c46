package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.ConsoleExpectationException;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmException;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmState;
import io.vmm4j.api.VmStoppedException;
import io.vmm4j.api.VmTimeoutException;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.engine.machine.FakeBackend.Outcome;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How machines run, pause, step and end. */
@Timeout(1200)
class MachineRunTest {
  private static final Duration LONG = Duration.ofMinutes(10);
  private static final FakeBackend.Script SPIN = (host, vcpu) -> Outcome.NEXT;

  /** Writes a text to the console, a byte an instruction, then does what follows. */
  private static FakeBackend.Script hello(FakeBackend.Script then) {
    byte[] text = "hello, world\n".getBytes(StandardCharsets.US_ASCII);
    return (host, vcpu) -> {
      if (vcpu.rip <= text.length) {
        host.writePort(TestDevice.PORT, 1, text[(int) vcpu.rip - 1]);
        return Outcome.NEXT;
      }
      return then.execute(host, vcpu);
    };
  }

  private static FakeBackend.Script out(int register, int value) {
    return (host, vcpu) -> {
      host.writePort(TestDevice.PORT + register, 4, value);
      return Outcome.NEXT;
    };
  }

  @Test
  void aGuestsOutputReachesTheConsoleAndItsExitTheHost() {
    TestMachines machines = new TestMachines(hello(out(TestDevice.EXIT, 42)));
    try (Vm vm = machines.start(ClockMode.REAL)) {
      assertThat(vm.console("test").expect("world", LONG).before()).isEqualTo("hello, ");
      assertThat(vm.awaitExit(LONG)).isEqualTo(new VmExit.DebugExit(42));
      assertThat(vm.state()).isEqualTo(new VmState.Ended(new VmExit.DebugExit(42)));
      assertThat(vm.cpuState(0).rip()).isEqualTo(14);
    }
  }

  @Test
  void anExitTakesEffectAfterTheInstructionThatAskedForIt() {
    TestMachines machines = new TestMachines(out(TestDevice.EXIT, 1));
    try (Vm vm = machines.start(ClockMode.REAL)) {
      vm.awaitExit(LONG);
      assertThat(vm.cpuState(0).rip()).isEqualTo(1);
    }
  }

  @Test
  void aDeviceThatThrowsEndsItsMachineAsCrashedUnderItsPath() {
    TestMachines machines = new TestMachines(out(TestDevice.THROW, 0));
    try (Vm vm = machines.start(ClockMode.REAL)) {
      assertThat(vm.awaitExit(LONG))
          .isInstanceOfSatisfying(
              VmExit.Crashed.class,
              crash -> {
                assertThat(crash.reason()).startsWith("test: ").contains("the guest wants it");
                assertThat(crash.detail()).contains("TestDevice").contains("rax");
              });
    }
  }

  @Test
  void aBackendThatThrowsEndsItsMachineAsCrashed() {
    TestMachines machines =
        new TestMachines((host, vcpu) -> {
          throw new StackOverflowError("deep");
        });
    try (Vm vm = machines.start(ClockMode.REAL)) {
      assertThat(vm.awaitExit(LONG))
          .isInstanceOfSatisfying(
              VmExit.Crashed.class, crash -> assertThat(crash.reason()).startsWith("vcpu/0: "));
    }
  }

  /** Of an exhausted heap: whatever is asked of it needs memory. */
  private static final class IndescribableError extends Error {
    private static final long serialVersionUID = 1L;

    @Override
    public String getMessage() {
      throw new OutOfMemoryError("for a test");
    }

    @Override
    public String toString() {
      return getMessage();
    }
  }

  @Test
  void anErrorThatCanNotBeDescribedEndsItsMachineToo() {
    for (ClockMode clock : ClockMode.values()) {
      TestMachines machines =
          new TestMachines((host, vcpu) -> {
            throw new IndescribableError();
          });
      try (Vm vm = machines.start(clock)) {
        assertThat(vm.awaitExit(LONG))
            .isInstanceOfSatisfying(
                VmExit.Crashed.class,
                crash -> assertThat(crash.reason()).contains("could not be described"));
      }
    }
  }

  @Test
  void aTripleFaultEndsTheMachineWithARegisterDump() {
    TestMachines machines = new TestMachines((host, vcpu) -> Outcome.TRIPLE_FAULT);
    try (Vm vm = machines.start(ClockMode.REAL)) {
      assertThat(vm.awaitExit(LONG))
          .isInstanceOfSatisfying(
              VmExit.Reset.class,
              reset -> {
                assertThat(reset.cause()).isEqualTo(VmExit.Reset.Cause.TRIPLE_FAULT);
                assertThat(reset.detail())
                    .startsWith("triple fault of vcpu/0")
                    .contains("cr0")
                    .contains("rip");
              });
    }
  }

  @Test
  void aPausedMachineStandsAndItsClockWithIt() {
    try (Vm vm = new TestMachines(SPIN).start(ClockMode.REAL)) {
      vm.pause();
      long rip = vm.cpuState(0).rip();
      long time = vm.clock().nanoTime();
      assertThat(vm.state()).isEqualTo(new VmState.Paused());
      assertThat(vm.cpuState(0).rip()).isEqualTo(rip);
      assertThat(vm.clock().nanoTime()).isEqualTo(time);
      vm.resume();
      while (vm.cpuState(0).rip() == rip) {
        Thread.onSpinWait();
      }
    }
  }

  @Test
  void pausingAndResumingInEveryOrderFromManyThreadsLosesNothing() {
    try (Vm vm = new TestMachines(SPIN).start(ClockMode.REAL)) {
      CompletableFuture<?>[] threads = new CompletableFuture<?>[4];
      for (int t = 0; t < threads.length; t++) {
        threads[t] =
            CompletableFuture.runAsync(() -> {
              for (int i = 0; i < 1000; i++) {
                vm.pause();
                vm.resume();
                vm.cpuState(0);
              }
            });
      }
      CompletableFuture.allOf(threads).join();
      assertThat(vm.state()).isEqualTo(new VmState.Running());
      long rip = vm.cpuState(0).rip();
      while (vm.cpuState(0).rip() == rip) {
        Thread.onSpinWait();
      }
    }
  }

  @Test
  void aHaltedGuestIsWokenByEveryTimerTick() {
    TestMachines machines =
        new TestMachines((host, vcpu) -> {
          if (vcpu.rip == 1) {
            host.writePort(TestDevice.PORT + TestDevice.PERIOD, 4, 100_000);
          }
          if (vcpu.gpr[14] >= 200) {
            host.writePort(TestDevice.PORT + TestDevice.EXIT, 4, 7);
          }
          return Outcome.HALT;
        });
    for (ClockMode clock : ClockMode.values()) {
      try (Vm vm = machines.start(clock)) {
        assertThat(vm.awaitExit(LONG)).as("%s", clock).isEqualTo(new VmExit.DebugExit(7));
        assertThat(vm.clock().nanoTime()).isGreaterThanOrEqualTo(19_900_000);
      }
    }
  }

  @Test
  void virtualTimeCountsInstructionsAndSkipsIdleTime() {
    TestMachines machines =
        new TestMachines((host, vcpu) -> {
          if (vcpu.rip == 1) {
            host.writePort(TestDevice.PORT + TestDevice.PERIOD, 4, 1_000_000_000);
            return Outcome.HALT;
          }
          return Outcome.NEXT;
        });
    try (Vm vm = machines.create(ClockMode.VIRTUAL)) {
      vm.step(1);
      assertThat(vm.clock().nanoTime()).isEqualTo(1);
      vm.step(10);
      assertThat(vm.cpuState(0).rip()).isEqualTo(11);
      assertThat(vm.clock().nanoTime()).isEqualTo(1_000_000_001L + 10);
    }
  }

  @Test
  void aStepOfAGuestThatNothingCanWakeEnds() {
    try (Vm vm = new TestMachines((host, vcpu) -> Outcome.HALT).create(ClockMode.VIRTUAL)) {
      vm.step(100);
      assertThat(vm.cpuState(0).rip()).isEqualTo(1);
      assertThat(vm.state()).isEqualTo(new VmState.Paused());
    }
  }

  @Test
  void steppingNeedsAPausedMachineWithVirtualTime() {
    try (Vm real = new TestMachines(SPIN).create(ClockMode.REAL);
        Vm running = new TestMachines(SPIN).start(ClockMode.VIRTUAL)) {
      assertThatThrownBy(() -> real.step(1)).isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(() -> running.step(1)).isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void whatAsksSomethingOfAnEndedMachineSaysHowItEnded() {
    try (Vm vm = new TestMachines(SPIN).start(ClockMode.REAL)) {
      vm.stop();
      vm.stop();
      assertThat(vm.state()).isEqualTo(new VmState.Ended(new VmExit.Stopped()));
      assertThatThrownBy(vm::pause).isInstanceOf(VmStoppedException.class);
      assertThatThrownBy(vm::resume).isInstanceOf(VmStoppedException.class);
      assertThatThrownBy(vm::snapshot)
          .isInstanceOf(VmStoppedException.class)
          .hasMessageContaining("Stopped");
      assertThatThrownBy(() -> vm.console("test").send("x")).isInstanceOf(VmStoppedException.class);
    }
  }

  @Test
  void awaitingAnEndThatDoesNotComeIsATimeout() {
    try (Vm vm = new TestMachines(SPIN).start(ClockMode.REAL)) {
      assertThatThrownBy(() -> vm.awaitExit(Duration.ofMillis(1)))
          .isInstanceOf(VmTimeoutException.class);
    }
  }

  @Test
  void anExpectationFailsAtOnceWhenTheMachineEnds() {
    TestMachines machines = new TestMachines(hello(out(TestDevice.EXIT, 1)));
    try (Vm vm = machines.create(ClockMode.REAL)) {
      CompletableFuture<?> expecting =
          CompletableFuture.runAsync(() -> vm.console("test").expect("login:", Duration.ofDays(1)));
      vm.resume();
      assertThatThrownBy(expecting::join)
          .cause()
          .isInstanceOfSatisfying(
              ConsoleExpectationException.class, e -> assertThat(e.machineEnded()).isTrue())
          .hasMessageContaining("\"login:\"")
          .hasMessageContaining("| hello, world")
          .hasMessageContaining("DebugExit")
          .hasMessageContaining("vcpu/0: running in real mode");
    }
  }

  @Test
  void whatTheHostSendsReachesAGuestThatWaitsForIt() {
    TestMachines machines =
        new TestMachines((host, vcpu) -> {
          int value = host.readPort(TestDevice.PORT, 1);
          if (value != 0xFF) {
            host.writePort(TestDevice.PORT, 1, value ^ 0x20);
          }
          return Outcome.NEXT;
        });
    for (ClockMode clock : ClockMode.values()) {
      try (Vm vm = machines.start(clock)) {
        vm.console("test").send("Echo");
        vm.console("test").expect("eCHO", LONG);
      }
    }
  }

  @Test
  void closingNamesTheDeviceThatDoesNotReturnAndCanBeTriedAgain() throws InterruptedException {
    CountDownLatch entered = new CountDownLatch(1);
    CountDownLatch leave = new CountDownLatch(1);
    TestMachines machines =
        new TestMachines((host, vcpu) -> {
          // What a device does in a handler: it waits with the machine lock held.
          host.locked(() -> {
            entered.countDown();
            waitFor(leave);
          });
          return Outcome.NEXT;
        });
    Vm vm = machines.start(ClockMode.REAL);
    try {
      entered.await();
      Machine machine = ((VirtualMachine) vm).machine();

      assertThatThrownBy(() -> machine.close(Duration.ofMillis(10)))
          .isInstanceOf(VmException.class)
          .hasMessageContaining("machine 'machine' can't be closed")
          .hasMessageContaining("vmm-machine-vcpu-0")
          .hasMessageContaining("waitFor");
      assertThat(machines.backend.machine().closed).isFalse();

    } finally {
      leave.countDown();
      vm.close();
    }
    assertThat(machines.backend.machine().closed).isTrue();
    assertThat(vm.state()).isEqualTo(new VmState.Ended(new VmExit.Stopped()));
  }

  private static void waitFor(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError("nobody interrupts a device", e);
    }
  }

  @Test
  void closingLeavesNoThreadMappingOrFile() throws IOException {
    TestMachines machines = new TestMachines(SPIN);
    machines.start(ClockMode.REAL).close();
    HostResources before = HostResources.now();
    for (int i = 0; i < 1000; i++) {
      Vm vm = machines.create(i % 2 == 0 ? ClockMode.REAL : ClockMode.VIRTUAL);
      if (i % 3 != 0) {
        vm.resume();
      }
      if (i % 5 == 0) {
        vm.console("test").onOutput(bytes -> {});
      }
      vm.close();
      vm.close();
      assertThat(machines.backend.machine().closed).isTrue();
    }
    assertThat(HostResources.now()).isEqualTo(before);
  }
}

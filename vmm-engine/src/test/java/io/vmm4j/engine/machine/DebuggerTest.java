package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.Backends;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.VmState;
import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.api.debug.Breakpoint;
import io.vmm4j.api.debug.DebugStop;
import io.vmm4j.api.debug.DebuggingUnsupportedException;
import io.vmm4j.api.debug.LinearAddressException;
import io.vmm4j.api.debug.VmDebugger;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Breakpoints, steps and watchpoints of small guests on the software backend. */
@Timeout(1200)
class DebuggerTest {
  /** Where the code is. */
  private static final int BASE = 0x10000;

  /**
   * Counts at 0x500 and calls a function each time.
   *
   * <pre>
   * 00       xor ax, ax
   * 02       mov ds, ax
   * 04       mov ss, ax
   * 06       mov sp, 0x7000
   * 09 next: inc word [0x500]
   * 0d       call function
   * 10       jmp next
   * 12 function:
   *          mov bx, [0x500]
   * 16       add cx, bx
   * 18       ret
   * </pre>
   */
  private static final String LOOP = "31c0 8ed8 8ed0 bc0070 ff060005 e80200 ebf7 8b1e0005 01d9 c3";

  private static final int NEXT = 0x09;
  private static final int CALL = 0x0d;
  private static final int FUNCTION = 0x12;
  private static final int ADD = 0x16;
  private static final int COUNT = 0x500;

  /**
   * Spins while its timer interrupts all the time.
   *
   * <pre>
   * 00       cli
   * 01       xor ax, ax
   * 03       mov ds, ax
   * 05       mov ss, ax
   * 07       mov sp, 0x7000
   * 0a       mov word [8*4], handler
   * 10       mov [8*4+2], cs
   * 14       mov al, 0x11        ; the interrupt controller: vectors from 8, only IRQ 0
   *          out 0x20, al
   *          mov al, 8
   *          out 0x21, al
   *          mov al, 4
   *          out 0x21, al
   *          mov al, 1
   *          out 0x21, al
   *          mov al, 0xFE
   *          out 0x21, al
   * 28       mov al, 0x34        ; the timer: 16 ticks
   *          out 0x43, al
   *          mov al, 16
   *          out 0x40, al
   *          mov al, 0
   *          out 0x40, al
   * 34       sti
   * 35       nop
   * 36 spin: nop
   *          nop
   *          jmp spin
   *          nop
   *          nop
   * 3c handler:
   *          mov al, 0x20
   *          out 0x20, al
   *          iret
   * </pre>
   */
  private static final String INTERRUPTED =
      "fa 31c0 8ed8 8ed0 bc0070 c70620003c00 8c0e2200 b011 e620 b008 e621 b004 e621 b001 e621"
          + " b0fe e621 b034 e643 b010 e640 b000 e640 fb 90 90 90 ebfc 90 90 b020 e620 cf";

  private static final int SPIN = 0x36;
  private static final int HANDLER = 0x3c;

  /**
   * Starts vCPU 1; then both count.
   *
   * <pre>
   * 00       mov ecx, 0x1B       ; IA32_APIC_BASE
   *          rdmsr
   *          test ah, 1          ; the bootstrap processor's
   *          jz ap
   *          or ah, 0x0C         ; x2APIC
   *          wrmsr
   *          mov ecx, 0x830      ; interrupt command
   *          mov edx, 1
   *          mov eax, 0x4500     ; INIT
   *          wrmsr
   *          mov eax, 0x4610     ; start-up at page 0x10
   *          wrmsr
   * 2e first: inc ax
   *          jmp first
   * 31 ap:   inc bx
   * 32       jmp ap
   * </pre>
   */
  private static final String TWO =
      "66b91b000000 0f32 f6c401 7424 80cc0c 0f30 66b930080000 66ba01000000 66b800450000 0f30"
          + " 66b810460000 0f30 40 ebfd 43 ebfd";

  private static final int FIRST = 0x2e;
  private static final int SECOND = 0x31;

  @TempDir private Path directory;

  private final BlockingQueue<DebugStop> stops = new LinkedBlockingQueue<>();

  private VmSpec spec(String hex, ClockMode clock) {
    return spec(hex, clock, 1);
  }

  private VmSpec spec(String hex, ClockMode clock, int cpus) {
    Path image = directory.resolve("guest.bin");
    try {
      Files.write(image, HexFormat.of().parseHex(hex.replace(" ", "")));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return VmSpec.builder("guest")
        .backend(Backends.software())
        .memory(MemorySize.mebibytes(2))
        .cpus(cpus)
        .boot(new BootSource.FlatRealMode(image, BASE))
        .clock(clock)
        .startTime(Instant.EPOCH)
        .randomSeed(1)
        .build();
  }

  private DebugStop next() {
    try {
      DebugStop stop = stops.poll(10, TimeUnit.MINUTES);
      assertThat(stop).as("a stop").isNotNull();
      return stop;
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private DebugStop resumed(Vm vm) {
    vm.resume();
    DebugStop stop = next();
    vm.pause();
    return stop;
  }

  private DebugStop stepped(Vm vm) {
    vm.debugger().step(0);
    DebugStop stop = next();
    vm.pause();
    return stop;
  }

  private static long at(Vm vm) {
    CpuState cpu = vm.cpuState(0);
    return cpu.cs().base() + cpu.rip() - BASE;
  }

  private static int count(Vm vm) {
    return vm.memory().readShort(COUNT);
  }

  @ParameterizedTest
  @EnumSource(ClockMode.class)
  void standsBeforeTheInstructionEachTimeItComesThere(ClockMode clock) {
    // given a guest that has run the code already, so that its blocks are decoded and linked
    try (Vm vm = Vm.create(spec(LOOP, clock))) {
      vm.debugger().onStop(stops::add);
      Breakpoint warm = Breakpoint.onWrite(COUNT, 2);
      vm.debugger().add(warm);
      for (int i = 0; i < 5; i++) {
        resumed(vm);
      }
      vm.debugger().remove(warm);

      // when a breakpoint is set in the middle of a block
      Breakpoint breakpoint = Breakpoint.at(BASE + ADD);
      vm.debugger().add(breakpoint);
      DebugStop first = resumed(vm);

      // then it stands there, with what comes before done and nothing else
      assertThat(first).isEqualTo(new DebugStop.BreakpointHit(0, breakpoint));
      assertThat(vm.state()).isEqualTo(new VmState.Paused());
      assertThat(at(vm)).isEqualTo(ADD);
      int count = count(vm);
      CpuState before = vm.cpuState(0);
      assertThat(before.gpr()[3]).isEqualTo(count);

      // and the next time it goes on from there, a whole round
      assertThat(resumed(vm)).isEqualTo(first);
      assertThat(count(vm)).isEqualTo(count + 1);
      assertThat(vm.cpuState(0).gpr()[1] & 0xFFFF)
          .isEqualTo(before.gpr()[1] + before.gpr()[3] & 0xFFFF);
    }
  }

  @Test
  void severalBreakpointsStopAtEachOfThem() {
    try (Vm vm = Vm.create(spec(LOOP, ClockMode.VIRTUAL))) {
      vm.debugger().onStop(stops::add);
      for (int place : new int[] {NEXT, CALL, FUNCTION}) {
        vm.debugger().add(Breakpoint.at(BASE + place));
      }
      for (int place : new int[] {NEXT, CALL, FUNCTION, NEXT, CALL, FUNCTION}) {
        resumed(vm);
        assertThat(at(vm)).isEqualTo(place);
      }
      vm.debugger().remove(Breakpoint.at(BASE + CALL));
      for (int place : new int[] {NEXT, FUNCTION, NEXT}) {
        resumed(vm);
        assertThat(at(vm)).isEqualTo(place);
      }
    }
  }

  @Test
  void anAddressThatOnlySharesThePlaceInItsPageIsPassed() {
    // given breakpoints in other pages at the places of instructions of the loop
    try (Vm vm = Vm.create(spec(LOOP, ClockMode.VIRTUAL))) {
      vm.debugger().onStop(stops::add);
      vm.debugger().add(Breakpoint.at(0x5000 + FUNCTION));
      vm.debugger().add(Breakpoint.at(0x5000 + NEXT));
      vm.debugger().add(Breakpoint.at(0x5000 + ADD));

      // when it runs some thousand instructions
      vm.step(6004);

      // then all of them were executed, and none stopped it
      assertThat(vm.metrics().instructions()).isEqualTo(6004);
      assertThat(count(vm)).isEqualTo(1000);
      assertThat(stops).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource(ClockMode.class)
  void aStepIsOneInstruction(ClockMode clock) {
    try (Vm vm = Vm.create(spec(LOOP, clock))) {
      vm.debugger().onStop(stops::add);
      long[] places = {2, 4, 6, NEXT, CALL, FUNCTION, ADD, 0x18, 0x10, NEXT};
      for (long place : places) {
        assertThat(stepped(vm)).isEqualTo(new DebugStop.Stepped(0));
        assertThat(at(vm)).isEqualTo(place);
      }
      assertThat(vm.metrics().instructions()).isEqualTo(places.length);
    }
  }

  @Test
  void aStepLeavesABreakpointAndAResumeGoesOnFromWhereItLed() {
    try (Vm vm = Vm.create(spec(LOOP, ClockMode.VIRTUAL))) {
      vm.debugger().onStop(stops::add);
      vm.debugger().add(Breakpoint.at(BASE + CALL));
      vm.debugger().add(Breakpoint.at(BASE + FUNCTION));
      resumed(vm);
      assertThat(stepped(vm)).isEqualTo(new DebugStop.Stepped(0));
      assertThat(at(vm)).isEqualTo(FUNCTION);
      resumed(vm);
      assertThat(at(vm)).isEqualTo(CALL);
    }
  }

  @Test
  void aWatchedRangeStopsAfterTheInstructionThatTouchesIt() {
    try (Vm vm = Vm.create(spec(LOOP, ClockMode.VIRTUAL))) {
      vm.debugger().onStop(stops::add);
      Breakpoint write = Breakpoint.onWrite(COUNT + 1, 1);
      vm.debugger().add(write);

      // a store of two bytes touches the second of them
      assertThat(resumed(vm)).isEqualTo(new DebugStop.WatchpointHit(0, write, COUNT + 1));
      assertThat(at(vm)).isEqualTo(CALL);
      assertThat(count(vm)).isEqualTo(1);

      // a load is another thing
      vm.debugger().remove(write);
      Breakpoint read = new Breakpoint(Breakpoint.Kind.READ, COUNT, 2);
      vm.debugger().add(read);
      assertThat(resumed(vm)).isEqualTo(new DebugStop.WatchpointHit(0, read, COUNT));
      assertThat(at(vm)).isEqualTo(ADD);

      // and both are both
      vm.debugger().remove(read);
      vm.debugger().add(new Breakpoint(Breakpoint.Kind.ACCESS, COUNT - 8, 16));
      resumed(vm);
      assertThat(at(vm)).isEqualTo(CALL);
      resumed(vm);
      assertThat(at(vm)).isEqualTo(ADD);

      // a range next to it is not touched
      vm.debugger().breakpoints().forEach(vm.debugger()::remove);
      vm.debugger().add(Breakpoint.onWrite(COUNT + 2, 2));
      vm.step(5000);
      assertThat(stops).isEmpty();
    }
  }

  @Test
  void theRunIsTheSameWithBreakpointsAndWithout() throws IOException {
    // given a run without a debugger
    List<Object> undisturbed;
    try (Vm vm = Vm.create(spec(LOOP, ClockMode.VIRTUAL))) {
      vm.step(10_000);
      undisturbed = contents(vm);
    }

    // when another stops and steps on its way
    try (Vm vm = Vm.create(spec(LOOP, ClockMode.VIRTUAL))) {
      vm.debugger().onStop(stops::add);
      vm.debugger().add(Breakpoint.at(BASE + ADD));
      vm.debugger().add(Breakpoint.onWrite(COUNT, 2));
      for (int i = 0; i < 40; i++) {
        resumed(vm);
      }
      for (int i = 0; i < 40; i++) {
        stepped(vm);
      }
      long done = vm.metrics().instructions();
      vm.debugger().breakpoints().forEach(vm.debugger()::remove);
      vm.step(10_000 - done);

      // then both are the same to the last bit, and nothing of the debugger is in the snapshot
      assertThat(done).isGreaterThan(100);
      assertThat(contents(vm)).isEqualTo(undisturbed);
    }
  }

  private static List<Object> contents(Vm vm) throws IOException {
    try (Snapshot snapshot = vm.snapshot()) {
      return SnapshotContents.of(snapshot);
    }
  }

  @Test
  void breakpointsAreInNoSnapshotAndOutlastARestore() {
    try (Vm vm = Vm.create(spec(LOOP, ClockMode.VIRTUAL))) {
      vm.debugger().onStop(stops::add);
      vm.debugger().add(Breakpoint.at(BASE + ADD));
      resumed(vm);
      try (Snapshot snapshot = vm.snapshot();
          Vm clone = snapshot.fork()) {
        assertThat(clone.debugger().breakpoints()).isEmpty();
        clone.pause();
        resumed(vm);
        vm.restore(snapshot);
        assertThat(count(vm)).isEqualTo(1);
        resumed(vm);
        assertThat(at(vm)).isEqualTo(ADD);
      }
    }
  }

  @Test
  void aStepUnderRealTimeIsNotTakenByTheTimer() {
    try (Vm vm = Vm.create(spec(INTERRUPTED, ClockMode.REAL))) {
      vm.debugger().onStop(stops::add);
      vm.debugger().add(Breakpoint.at(BASE + HANDLER));
      resumed(vm);
      assertThat(at(vm)).isEqualTo(HANDLER);

      // when it steps from the handler back into the loop, and there
      int inTheLoop = 0;
      for (int i = 0; i < 60; i++) {
        stepped(vm);
        inTheLoop += at(vm) < HANDLER ? 1 : 0;
      }

      // then the next interrupt has waited, and comes when it runs again
      assertThat(inTheLoop).isGreaterThan(55);
      assertThat(resumed(vm)).isInstanceOf(DebugStop.BreakpointHit.class);
      assertThat(at(vm)).isEqualTo(HANDLER);
    }
  }

  @Test
  void aBreakpointThatIsLeftIsNotMetAgainBehindAnInterrupt() {
    // given a place in the loop where an interrupt is always due
    try (Vm vm = Vm.create(spec(INTERRUPTED, ClockMode.REAL))) {
      vm.debugger().onStop(stops::add);
      vm.debugger().add(Breakpoint.at(BASE + SPIN));
      resumed(vm);
      vm.debugger().add(Breakpoint.at(BASE + SPIN + 1));

      // then each resume leads to the other place, whatever handlers run on the way
      for (int i = 0; i < 20; i++) {
        resumed(vm);
        assertThat(at(vm)).isEqualTo(i % 2 == 0 ? SPIN + 1 : SPIN);
      }
    }
  }

  @Test
  void aStepOfAHaltedProcessorWaitsAndAPauseEndsIt() {
    // given cli; hlt
    try (Vm vm = Vm.create(spec("fa f4 ebfd", ClockMode.REAL))) {
      vm.debugger().onStop(stops::add);
      stepped(vm);
      stepped(vm);
      assertThat(at(vm)).isEqualTo(2);

      // when it steps on
      vm.debugger().step(0);
      vm.pause();

      // then nothing has come of it
      assertThat(stops).isEmpty();
      assertThat(at(vm)).isEqualTo(2);
      assertThatThrownBy(
              () -> {
                vm.resume();
                vm.debugger().step(0);
              })
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("not paused");
    }
  }

  @Test
  void memoryAndRegistersAreReadAndChanged() {
    try (Vm vm = Vm.create(spec(LOOP, ClockMode.VIRTUAL))) {
      VmDebugger debugger = vm.debugger();
      debugger.onStop(stops::add);
      assertThat(debugger.read(0, BASE, 4)).isEqualTo(HexFormat.of().parseHex("31c08ed8"));
      assertThat(debugger.guestPhysicalAddress(0, BASE)).hasValue(BASE);
      vm.step(100);

      // when the ADD becomes a SUB, and CX something else
      debugger.write(0, BASE + ADD, new byte[] {0x29});
      debugger.add(Breakpoint.at(BASE + ADD));
      resumed(vm);
      debugger.update(0, cpu -> withCx(cpu, 1000));
      stepped(vm);

      // then the guest computes with them
      assertThat(vm.cpuState(0).gpr()[1]).isEqualTo(1000 - count(vm));
      assertThatThrownBy(() -> debugger.read(0, 0x1FFFFC, 8))
          .isInstanceOf(LinearAddressException.class)
          .hasMessageContaining("0x200000");
      assertThatThrownBy(() -> debugger.write(0, 0x1FFFFC, new byte[8]))
          .isInstanceOf(LinearAddressException.class);
      assertThat(vm.memory().readInt(0x1FFFFC)).isZero();
      assertThatThrownBy(() -> debugger.step(1)).isInstanceOf(IllegalArgumentException.class);
    }
  }

  private static CpuState withCx(CpuState cpu, long value) {
    cpu.gpr()[1] = value;
    return cpu;
  }

  @ParameterizedTest
  @EnumSource(ClockMode.class)
  void eachVcpuStopsAndStepsForItself(ClockMode clock) {
    try (Vm vm = Vm.create(spec(TWO, clock, 2))) {
      vm.debugger().onStop(stops::add);
      Breakpoint second = Breakpoint.at(BASE + SECOND);
      vm.debugger().add(second);
      assertThat(resumed(vm)).isEqualTo(new DebugStop.BreakpointHit(1, second));
      assertThat(vm.cpuState(1).rip()).isEqualTo(SECOND);

      // when the second steps, and the first runs meanwhile
      vm.debugger().remove(second);
      long bx = vm.cpuState(1).gpr()[3];
      for (int i = 1; i <= 10; i++) {
        vm.debugger().step(1);
        assertThat(next()).isEqualTo(new DebugStop.Stepped(1));
        vm.pause();
        assertThat(vm.cpuState(1).rip()).isEqualTo(i % 2 == 0 ? SECOND : SECOND + 1);
      }
      assertThat(vm.cpuState(1).gpr()[3]).isEqualTo(bx + 5);

      // then a breakpoint of the first one's code stops that one
      Breakpoint first = Breakpoint.at(BASE + FIRST);
      vm.debugger().add(first);
      assertThat(resumed(vm)).isEqualTo(new DebugStop.BreakpointHit(0, first));
      assertThat(resumed(vm)).isEqualTo(new DebugStop.BreakpointHit(0, first));
    }
  }

  @ParameterizedTest
  @EnumSource(ClockMode.class)
  void othersStandIfTheyAreToldTo(ClockMode clock) {
    try (Vm vm = Vm.create(spec(TWO, clock, 2))) {
      VmDebugger debugger = vm.debugger();
      debugger.onStop(stops::add);
      Breakpoint second = Breakpoint.at(BASE + SECOND);
      debugger.add(second);
      assertThat(resumed(vm)).isEqualTo(new DebugStop.BreakpointHit(1, second));
      debugger.remove(second);

      // when the second steps alone, then the first does nothing
      Breakpoint first = Breakpoint.at(BASE + FIRST);
      debugger.add(first);
      long at = vm.cpuState(0).rip();
      for (int i = 1; i <= 10; i++) {
        debugger.step(1, Set.of());
        assertThat(next()).isEqualTo(new DebugStop.Stepped(1));
        vm.pause();
        assertThat(vm.cpuState(0).rip()).isEqualTo(at);
      }

      // when the first runs alone, then the second does nothing
      CpuState standing = vm.cpuState(1);
      for (int i = 0; i < 3; i++) {
        debugger.resume(Set.of(0));
        assertThat(next()).isEqualTo(new DebugStop.BreakpointHit(0, first));
        vm.pause();
        assertThat(vm.cpuState(1).gpr()).isEqualTo(standing.gpr());
        assertThat(vm.cpuState(1).rip()).isEqualTo(standing.rip());
      }

      // and a resume is for all again
      debugger.remove(first);
      debugger.add(second);
      assertThat(resumed(vm)).isEqualTo(new DebugStop.BreakpointHit(1, second));
      assertThat(resumed(vm)).isEqualTo(new DebugStop.BreakpointHit(1, second));
      assertThatThrownBy(() -> debugger.resume(Set.of()))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> debugger.resume(Set.of(2)))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void aResumeLetsGoThoseThatStandWhileTheOthersSleep() {
    // given a first vCPU that sleeps for ever, and a second one that counts in memory
    String hex = TWO.replace(" ", "");
    String sleeper = hex.substring(0, 2 * FIRST) + "f4ebfd" + "ff060005ebfa";
    try (Vm vm = Vm.create(spec(sleeper, ClockMode.REAL, 2))) {
      vm.resume();
      awaitCountOtherThan(vm, 0);
      vm.pause();
      vm.debugger().resume(Set.of(0));
      while (vcpuThread().getState() != Thread.State.WAITING) {
        Thread.onSpinWait();
      }
      int count = count(vm);
      vm.resume();
      awaitCountOtherThan(vm, count);
    }
  }

  private static void awaitCountOtherThan(Vm vm, int count) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (count(vm) == count) {
      assertThat(System.nanoTime()).as("the second vCPU counts").isLessThan(deadline);
    }
  }

  private static Thread vcpuThread() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().equals("vmm-guest-vcpu-0"))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void theEndIsToldToo() {
    // given a guest that ends in a triple fault: lidt [zeros]; int3
    try (Vm vm = Vm.create(spec("0f011e0005 cc", ClockMode.REAL))) {
      vm.debugger().onStop(stops::add);
      vm.resume();
      assertThat(next()).isInstanceOf(DebugStop.Ended.class);
      vm.awaitExit(Duration.ofMinutes(10));
    }
  }

  @Test
  void aBackendWithoutSupportSaysSo() {
    try (Vm vm =
        new TestMachines((host, vcpu) -> FakeBackend.Outcome.HALT).create(ClockMode.REAL)) {
      assertThatThrownBy(vm::debugger)
          .isInstanceOf(DebuggingUnsupportedException.class)
          .hasMessageContaining("does not support debugging");
    }
  }
}

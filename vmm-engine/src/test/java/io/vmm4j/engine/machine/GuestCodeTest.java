package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.Backends;
import io.vmm4j.api.InvalidSpecException;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.VmState;
import io.vmm4j.api.VmTimeoutException;
import io.vmm4j.api.backend.ActivityState;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.api.device.DeviceConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Real guest code on the software backend, with the devices of a PC. */
@Timeout(1200)
class GuestCodeTest {
  private static final Duration LONG = Duration.ofMinutes(10);

  /**
   * Halts while the PIT runs, by way of the instruction at byte 12.
   *
   * <pre>
   *       mov al, 0x34
   *       out 0x43, al
   *       mov al, 0
   *       out 0x40, al
   *       mov al, 0x10
   *       out 0x40, al
   *       cli              ; or sti
   * stop: hlt
   *       jmp stop
   * </pre>
   */
  private static final String SLEEP = "b034 e643 b000 e640 b010 e640 %s f4 ebfd";

  private static final String CLI = "fa";
  private static final String STI = "fb";

  /**
   * Waits for the power button and switches off.
   *
   * <pre>
   *       mov dx, 0x600       ; PM1a status
   * wait: in ax, dx
   *       test ah, 1          ; PWRBTN_STS
   *       jz wait
   *       mov dx, 0x604       ; PM1a control
   *       mov ax, 0x2000      ; SLP_EN, SLP_TYP 0
   *       out dx, ax
   *       hlt
   * </pre>
   */
  private static final String POWER_BUTTON = "ba0006 ed f6c401 74fa ba0406 b80020 ef f4";

  @TempDir private Path directory;

  private VmSpec.Builder guest(String hex) throws IOException {
    return GuestPrograms.spec(directory, Backends.software(), hex);
  }

  @Test
  void aGuestSaysHelloAndEnds() throws IOException {
    for (ClockMode clock : ClockMode.values()) {
      try (Vm vm = Vm.start(guest(GuestPrograms.HELLO).clock(clock).build())) {
        assertThat(vm.awaitExit(LONG)).isEqualTo(new VmExit.DebugExit(42));
        assertThat(vm.console("com1").transcript()).isEqualTo("hello, world");
      }
    }
  }

  @Test
  void aGuestIsAskedToSwitchItselfOff() throws IOException {
    for (ClockMode clock : ClockMode.values()) {
      try (Vm vm = Vm.start(guest(POWER_BUTTON).clock(clock).build())) {
        assertThat(vm.pressPowerButton()).isTrue();
        assertThat(vm.awaitExit(LONG)).isEqualTo(new VmExit.PoweredOff());
      }
    }
  }

  @Test
  void withoutThePowerManagementThereIsNoPowerButton() throws IOException {
    try (Vm vm = Vm.create(guest(GuestPrograms.HELLO).board("none").build())) {
      assertThat(vm.pressPowerButton()).isFalse();
    }
  }

  @Test
  void inputThatTheGuestHasNotTakenIsCounted() throws IOException {
    try (Vm vm = Vm.create(guest(GuestPrograms.HELLO).build())) {
      vm.console("com1").send("12345");
      assertThat(vm.console("com1").pendingInputBytes()).isEqualTo(5);
    }
  }

  @Test
  void theTimerInterruptsAGuestUnderBothClocks() throws IOException {
    for (ClockMode clock : ClockMode.values()) {
      try (Vm vm = Vm.start(guest(GuestPrograms.TICKS).clock(clock).build())) {
        vm.console("com1").expect("BCDEFGHIJKLMNOPABCDEFG", LONG);
      }
    }
  }

  @Test
  void noRegisterChangesUnseenThroughSnapshots() throws IOException {
    Vm vm = Vm.start(guest(GuestPrograms.REGISTERS).build());
    try {
      for (int i = 0; i < 20; i++) {
        vm.console("com1").expect(Pattern.compile("[A-P]{3}"), LONG);
        try (Snapshot snapshot = vm.snapshot()) {
          vm.close();
          vm = snapshot.resume(Backends.software());
        }
      }
    } finally {
      vm.close();
    }
  }

  @Test
  void aRunThroughASnapshotAtAnyPointEqualsOneWithout() throws IOException {
    VmSpec spec = guest(GuestPrograms.TICKS).clock(ClockMode.VIRTUAL).build();
    RepeatedRun.throughSnapshots(
        spec, 20_000, 487, vm -> assertThat(vm.console("com1").transcript()).startsWith("BCDEF"));
  }

  @Test
  void aStepOfAGuestThatHaltsWithInterruptsDisabledEndsWithoutSkippingTime() throws IOException {
    VmSpec spec = guest(SLEEP.formatted(CLI)).clock(ClockMode.VIRTUAL).build();
    try (Vm vm = Vm.create(spec)) {
      vm.step(1000);
      assertThat(vm.state()).isEqualTo(new VmState.Paused());
      assertThat(vm.metrics().instructions()).isEqualTo(8);
      assertThat(vm.clock().nanoTime()).isEqualTo(8);

      vm.step(1000);
      assertThat(vm.clock().nanoTime()).isEqualTo(8);
    }
  }

  /** The timer's line rises all the time, and no controller lets it through. */
  @Test
  void aStepOfAGuestThatNoInterruptReachesEndsAfterTenMinutes() throws IOException {
    VmSpec spec = guest(SLEEP.formatted(STI)).clock(ClockMode.VIRTUAL).build();
    try (Vm vm = Vm.create(spec)) {
      vm.step(1000);
      assertThat(vm.state()).isEqualTo(new VmState.Paused());
      assertThat(vm.metrics().instructions()).isEqualTo(8);
      assertThat(Duration.ofNanos(vm.clock().nanoTime()))
          .isBetween(Duration.ofMinutes(10), Duration.ofMinutes(11));
    }
  }

  @Test
  void aGuestThatSleepsForGoodRunsUntilItsTimeIsOver() throws IOException {
    for (String instruction : List.of(CLI, STI)) {
      for (ClockMode clock : ClockMode.values()) {
        try (Vm vm = Vm.start(guest(SLEEP.formatted(instruction)).clock(clock).build())) {
          while (vm.cpuState(0).activity() != ActivityState.HALTED) {
            Thread.onSpinWait();
          }
          assertThatThrownBy(() -> vm.awaitExit(Duration.ofMillis(1)))
              .isInstanceOf(VmTimeoutException.class);
          vm.stop();
          assertThat(vm.awaitExit(LONG)).isEqualTo(new VmExit.Stopped());
        }
      }
    }
  }

  @Test
  void allFaultsOfASpecificationAreReportedAtOnce() {
    record Unknown() implements DeviceConfig {
      @Override
      public String deviceType() {
        return "teapot";
      }
    }
    assertThatThrownBy(() ->
            VmSpec.builder("faults")
                .memory(MemorySize.bytes(100))
                .backend(Backends.kvm())
                .clock(ClockMode.VIRTUAL)
                .board("breadboard")
                .boot(LinuxBoot.kernel(Path.of("/no/such/kernel")))
                .device("tea", new Unknown())
                .build())
        .isInstanceOfSatisfying(
            InvalidSpecException.class,
            e ->
                assertThat(e.faults())
                    .extracting(InvalidSpecException.Fault::path)
                    .contains("memory", "clock", "board", "boot/kernel", "devices/tea"))
        .hasMessageContaining("uart16550")
        .hasMessageContaining("pc");
  }
}

package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.Backends;
import io.vmm4j.api.InvalidSpecException;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.VmState;
import io.vmm4j.api.VmTimeoutException;
import io.vmm4j.api.backend.ActivityState;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.devices.debugexit.DebugExitConfig;
import io.vmm4j.devices.uart.UartConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Real guest code on the software backend, with the devices of a PC. */
@Timeout(300)
class GuestCodeTest {
  private static final Duration LONG = Duration.ofSeconds(60);

  /**
   * Writes {@code hello, world} to COM1 and 42 to the debug exit port.
   *
   * <pre>
   *       mov si, msg
   *       mov dx, 0x3F8
   * next: lodsb
   *       test al, al
   *       jz done
   *       out dx, al
   *       jmp next
   * done: mov dx, 0xF4
   *       mov al, 42
   *       out dx, al
   * stop: hlt
   *       jmp stop
   * msg:  db "hello, world", 0
   * </pre>
   */
  private static final String HELLO =
      "be1800 baf803 2eac 84c0 7403 ee ebf7 baf400 b02a ee f4 ebfd"
          + " 68656c6c6f2c20776f726c64 00";

  /** The source is in {@code ticks.s}: the PIT interrupts a loop that halts now and then. */
  private static final String TICKS =
      "fa31c08ed88ed0bc0070c706200049008c0e2200b011e620b008e621b004"
          + "e621b001e621b0fee621b034e643b003e64030c0e640fbb990016601cb66"
          + "c1c30366311e0006e2f2f4ebec505266ff060406a00406240f0441baf803"
          + "eeb020e6205a58cf";

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
   *       mov ax, 0x3400      ; SLP_EN, SLP_TYP 5
   *       out dx, ax
   *       hlt
   * </pre>
   */
  private static final String POWER_BUTTON = "ba0006 ed f6c401 74fa ba0406 b80034 ef f4";

  @TempDir private Path directory;

  private VmSpec.Builder guest(String hex) throws IOException {
    Path image = directory.resolve("guest.bin");
    Files.write(image, HexFormat.of().parseHex(hex.replace(" ", "")));
    return VmSpec.builder("guest")
        .backend(Backends.software())
        .memory(MemorySize.mebibytes(2))
        .boot(new BootSource.FlatRealMode(image, 0x10000))
        .device("com1", UartConfig.DEFAULT)
        .device("exit", DebugExitConfig.DEFAULT)
        .startTime(Instant.EPOCH)
        .randomSeed(1);
  }

  @Test
  void aGuestSaysHelloAndEnds() throws IOException {
    for (ClockMode clock : ClockMode.values()) {
      try (Vm vm = Vm.start(guest(HELLO).clock(clock).build())) {
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
    try (Vm vm = Vm.create(guest(HELLO).board("none").build())) {
      assertThat(vm.pressPowerButton()).isFalse();
    }
  }

  @Test
  void inputThatTheGuestHasNotTakenIsCounted() throws IOException {
    try (Vm vm = Vm.create(guest(HELLO).build())) {
      vm.console("com1").send("12345");
      assertThat(vm.console("com1").pendingInputBytes()).isEqualTo(5);
    }
  }

  @Test
  void theTimerInterruptsAGuestUnderBothClocks() throws IOException {
    for (ClockMode clock : ClockMode.values()) {
      try (Vm vm = Vm.start(guest(TICKS).clock(clock).build())) {
        vm.console("com1").expect("BCDEFGHIJKLMNOPABCDEFG", LONG);
      }
    }
  }

  @Test
  void aRunThroughASnapshotAtAnyPointEqualsOneWithout() throws IOException {
    VmSpec spec = guest(TICKS).clock(ClockMode.VIRTUAL).build();
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

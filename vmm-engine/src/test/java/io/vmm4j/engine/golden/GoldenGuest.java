package io.vmm4j.engine.golden;

import io.vmm4j.api.Backends;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.backend.ActivityState;
import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.devices.bootrom.BootRomConfig;
import io.vmm4j.devices.debugcon.DebugConsoleConfig;
import io.vmm4j.devices.debugexit.DebugExitConfig;
import io.vmm4j.devices.pctestdev.PcTestDeviceConfig;
import io.vmm4j.devices.testwindow.TestWindowConfig;
import io.vmm4j.devices.uart.Uart;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.function.BiPredicate;

/**
 * The machine of the golden snapshots. Its guest, {@code everything.s}, sets something everywhere,
 * sleeps, and looks whether all of it is still there.
 */
final class GoldenGuest {
  /** What it prints when nothing is lost. */
  static final String VERDICT = "golden: ok\n";

  /** What it writes to the debug exit port then. */
  static final int EXIT_CODE = 42;

  private static final long IMAGE = 0x10000;
  private static final long PIT_TICKS = 0xA100;
  private static final int ROM_BYTES = 8192;
  private static final int ROM_MARK = 0x524F4D21;
  private static final long CR0_PAGING = 1L << 31;
  private static final int MOST_STEPS = 100_000;
  private static final long MOST_NANOS = 60_000_000_000L;

  /** A moment at which a golden snapshot is taken. */
  enum Moment {
    REAL_MODE((vm, cpu) -> cpu.rip() > 0x80),
    PROTECTED_MODE((vm, cpu) -> (cpu.cr0() & 1) != 0),
    LONG_MODE((vm, cpu) ->
        (cpu.cr0() & CR0_PAGING) != 0
            && cpu.rip() < IMAGE + 0x1000
            && cpu.gpr()[7] > 0x20100
            && cpu.gpr()[7] < 0x22000),
    MOV_SS_SHADOW((vm, cpu) ->
        cpu.events().shadowMovSs() && (cpu.cr0() & CR0_PAGING) != 0 && cpu.gpr()[15] == -15),
    STI_SHADOW((vm, cpu) -> cpu.events().shadowSti()),
    HALTED((vm, cpu) -> cpu.activity() == ActivityState.HALTED),
    IN_A_HANDLER((vm, cpu) -> (cpu.cr0() & CR0_PAGING) != 0 && vm.memory().readInt(PIT_TICKS) == 1);

    private final BiPredicate<Vm, CpuState> here;

    Moment(BiPredicate<Vm, CpuState> here) {
      this.here = here;
    }
  }

  private GoldenGuest() {}

  /** Takes a new machine in virtual time to a moment. */
  static void runTo(Vm vm, Moment moment) {
    for (int steps = 0; steps < MOST_STEPS; steps++) {
      if (moment.here.test(vm, vm.cpuState(0))) {
        return;
      }
      vm.step(1);
    }
    throw new IllegalStateException("the guest has not come to " + moment);
  }

  /** Takes a new machine in real time to a moment at which its timer has fired, and pauses it. */
  static void runUntilItTicks(Vm vm) {
    long end = System.nanoTime() + MOST_NANOS;
    while (vm.memory().readInt(PIT_TICKS) == 0) {
      if (System.nanoTime() - end > 0) {
        throw new IllegalStateException("the guest's timer has not fired");
      }
      vm.resume();
      Thread.onSpinWait();
      vm.pause();
    }
  }

  /**
   * The machine, with the devices of a PC and the others that are built in.
   *
   * @param testDevice whether pc-testdev is among them, whose state is large
   */
  static VmSpec spec(Path directory, ClockMode clock, boolean testDevice) throws IOException {
    Path image = directory.resolve("everything.bin");
    Files.write(image, program());
    VmSpec.Builder spec =
        VmSpec.builder("golden")
            .backend(Backends.software())
            .memory(MemorySize.mebibytes(2))
            .boot(new BootSource.FlatRealMode(image, (int) IMAGE))
            .clock(clock)
            .device("com1", Uart.com1())
            .device("exit", DebugExitConfig.DEFAULT)
            .device("debug", DebugConsoleConfig.DEFAULT)
            .device("rom", new BootRomConfig(rom(directory).toString()))
            .device("window", TestWindowConfig.DEFAULT)
            .startTime(Instant.parse("2026-01-02T03:04:05Z"))
            .randomSeed(1);
    return (testDevice ? spec.device("testdev", new PcTestDeviceConfig()) : spec).build();
  }

  private static byte[] program() throws IOException {
    try (InputStream in = GoldenGuest.class.getResourceAsStream("everything.hex")) {
      if (in == null) {
        throw new IllegalStateException("everything.hex is not there");
      }
      String hex = new String(in.readAllBytes(), StandardCharsets.US_ASCII);
      return HexFormat.of().parseHex(hex.replace("\n", ""));
    }
  }

  private static Path rom(Path directory) throws IOException {
    byte[] rom = new byte[ROM_BYTES];
    Arrays.fill(rom, (byte) 0xF4);
    for (int i = 0; i < 4; i++) {
      rom[ROM_BYTES - 16 + i] = (byte) (ROM_MARK >> 8 * i);
    }
    return Files.write(directory.resolve("rom.bin"), rom);
  }
}

package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.Backends;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.VmState;
import io.vmm4j.api.backend.ActivityState;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.devices.debugexit.DebugExitConfig;
import io.vmm4j.devices.uart.UartConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Guests that start four vCPUs, on the software backend. */
@Timeout(300)
class SeveralVcpusTest {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final int CPUS = 4;

  /**
   * The source is in {@code ring.s}: a token goes round by IPIs, its holder writes its letter, the
   * next one executes what the holder has written into the code. Other IPIs of each kind now and
   * then, and a timer for each. Two of the vCPUs never halt.
   */
  private static final String RING =
      "fa31c08ed88ed066b91b0000000f326625000100006689c6660d000808000f30"
          + "b800808ee064668b1e200066c1eb1889d9c1e109bc007001cc6466c706f000ff"
          + "01000088d966b80000000166d3e06466a3d0006466c706e0030b0000006466c7"
          + "062003440002006689d86669c0e80300006605611e00006466a380036685f674"
          + "37b90500bf0001be20022e8b0489058c4d0283c60283c704e2f0c70608001502"
          + "8c0e0a006466c706000300450c006466c706000310460c0066f0ff0600066685"
          + "db751ef39066833e00060475f66466c7061003000000016466c7060003404000"
          + "00fb80fb027303f4ebf76689d866f00fc106600666c1c0036631066406f390eb"
          + "e96660e8d2003a0604060f85c50066b80100000066f00fc106040666406689c7"
          + "6631d8660306080666c1c00566a308062e893ed9012ec606da019088d80441ba"
          + "f803ee6689d966416683e10366c1e11866f7c703000000750a6466c706000343"
          + "40040066f7c70700000075146466c70610030000000d6466c706000341480000"
          + "66f7c70f00000075106466890e10036466c70600030044000066f7c71f000000"
          + "75146466c70610030000000f6466c7060003424900006466c706b00000000000"
          + "6466890e10036466c7060003404000006661cfb001e6f4f4b00090c36766f0ff"
          + "049d10060000eb226766f0ff049d30060000eb166766f0ff049d40060000eb0a"
          + "6766f0ff049d500600006466c706b00000000000cf6766f0ff049d20060000cf"
          + "0101dc01e801f4010002";

  private static final int UP = 0x600;
  private static final int TOKENS = 0x604;
  private static final int LOGICAL = 0x610;
  private static final int NMIS = 0x620;
  private static final int LOWEST_PRIORITY = 0x630;
  private static final int TO_SELF = 0x640;
  private static final int TIMER = 0x650;

  /**
   * Starts vCPU 1, which has a triple fault.
   *
   * <pre>
   *       mov ecx, 0x1B       ; IA32_APIC_BASE
   *       rdmsr
   *       test ah, 1          ; the bootstrap processor's
   *       jz ap
   *       or ah, 0x0C         ; x2APIC
   *       wrmsr
   *       mov ecx, 0x830      ; interrupt command
   *       mov edx, 1
   *       mov eax, 0x4500     ; INIT
   *       wrmsr
   *       mov eax, 0x4610     ; start-up at page 0x10
   *       wrmsr
   * stop: hlt
   *       jmp stop
   * ap:   lidt [cs:none]
   *       int3
   * none: dd 0, 0
   * </pre>
   */
  private static final String TRIPLE_FAULT =
      "66b91b0000000f32f6c401742480cc0c0f3066b93008000066ba0100000066b8004500000f3066b8104600000f30f4ebfd2e660f011e3900cc000000000000";

  /** Halts for good: {@code cli; hlt}. */
  private static final String HALT = "fa f4";

  @TempDir private Path directory;

  private VmSpec.Builder guest(String hex) throws IOException {
    Path image = directory.resolve("guest.bin");
    Files.write(image, HexFormat.of().parseHex(hex.replace(" ", "")));
    return VmSpec.builder("guest")
        .backend(Backends.software())
        .memory(MemorySize.mebibytes(2))
        .cpus(CPUS)
        .boot(new BootSource.FlatRealMode(image, 0x10000))
        .device("com1", UartConfig.DEFAULT)
        .device("exit", DebugExitConfig.DEFAULT)
        .startTime(Instant.EPOCH)
        .randomSeed(1);
  }

  private static int number(Vm vm, int address) {
    return vm.memory().readInt(address);
  }

  private static List<Integer> numbers(Vm vm, int address) {
    return IntStream.range(0, CPUS).mapToObj(i -> number(vm, address + 4 * i)).toList();
  }

  private static int sum(List<Integer> numbers) {
    return numbers.stream().mapToInt(Integer::intValue).sum();
  }

  @Test
  void fourVcpusExchangeInterruptsOfEveryKindUnderBothClocks() throws IOException {
    for (ClockMode clock : ClockMode.values()) {
      try (Vm vm = Vm.start(guest(RING).clock(clock).build())) {
        vm.console("com1").expect("BCDA".repeat(80), LONG);
        vm.pause();

        assertThat(number(vm, UP)).isEqualTo(CPUS);
        int tokens = number(vm, TOKENS);
        assertThat(tokens).isGreaterThanOrEqualTo(320);
        // What was sent last may still be under way.
        assertThat(numbers(vm, LOGICAL).get(1)).isZero();
        assertThat(sum(numbers(vm, LOGICAL))).isBetween((tokens / 8 - 1) * 3, tokens / 8 * 3);
        assertThat(sum(numbers(vm, NMIS))).isBetween(tokens / 16 - 1, tokens / 16);
        assertThat(sum(numbers(vm, LOWEST_PRIORITY))).isBetween(tokens / 32 - 1, tokens / 32);
        assertThat(sum(numbers(vm, TO_SELF))).isBetween(tokens / 4 - 1, tokens / 4);
        assertThat(numbers(vm, TIMER)).allMatch(count -> count > 0);
        assertThat(vm.cpuState(2).activity()).isEqualTo(ActivityState.RUNNING);
        assertThat(vm.cpuState(3).apic().id()).isEqualTo(3);
        assertThatThrownBy(() -> vm.cpuState(CPUS)).isInstanceOf(IllegalArgumentException.class);
      }
    }
  }

  @Test
  void aRunThroughASnapshotAtAnyPointEqualsOneWithout() throws IOException {
    VmSpec spec = guest(RING).clock(ClockMode.VIRTUAL).build();
    RepeatedRun.throughSnapshots(
        spec,
        400_000,
        9_871,
        vm -> {
          assertThat(vm.console("com1").transcript()).startsWith("BCDABCDA");
          assertThat(vm.metrics().instructions()).isEqualTo(400_000);
        });
  }

  /** Instruction by instruction where turns end and the first IPIs fly. */
  @Test
  void aRunInManyStepsEqualsOneInFew() throws IOException {
    VmSpec spec = guest(RING).clock(ClockMode.VIRTUAL).build();
    try (Vm few = Vm.create(spec);
        Vm many = Vm.create(spec)) {
      for (int part = 0; part < 8; part++) {
        few.step(12_000);
        many.step(9_500);
        for (int i = 0; i < 2_500; i++) {
          many.step(1);
        }
        assertThat(RepeatedRun.contents(many))
            .as("after part %d", part)
            .isEqualTo(RepeatedRun.contents(few));
      }
    }
  }

  @Test
  void aRestoreInPlaceTakesAllVcpusBack() throws IOException {
    VmSpec spec = guest(RING).clock(ClockMode.VIRTUAL).build();
    try (Vm vm = Vm.create(spec)) {
      vm.step(123_457);
      try (Snapshot then = vm.snapshot()) {
        vm.step(77_777);
        List<Object> later = RepeatedRun.contents(vm);
        vm.restore(then);
        vm.step(77_777);
        assertThat(RepeatedRun.contents(vm)).isEqualTo(later);
      }
    }
  }

  @Test
  void aMachineThatIsPausedAgainAndAgainGoesOn() throws IOException {
    for (ClockMode clock : ClockMode.values()) {
      try (Vm vm = Vm.start(guest(RING).clock(clock).build())) {
        for (int i = 0; i < 2_000; i++) {
          vm.pause();
          assertThat(vm.state()).isEqualTo(new VmState.Paused());
          vm.resume();
        }
        vm.console("com1").expect("BCDA".repeat(20), LONG);
      }
    }
  }

  @Test
  void vcpusThatNobodyStartsCostNothing() throws IOException {
    VmSpec spec = guest(HALT).clock(ClockMode.VIRTUAL).build();
    try (Vm vm = Vm.create(spec)) {
      vm.step(1000);

      assertThat(vm.metrics().instructions()).isEqualTo(2);
      assertThat(vm.cpuState(0).activity()).isEqualTo(ActivityState.HALTED);
      for (int i = 1; i < CPUS; i++) {
        assertThat(vm.cpuState(i).activity()).isEqualTo(ActivityState.WAIT_FOR_STARTUP);
      }
    }
  }

  @Test
  void aTripleFaultNamesItsVcpuAndTellsTheRegistersOfAll() throws IOException {
    try (Vm vm = Vm.start(guest(TRIPLE_FAULT).build())) {
      assertThat(vm.awaitExit(LONG))
          .isInstanceOfSatisfying(
              VmExit.Crashed.class,
              crash -> {
                assertThat(crash.reason()).isEqualTo("triple fault of vcpu/1");
                assertThat(crash.detail())
                    .contains("vcpu/0: halted", "vcpu/1: shutdown", "vcpu/3: wait_for_startup");
              });
    }
  }
}

package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.Backends;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.VmState;
import io.vmm4j.api.backend.ActivityState;
import io.vmm4j.api.clock.ClockMode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Guests that start four vCPUs, on the software backend. */
@Timeout(1200)
class SeveralVcpusTest {
  private static final Duration LONG = Duration.ofMinutes(10);
  private static final int CPUS = 4;

  private static final int UP = 0x600;
  private static final int TOKENS = 0x604;
  private static final int LOGICAL = 0x610;
  private static final int NMIS = 0x620;
  private static final int LOWEST_PRIORITY = 0x630;
  private static final int TO_SELF = 0x640;
  private static final int TIMER = 0x650;

  /** Halts for good: {@code cli; hlt}. */
  private static final String HALT = "fa f4";

  @TempDir private Path directory;

  private VmSpec.Builder guest(String hex) throws IOException {
    return GuestPrograms.spec(directory, Backends.software(), hex).cpus(CPUS);
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
      try (Vm vm = Vm.start(guest(GuestPrograms.RING).clock(clock).build())) {
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
    VmSpec spec = guest(GuestPrograms.RING).clock(ClockMode.VIRTUAL).build();
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
    VmSpec spec = guest(GuestPrograms.RING).clock(ClockMode.VIRTUAL).build();
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
    VmSpec spec = guest(GuestPrograms.RING).clock(ClockMode.VIRTUAL).build();
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
      try (Vm vm = Vm.start(guest(GuestPrograms.RING).clock(clock).build())) {
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
    try (Vm vm = Vm.start(guest(GuestPrograms.TRIPLE_FAULT).build())) {
      assertThat(vm.awaitExit(LONG))
          .isInstanceOfSatisfying(
              VmExit.Reset.class,
              reset -> {
                assertThat(reset.cause()).isEqualTo(VmExit.Reset.Cause.TRIPLE_FAULT);
                assertThat(reset.detail())
                    .startsWith("triple fault of vcpu/1")
                    .containsPattern("vcpu/0: (halted|running)") // not there yet, if in parallel
                    .contains("vcpu/1: shutdown", "vcpu/3: wait_for_startup");
              });
    }
  }
}

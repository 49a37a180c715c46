package io.vmm4j.engine.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Backends;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.VmState;
import io.vmm4j.api.backend.ActivityState;
import io.vmm4j.engine.machine.GuestPrograms;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Real guest code on KVM, with the devices of a PC. */
@Timeout(1200)
class KvmGuestTest {
  private static final Duration LONG = Duration.ofMinutes(10);
  private static final int CPUS = 4;

  @TempDir private Path directory;

  @BeforeEach
  void kvmIsThere() {
    Kvm.required();
  }

  private VmSpec.Builder guest(String hex) throws IOException {
    return GuestPrograms.spec(directory, Backends.kvm(), hex);
  }

  @Test
  void aGuestSaysHelloAndEnds() throws IOException {
    try (Vm vm = Vm.start(guest(GuestPrograms.HELLO).build())) {
      assertThat(vm.awaitExit(LONG)).isEqualTo(new VmExit.DebugExit(42));
      assertThat(vm.console("com1").transcript()).isEqualTo("hello, world");
      assertThat(vm.backend().name()).isEqualTo("kvm");
    }
  }

  @Test
  void theTimerInterruptsThroughTheOldControllers() throws IOException {
    try (Vm vm = Vm.start(guest(GuestPrograms.TICKS).build())) {
      vm.console("com1").expect("BCDEFGHIJKLMNOPABCDEFG", LONG);
    }
  }

  @Test
  void fourVcpusExchangeInterruptsOfEveryKind() throws IOException {
    try (Vm vm = Vm.start(guest(GuestPrograms.RING_WITH_SLOW_TIMERS).cpus(CPUS).build())) {
      vm.console("com1").expect("BCDA".repeat(80), LONG);
      vm.pause();
      assertThat(vm.cpuState(2).activity()).isEqualTo(ActivityState.RUNNING);
      assertThat(vm.cpuState(3).apic().id()).isEqualTo(3);
    }
  }

  @Test
  void aTripleFaultNamesItsVcpuAndTellsTheRegistersOfAll() throws IOException {
    try (Vm vm = Vm.start(guest(GuestPrograms.TRIPLE_FAULT).cpus(CPUS).build())) {
      assertThat(vm.awaitExit(LONG))
          .isInstanceOfSatisfying(
              VmExit.Reset.class,
              reset -> {
                assertThat(reset.cause()).isEqualTo(VmExit.Reset.Cause.TRIPLE_FAULT);
                assertThat(reset.detail())
                    .startsWith("triple fault of vcpu/1")
                    .contains("vcpu/0: ", "vcpu/1: shutdown", "vcpu/3: wait_for_startup");
              });
    }
  }

  @Test
  void aMachineThatIsPausedTenThousandTimesGoesOn() throws IOException {
    try (Vm vm = Vm.start(guest(GuestPrograms.TICKS).build())) {
      for (int i = 0; i < 10_000; i++) {
        vm.pause();
        assertThat(vm.state()).isEqualTo(new VmState.Paused());
        vm.resume();
      }
      String letters = "ABCDEFGHIJKLMNOP";
      int seen = vm.console("com1").transcript().length() / letters.length();
      for (int i = 0; i < seen + 2; i++) { // the last of them is printed after the pauses
        vm.console("com1").expect(letters, LONG);
      }
    }
  }

  @Test
  void fourVcpusThatArePausedAgainAndAgainGoOn() throws IOException {
    try (Vm vm = Vm.start(guest(GuestPrograms.RING_WITH_SLOW_TIMERS).cpus(CPUS).build())) {
      for (int i = 0; i < 500; i++) {
        vm.pause();
        vm.resume();
      }
      vm.console("com1").expect("BCDA".repeat(20), LONG);
    }
  }

  @Test
  void nothingIsLeftOfMachinesThatWereClosed() throws IOException {
    try (Vm vm = Vm.start(guest(GuestPrograms.TICKS).build())) {
      vm.console("com1").expect("BCD", LONG); // all that is made once is made now
    }
    List<String> before = held();
    for (int i = 0; i < 20; i++) {
      try (Vm vm = Vm.start(guest(GuestPrograms.RING_WITH_SLOW_TIMERS).cpus(CPUS).build())) {
        vm.console("com1").expect("BC", LONG);
      }
    }
    assertThat(held()).isEqualTo(before);
  }

  /** Descriptors and mappings of KVM, and threads of machines. */
  private static List<String> held() throws IOException {
    long descriptors = 0;
    try (var entries = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
      for (Path entry : entries) {
        String target = Files.isSymbolicLink(entry) ? Files.readSymbolicLink(entry).toString() : "";
        if (target.contains("kvm") || target.contains("eventfd") || target.contains("vmm4j-")) {
          descriptors++;
        }
      }
    }
    long mappings;
    try (var lines = Files.lines(Path.of("/proc/self/maps"))) {
      mappings = lines.filter(line -> line.contains("kvm") || line.contains("vmm4j-")).count();
    }
    long threads =
        Thread.getAllStackTraces().keySet().stream()
            .filter(thread -> thread.getName().startsWith("vmm-guest"))
            .count();
    return List.of(descriptors + " descriptors", mappings + " mappings", threads + " threads");
  }

  /** The output goes on in its order, and no register has changed, wherever it is moved. */
  @Test
  void aGuestMovesBetweenTheBackendsAgainAndAgain() throws IOException {
    String letters = "ABCDEFGHIJKLMNOP";
    moveToAndFro(GuestPrograms.REGISTERS, 1, letters, 40);
    moveToAndFro(GuestPrograms.TICKS, 1, letters.substring(1) + "A", 20);
    moveToAndFro(GuestPrograms.RING_WITH_SLOW_TIMERS, CPUS, "BCDA", 20);
  }

  private void moveToAndFro(String program, int cpus, String period, int moves) throws IOException {
    String output = "";
    Vm vm = Vm.start(guest(program).cpus(cpus).build());
    try {
      for (int move = 0; move < moves; move++) {
        vm.console("com1").expect(Pattern.compile("[A-P]{2}"), LONG);
        vm.pause(); // or it would print on behind the snapshot
        try (Snapshot snapshot = vm.snapshot()) {
          output = vm.console("com1").transcript(); // from its first byte on, whoever ran it
          vm.close();
          vm = snapshot.resume(move % 2 == 0 ? Backends.software() : Backends.kvm());
        }
      }
    } finally {
      vm.close();
    }
    assertThat(output).hasSizeGreaterThanOrEqualTo(2 * moves);
    assertThat(period.repeat(output.length() / period.length() + 1)).startsWith(output);
  }
}

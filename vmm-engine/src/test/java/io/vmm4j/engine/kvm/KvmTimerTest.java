package io.vmm4j.engine.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.BackendChoice;
import io.vmm4j.api.Backends;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.engine.machine.GuestPrograms;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Local APIC timers that come to zero while the machine is being stopped. */
@Timeout(1200)
class KvmTimerTest {
  private static final Duration LONG = Duration.ofMinutes(10);
  private static final Pattern LETTER = Pattern.compile("[A-P]");

  @TempDir private Path directory;

  @BeforeEach
  void kvmIsThere() {
    Kvm.required();
  }

  /** A tick that is lost is waited for in vain, one too many ends the machine. */
  @Test
  void aOneShotTimerTicksOnceWhereverTheMachineIsSaved() throws IOException {
    move(GuestPrograms.ONE_SHOTS, List.of(Backends.kvm()), 150);
  }

  @Test
  void aOneShotTimerTicksOnceOnTheWayBetweenTheBackends() throws IOException {
    move(GuestPrograms.ONE_SHOTS, List.of(Backends.software(), Backends.kvm()), 60);
  }

  /** Saved while it stands at zero, it would stay there. */
  @Test
  void aPeriodicTimerGoesOnWhereverTheMachineIsSaved() throws IOException {
    move(GuestPrograms.PERIODS, List.of(Backends.kvm()), 150);
  }

  @Test
  void aPeriodicTimerGoesOnOnTheWayBetweenTheBackends() throws IOException {
    move(GuestPrograms.PERIODS, List.of(Backends.software(), Backends.kvm()), 60);
  }

  private void move(String program, List<BackendChoice> backends, int moves) throws IOException {
    Vm vm = Vm.start(GuestPrograms.spec(directory, Backends.kvm(), program).build());
    try {
      for (int move = 0; move < moves; move++) {
        vm.console("com1").expect(LETTER, LONG);
        try (Snapshot snapshot = vm.snapshot()) {
          vm.close();
          vm = snapshot.resume(backends.get(move % backends.size()));
        }
      }
      vm.console("com1").expect("ABCDEFGH", LONG);
    } finally {
      vm.close();
    }
  }

  @Test
  void pausesLoseNoTick() throws IOException {
    try (Vm vm =
        Vm.start(GuestPrograms.spec(directory, Backends.kvm(), GuestPrograms.ONE_SHOTS).build())) {
      for (int i = 0; i < 1000; i++) {
        vm.pause();
        vm.resume();
      }
      vm.console("com1").expect("ABCDEFGH", LONG);
      assertThat(vm.backend().name()).isEqualTo("kvm");
    }
  }
}

package io.vmm4j.engine.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Backends;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmState;
import io.vmm4j.api.VmStoppedException;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.engine.DoorbellGuest;
import io.vmm4j.engine.ExtraDevice;
import io.vmm4j.engine.SharedBell;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Doorbells and interrupt signals past the machine: ioeventfd and irqfd. */
@Timeout(1200)
class KvmDoorbellTest {
  private static final int ROUNDS = 50;

  @TempDir private Path directory;

  @BeforeEach
  void kvmIsThere() {
    Kvm.required();
  }

  private Vm create(int rounds, boolean ownThread) throws IOException {
    return DoorbellGuest.create(directory, Backends.kvm(), ClockMode.REAL, rounds, ownThread);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void everyRingIsAnsweredAndNoOtherStoreRings(boolean ownThread) throws IOException {
    try (Vm vm = create(ROUNDS, ownThread)) {
      ExtraDevice.finish(vm);
      if (!ownThread) { // which may be about to raise the last
        assertThat(vm.metrics().counters()).containsEntry("interruptMessages", 3L * ROUNDS);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void withoutRoomInTheKernelTheMachineDoesAll(boolean ownThread) throws IOException {
    try (Vm kvm = DoorbellGuest.createWithSpares(directory, Backends.kvm(), ROUNDS, ownThread);
        Vm software =
            DoorbellGuest.createWithSpares(directory, Backends.software(), ROUNDS, ownThread)) {
      ExtraDevice.finish(kvm);
      ExtraDevice.finish(software);
      assertThat(portAccesses(kvm)).isEqualTo(portAccesses(software)); // the rings are among them
    }
  }

  /** Of what the guest does at ports, the ring in each round is all that does not leave it. */
  @Test
  void aRingIsNoExit() throws IOException {
    try (Vm kvm = create(ROUNDS, false);
        Vm software =
            DoorbellGuest.create(directory, Backends.software(), ClockMode.REAL, ROUNDS, false)) {
      ExtraDevice.finish(kvm);
      ExtraDevice.finish(software);
      assertThat(portAccesses(software) - portAccesses(kvm)).isEqualTo(ROUNDS);
    }
  }

  private static long portAccesses(Vm vm) {
    return vm.metrics().counters().get("portExits");
  }

  /** The last move is to the software backend, which is done sooner. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void ringsAndSignalsOutliveMovesBetweenTheBackends(boolean ownThread) throws IOException {
    ExtraDevice.move(create(5_000, ownThread), List.of(Backends.software(), Backends.kvm()), 11);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void ringsAndSignalsOutlivePauses(boolean ownThread) throws IOException {
    try (Vm vm = create(300, ownThread)) {
      vm.resume();
      for (int i = 0; i < 100; i++) {
        try {
          vm.pause();
          vm.resume();
        } catch (VmStoppedException e) {
          break;
        }
      }
      ExtraDevice.awaitEnd(vm);
    }
  }

  @Test
  void severalProcessorsRingADoorbellWhileItIsReplaced() throws IOException {
    try (Vm vm = SharedBell.machine(directory, Backends.kvm(), 200)) {
      ExtraDevice.finish(vm);
    }
  }

  @Test
  void itOutlivesMoves() throws IOException {
    ExtraDevice.move(
        SharedBell.machine(directory, Backends.kvm(), 2_000),
        List.of(Backends.software(), Backends.kvm()),
        21);
  }

  /** Nothing waits for ever, and nothing is rung that is closed. */
  @Test
  void machinesCanBeClosedWhileTheirProcessorsRing() throws IOException {
    List<String> before = held();
    for (int i = 0; i < 20; i++) {
      try (Vm vm = SharedBell.machine(directory, Backends.kvm(), 1 << 30)) {
        vm.resume();
        while (portAccesses(vm) < 100) { // one for each ring
          assertThat(vm.state()).isEqualTo(new VmState.Running());
          Thread.onSpinWait();
        }
      }
    }
    assertThat(held()).isEqualTo(before);
  }

  @Test
  void nothingIsLeft() throws IOException {
    try (Vm vm = create(ROUNDS, true)) {
      ExtraDevice.finish(vm); // all that is made once is made now
    }
    List<String> before = held();
    for (int i = 0; i < 10; i++) {
      try (Vm vm = create(i == 0 ? ROUNDS : 1 << 30, true)) {
        vm.resume();
        if (i == 0) {
          ExtraDevice.awaitEnd(vm);
        }
        assertThat(held()).isNotEqualTo(before);
      }
    }
    assertThat(held()).isEqualTo(before);
  }

  /** Eventfds, epolls, and threads of machines. */
  private static List<String> held() throws IOException {
    long descriptors = 0;
    try (var entries = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
      for (Path entry : entries) {
        String target = Files.isSymbolicLink(entry) ? Files.readSymbolicLink(entry).toString() : "";
        if (target.contains("eventfd") || target.contains("eventpoll")) {
          descriptors++;
        }
      }
    }
    long threads =
        Thread.getAllStackTraces().keySet().stream()
            .filter(thread -> thread.getName().startsWith("vmm-guest"))
            .count();
    return List.of(descriptors + " descriptors", threads + " threads");
  }
}

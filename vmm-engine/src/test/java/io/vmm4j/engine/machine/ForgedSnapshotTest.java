package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.ResumeOptions;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.engine.machine.FakeBackend.Outcome;
import io.vmm4j.snapshot.ClockState;
import io.vmm4j.snapshot.ConsoleState;
import io.vmm4j.snapshot.Leftovers;
import io.vmm4j.snapshot.MachineDescription;
import io.vmm4j.snapshot.MachineSchemas;
import io.vmm4j.snapshot.StateChunk;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Files whose every checksum is right, and which no machine can have written. */
@Timeout(1200)
class ForgedSnapshotTest {
  private static final ResumeOptions STANDING = ResumeOptions.standard().standing();

  private final TestMachines machines = new TestMachines((host, vcpu) -> Outcome.NEXT);

  private Snapshot forged(
      Snapshot taken,
      UnaryOperator<MachineDescription> machine,
      UnaryOperator<List<StateChunk>> states) {
    MachineSnapshot ours = (MachineSnapshot) taken;
    MachineImage image = ours.image();
    ours.memory().retain();
    return new MachineSnapshot(
        machines.factory,
        taken.id(),
        ours.taken(),
        new MachineImage(
            machine.apply(image.description()), states.apply(image.states()), image.mappings()),
        Optional.empty(),
        Leftovers.none(),
        ours.memory());
  }

  private static MachineDescription description(
      MachineDescription d, String name, List<MachineDescription.Device> devices) {
    return new MachineDescription(
        name,
        d.memoryBytes(),
        d.cpus(),
        d.board(),
        devices,
        d.clock(),
        d.tscFrequencyHz(),
        d.startTime(),
        d.cpuid(),
        d.randomSeed(),
        d.consoleLimitBytes(),
        d.backend(),
        d.regions(),
        d.memoryMap());
  }

  private static UnaryOperator<MachineDescription> named(String name) {
    return d -> description(d, name, d.devices());
  }

  private static UnaryOperator<MachineDescription> withAnother(String path) {
    return d -> {
      List<MachineDescription.Device> devices = new ArrayList<>(d.devices());
      MachineDescription.Device first = devices.getFirst();
      devices.add(
          new MachineDescription.Device(path, first.type(), first.configVersion(), first.config()));
      return description(d, d.name(), devices);
    };
  }

  private static UnaryOperator<List<StateChunk>> with(StateChunk state) {
    return states -> {
      List<StateChunk> changed = new ArrayList<>(states);
      changed.removeIf(old -> old.path().equals(state.path()));
      changed.add(state);
      return changed;
    };
  }

  private static StateChunk clock(long nanoTime) {
    return StateChunk.of(
        MachineImage.CLOCK, MachineImage.CLOCK, ClockState.SCHEMA, new ClockState(nanoTime));
  }

  private static StateChunk waiting(int bytes) {
    return StateChunk.of(
        MachineSchemas.CONSOLE_TYPE,
        MachineSchemas.consolePath("test"),
        ConsoleState.SCHEMA,
        new ConsoleState(0, 0, new byte[0], new byte[bytes]));
  }

  @Test
  void aNameThatNoMachineMayHaveIsRefused() throws IOException {
    try (Vm vm = machines.create(ClockMode.VIRTUAL);
        Snapshot taken = vm.snapshot()) {
      for (String name : List.of("", " ", "two\nlines", "\u001b[31m", "n".repeat(1 << 20))) {
        try (Snapshot forged = forged(taken, named(name), UnaryOperator.identity())) {
          assertThatThrownBy(() -> forged.resume(STANDING))
              .isInstanceOf(SnapshotException.Incompatible.class)
              .hasMessageContaining("the machine's name")
              .hasMessageNotContaining("\u001b");
        }
      }
    }
  }

  @Test
  void aDeviceThatCanNotBeThereIsRefused() throws IOException {
    HostResources before = HostResources.now();
    try (Vm vm = machines.create(ClockMode.VIRTUAL);
        Snapshot taken = vm.snapshot();
        Snapshot colliding = forged(taken, withAnother("second"), UnaryOperator.identity());
        Snapshot noPath = forged(taken, withAnother("No Path"), UnaryOperator.identity())) {
      assertThatThrownBy(() -> colliding.resume(STANDING))
          .isInstanceOf(SnapshotException.Incompatible.class)
          .hasMessageContainingAll("second: ", "taken by 'test'");
      assertThatThrownBy(() -> noPath.resume(STANDING))
          .isInstanceOf(SnapshotException.Incompatible.class)
          .hasMessageContaining("device 'No Path': a path has lower-case letters");
    }
    assertThat(HostResources.now()).isEqualTo(before);
  }

  @Test
  void aClockThatIsAboutToOverflowIsRefused() throws IOException {
    long year = 366L * 24 * 3600 * 1_000_000_000;
    try (Vm vm = machines.create(ClockMode.VIRTUAL);
        Snapshot taken = vm.snapshot()) {
      for (long nanos : new long[] {Long.MAX_VALUE, Long.MAX_VALUE - 8 * year}) {
        try (Snapshot forged = forged(taken, UnaryOperator.identity(), with(clock(nanos)))) {
          assertThatThrownBy(() -> forged.resume(STANDING))
              .isInstanceOf(SnapshotException.Incompatible.class)
              .hasMessageContaining("the clock at " + nanos + " ns: ");
          assertThatThrownBy(() -> vm.restore(forged))
              .isInstanceOf(SnapshotException.Incompatible.class);
        }
      }
      long late = Long.MAX_VALUE - 10 * year;
      try (Snapshot forged = forged(taken, UnaryOperator.identity(), with(clock(late)));
          Vm later = forged.resume(STANDING)) {
        later.step(1000);
        later.snapshot().close();
      }
    }
  }

  @Test
  void moreInputThanMayWaitIsRefused() throws IOException {
    try (Vm vm = machines.create(ClockMode.VIRTUAL);
        Snapshot taken = vm.snapshot();
        Snapshot most = forged(taken, UnaryOperator.identity(), with(waiting(256 << 10)));
        Snapshot more = forged(taken, UnaryOperator.identity(), with(waiting((256 << 10) + 1)))) {
      try (Vm full = most.resume(STANDING)) {
        assertThat(full.console("test").pendingInputBytes()).isEqualTo(256 << 10);
      }
      assertThatThrownBy(() -> more.resume(STANDING))
          .isInstanceOf(SnapshotException.Corrupt.class)
          .hasMessageContaining(
              "'console/test': 262145 bytes of waiting input are more than 262144");
      assertThatThrownBy(() -> vm.restore(more)).isInstanceOf(SnapshotException.Corrupt.class);
    }
  }

  @Test
  void forksOfAMachineWithTheLongestNameHaveNames() {
    String longest = "n".repeat(VmSpec.MAX_NAME_CHARACTERS - 2) + "\ud83d\ude00";
    try (Vm vm = machines.create(ClockMode.VIRTUAL);
        Snapshot taken = vm.snapshot();
        Snapshot forged = forged(taken, named(longest), UnaryOperator.identity())) {
      List<Vm> forks = forged.fork(2);
      forks.forEach(Vm::close);

      String cut = "n".repeat(VmSpec.MAX_NAME_CHARACTERS - 2);
      assertThat(forks)
          .extracting(fork -> fork.spec().name())
          .containsExactly(cut + "-1", cut + "-2");
    }
  }
}

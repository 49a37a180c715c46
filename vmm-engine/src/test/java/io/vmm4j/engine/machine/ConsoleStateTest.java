package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.Console;
import io.vmm4j.api.ConsoleExpectationException;
import io.vmm4j.api.ResumeOptions;
import io.vmm4j.api.SaveOptions;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.SnapshotResolver;
import io.vmm4j.api.Vm;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.engine.machine.FakeBackend.Outcome;
import io.vmm4j.snapshot.Leftovers;
import io.vmm4j.snapshot.MachineSchemas;
import io.vmm4j.snapshot.StateChunk;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A console is part of its machine's state: what was printed, what was read, what waits. */
@Timeout(1200)
class ConsoleStateTest {
  private static final Duration NOW = Duration.ZERO;

  /** Takes a byte at each step and prints it. */
  private static final FakeBackend.Script ECHO =
      (host, vcpu) -> {
        int next = host.readPort(TestDevice.PORT + TestDevice.CONSOLE, 4);
        if (next >= 0) {
          host.writePort(TestDevice.PORT + TestDevice.CONSOLE, 4, next);
        }
        return Outcome.NEXT;
      };

  @TempDir private Path directory;

  private final TestMachines machines = new TestMachines(ECHO);

  private static Console console(Vm vm) {
    return vm.console("test");
  }

  private static Vm standing(Snapshot snapshot) {
    return snapshot.resume(ResumeOptions.standard().standing());
  }

  private Snapshot throughAStream(Snapshot snapshot) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    snapshot.writeTo(out);
    return machines.factory.read(
        new ByteArrayInputStream(out.toByteArray()),
        SnapshotLimits.standard(),
        SnapshotResolver.none());
  }

  private Snapshot throughAMappedFile(Snapshot snapshot) throws IOException {
    Path file = directory.resolve("s.vmm");
    snapshot.writeTo(file, SaveOptions.standard().mapped());
    return machines.factory.read(file, SnapshotLimits.standard(), SnapshotResolver.none());
  }

  @Test
  void inputThatWaitsIsInEverySnapshotAndComesOnce() throws IOException {
    String line = "the whole of this line of sixty characters comes through it";
    try (Vm vm = machines.create(ClockMode.VIRTUAL)) {
      for (int taken : new int[] {0, 1, 16, line.length() - 1, line.length()}) {
        try (Snapshot beginning = vm.snapshot()) {
          console(vm).send(line);
          vm.step(taken);
          try (Snapshot snapshot = vm.snapshot();
              Snapshot stream = throughAStream(snapshot);
              Snapshot mapped = throughAMappedFile(snapshot)) {
            for (Snapshot each : List.of(snapshot, stream, mapped)) {
              try (Vm copy = standing(each)) {
                assertThat(console(copy).pendingInputBytes()).isEqualTo(line.length() - taken);
                console(copy).send("+");
                copy.step(100);
                assertThat(console(copy).transcript()).as("%d taken", taken).isEqualTo(line + "+");
              }
            }
          }
          vm.step(100);
          assertThat(console(vm).transcript()).isEqualTo(line);
          vm.restore(beginning);
          vm.step(100);
          assertThat(console(vm).transcript()).isEmpty();
        }
      }
    }
  }

  @Test
  void aRewindForgetsWhatWasPrintedAndSentSince() {
    try (Vm vm = machines.create(ClockMode.VIRTUAL)) {
      console(vm).send("ready ");
      vm.step(100);
      console(vm).expect("rea", NOW);
      try (Snapshot ready = vm.snapshot()) {
        for (int i = 0; i < 3; i++) {
          // when: a test prints its verdict, and leaves input behind
          console(vm).send("PASS");
          vm.step(100);
          assertThat(console(vm).expect("PASS", NOW).before()).isEqualTo("dy ");
          console(vm).send("STALE");
          vm.restore(ready);

          // then
          assertThat(console(vm).transcript()).isEqualTo("ready ");
          assertThat(console(vm).bytesWritten()).isEqualTo(6);
          assertThat(console(vm).pendingInputBytes()).isZero();
          assertThatThrownBy(() -> console(vm).expect("PASS", NOW))
              .isInstanceOf(ConsoleExpectationException.class);
          vm.step(100);
          assertThat(console(vm).transcript()).isEqualTo("ready ");
        }
      }
    }
  }

  @Test
  void aCloneReadsOnWhereTheSnapshotWas() throws IOException {
    try (Vm vm = machines.create(ClockMode.VIRTUAL)) {
      console(vm).send("one two ");
      vm.step(100);
      console(vm).expect("one", NOW);
      try (Snapshot snapshot = vm.snapshot();
          Snapshot read = throughAStream(snapshot);
          Vm clone = read.resume(ResumeOptions.standard().asClone().standing())) {
        console(clone).send("one");
        clone.step(100);
        assertThat(console(clone).expect("one", NOW).before()).isEqualTo(" two ");
      }
    }
  }

  @Test
  void aRestoreThatFailsLeavesTheConsolesAsTheyWere() {
    var spec = TestMachines.spec(ClockMode.VIRTUAL, Map.of("test", new TestDevice.Config(2, 20)));
    try (Vm vm = new TestMachines(TICKING).factory.create(spec)) {
      vm.step(10);
      try (Snapshot refused = vm.snapshot()) {
        vm.step(2000);
        console(vm).send("waits");
        String printed = console(vm).transcript();
        console(vm).expect("t", NOW);
        assertThatThrownBy(() -> vm.restore(refused)).isInstanceOf(SnapshotException.class);
        assertThat(console(vm).transcript()).isEqualTo(printed);
        assertThat(console(vm).pendingInputBytes()).isEqualTo(5);
        console(vm).send("!");
        assertThat(console(vm).pendingInputBytes()).isEqualTo(6);
      }
    }
  }

  /** Has the device tick, so that it refuses states from before; prints now and then. */
  private static final FakeBackend.Script TICKING =
      (host, vcpu) -> {
        if (vcpu.rip == 3) {
          host.writePort(TestDevice.PORT + TestDevice.PERIOD, 4, 37);
        }
        if (vcpu.rip % 100 == 50) {
          host.writePort(TestDevice.PORT + TestDevice.CONSOLE, 4, 't');
        }
        return Outcome.NEXT;
      };

  @Test
  void aSnapshotWithoutConsolesHasEmptyOnes() {
    try (Vm vm = machines.create(ClockMode.VIRTUAL)) {
      console(vm).send("old");
      vm.step(10);
      console(vm).send("waits");
      try (Snapshot taken = vm.snapshot();
          Snapshot old = withoutConsoles((MachineSnapshot) taken)) {
        try (Vm copy = standing(old)) {
          assertThat(console(copy).transcript()).isEmpty();
          assertThat(console(copy).pendingInputBytes()).isZero();
        }
        vm.restore(old);
        assertThat(console(vm).transcript()).isEmpty();
        assertThat(console(vm).bytesWritten()).isZero();
        assertThat(console(vm).pendingInputBytes()).isZero();
      }
    }
  }

  private Snapshot withoutConsoles(MachineSnapshot taken) {
    MachineImage image = taken.image();
    List<StateChunk> states = new ArrayList<>(image.states());
    assertThat(states.removeIf(state -> state.type().equals(MachineSchemas.CONSOLE_TYPE))).isTrue();
    taken.memory().retain();
    return new MachineSnapshot(
        machines.factory,
        taken.id(),
        taken.taken(),
        new MachineImage(image.description(), states, image.mappings()),
        Optional.empty(),
        Leftovers.none(),
        taken.memory());
  }
}

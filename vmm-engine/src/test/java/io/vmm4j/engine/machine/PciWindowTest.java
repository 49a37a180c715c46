package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Backends;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmState;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.engine.ExtraDevice;
import io.vmm4j.engine.PciWindowGuest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Device memory behind a BAR, which the guest moves while it writes there. */
@Timeout(1200)
class PciWindowTest {
  @TempDir private Path directory;

  @ParameterizedTest
  @EnumSource
  void whatWasWrittenMovesAlong(ClockMode clock) throws IOException {
    try (Vm vm = PciWindowGuest.create(directory, Backends.software(), clock, 2_000)) {
      ExtraDevice.finish(vm);
    }
  }

  /** Between the halves of the address, and with decoding off, too. */
  @Test
  void aMachineSavedAtAnyInstructionGoesOn() throws IOException {
    try (Vm vm = PciWindowGuest.create(directory, Backends.software(), ClockMode.VIRTUAL, 3)) {
      int instructions = 0;
      while (!(vm.state() instanceof VmState.Ended)) {
        try (Snapshot snapshot = vm.snapshot();
            Vm twin = snapshot.resume()) {
          ExtraDevice.awaitEnd(twin);
        }
        vm.step(1);
        instructions++;
      }
      assertThat(instructions).isGreaterThan(200);
    }
  }

  @Test
  void aMachineThatIsTakenBackAtAnyMomentGoesOn() throws IOException {
    ExtraDevice.move(
        PciWindowGuest.create(directory, Backends.software(), ClockMode.REAL, 20_000),
        List.of(Backends.software()),
        40);
  }
}

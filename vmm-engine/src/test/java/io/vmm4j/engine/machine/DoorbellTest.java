package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Backends;
import io.vmm4j.api.Vm;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.engine.DoorbellGuest;
import io.vmm4j.engine.ExtraDevice;
import io.vmm4j.engine.SharedBell;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(1200)
class DoorbellTest {
  @TempDir private Path directory;

  @ParameterizedTest
  @CsvSource({"REAL, false", "REAL, true", "VIRTUAL, false", "VIRTUAL, true"})
  void everyRingIsAnsweredAndNoOtherStoreRings(ClockMode clock, boolean ownThread)
      throws IOException {
    try (Vm vm = DoorbellGuest.create(directory, Backends.software(), clock, 200, ownThread)) {
      ExtraDevice.finish(vm);
      if (!ownThread) { // which may be about to raise the last
        assertThat(vm.metrics().counters()).containsEntry("interruptMessages", 600L);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"false", "true"})
  void ringsAndSignalsOutliveSnapshots(boolean ownThread) throws IOException {
    ExtraDevice.move(
        DoorbellGuest.create(directory, Backends.software(), ClockMode.REAL, 20_000, ownThread),
        List.of(Backends.software()),
        50);
  }

  @Test
  void severalProcessorsRingADoorbellWhileItIsReplaced() throws IOException {
    try (Vm vm = SharedBell.machine(directory, Backends.software(), 1_000)) {
      ExtraDevice.finish(vm);
    }
  }

  @Test
  void underVirtualTimeARunRepeats() throws IOException {
    List<Long> lengths = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      try (Vm vm =
          DoorbellGuest.create(directory, Backends.software(), ClockMode.VIRTUAL, 200, false)) {
        ExtraDevice.finish(vm);
        lengths.add(vm.metrics().instructions());
      }
    }
    assertThat(lengths.get(0)).isEqualTo(lengths.get(1)).isPositive();
  }
}

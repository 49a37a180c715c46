package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Backends;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.VmState;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.clock.ClockMode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A guest that has halted with interrupts disabled, and one that only seems so. */
@Timeout(1200)
class DeadGuestTest {
  private static final Duration FOR_EVER = Duration.ofDays(365_000);
  private static final String CLI_HLT = "fa f4 ebfd";

  private static final String STI_HLT = "fb f4 ebfd";

  @TempDir private Path directory;

  private VmSpec spec(String code, ClockMode clock, int cpus) throws IOException {
    Path image =
        Files.write(directory.resolve("image"), HexFormat.of().parseHex(code.replace(" ", "")));
    return VmSpec.builder("guest")
        .backend(Backends.software())
        .memory(MemorySize.mebibytes(2))
        .cpus(cpus)
        .clock(clock)
        .boot(new BootSource.FlatRealMode(image, 0x1_0000))
        .build();
  }

  private static long deaths(Vm vm) {
    return vm.metrics().counters().get("deadGuests");
  }

  @ParameterizedTest
  @EnumSource(ClockMode.class)
  void itEndsTheMachineWhereThatIsAskedFor(ClockMode clock) throws IOException {
    try (Vm vm = Vm.create(spec(CLI_HLT, clock, 2))) {
      vm.endWhenDead(true);
      vm.resume();
      assertThat(vm.awaitExit(FOR_EVER))
          .isInstanceOfSatisfying(
              VmExit.Dead.class,
              dead -> assertThat(dead.detail()).contains("vcpu/0: halted", "no events pending"));
      assertThat(deaths(vm)).isEqualTo(1);
    }
  }

  @Test
  void itIsCountedAndGoesOnWhereThatIsNotAskedFor() throws IOException {
    try (Vm vm = Vm.start(spec(CLI_HLT, ClockMode.REAL, 1))) {
      while (deaths(vm) == 0) {
        Thread.onSpinWait();
      }
      assertThat(vm.state()).isEqualTo(new VmState.Running());
      // asked for later, it ends at once
      vm.endWhenDead(true);
      assertThat(vm.awaitExit(FOR_EVER)).isInstanceOf(VmExit.Dead.class);
    }
  }

  @Test
  void aGuestThatTakesInterruptsIsAlive() throws IOException {
    try (Vm vm = Vm.create(spec(STI_HLT, ClockMode.VIRTUAL, 1))) {
      vm.step(10); // to the HLT, which nothing ends
      assertThat(deaths(vm)).isZero();
    }
  }
}

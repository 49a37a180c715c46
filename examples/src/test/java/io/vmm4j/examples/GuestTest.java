package io.vmm4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Backends;
import io.vmm4j.api.Console;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.devices.uart.Uart;
import io.vmm4j.examples.thermometer.AlarmGuest;
import io.vmm4j.examples.thermometer.ThermometerConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * An ordinary JUnit test of a guest. In virtual time the guest's clock counts instructions and
 * skips what it would sleep: the test takes no time, and the same every time.
 */
@Timeout(60)
class GuestTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private static VmSpec greenhouse(Path directory) throws IOException {
    return VmSpec.builder("greenhouse")
        .backend(Backends.software())
        .clock(ClockMode.VIRTUAL)
        .memory(MemorySize.mebibytes(1))
        .boot(AlarmGuest.writeTo(directory.resolve("alarm.bin")))
        .device("com1", Uart.com1())
        .device("thermo", new ThermometerConfig(0x510, 5, 21, 1000))
        .build();
  }

  @Test
  void theGuestReportsEveryAlarmAndSwitchesOff(@TempDir Path directory) throws IOException {
    System.out.println("BACKEND: software");
    // given a guest in a room that gets warmer
    try (Vm vm = Vm.start(greenhouse(directory))) {

      // when it has run to its end
      VmExit exit = vm.awaitExit(PATIENCE);

      // then it reported each degree from its threshold on
      assertThat(exit).isEqualTo(new VmExit.PoweredOff());
      assertThat(vm.console("com1").transcript())
          .isEqualTo("alarm at 25\nalarm at 26\nalarm at 27\nalarm at 28\nalarm at 29\n");
    }
  }

  @Test
  void aRestoredGuestGoesOnWhereItWas(@TempDir Path directory) throws IOException {
    System.out.println("BACKEND: software");
    // given a guest that was saved after its second alarm
    Path file = directory.resolve("greenhouse.vmm");
    try (Vm vm = Vm.create(greenhouse(directory))) {
      // in virtual time a run can be taken instruction by instruction
      while (!vm.console("com1").transcript().contains("alarm at 26")) {
        vm.step(20);
      }
      try (Snapshot snapshot = vm.snapshot()) {
        snapshot.writeTo(file);
      }
    }

    // when another machine goes on from the file
    try (Snapshot snapshot = Snapshot.read(file);
        Vm vm = snapshot.resume(Backends.software())) {
      Console console = vm.console("com1");
      console.expect("alarm at 27", PATIENCE);

      // then it comes to the same end
      assertThat(vm.awaitExit(PATIENCE)).isEqualTo(new VmExit.PoweredOff());
    }
  }
}

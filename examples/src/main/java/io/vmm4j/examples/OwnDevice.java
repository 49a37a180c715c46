package io.vmm4j.examples;

import io.vmm4j.api.Console;
import io.vmm4j.api.ConsoleMatch;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.devices.uart.Uart;
import io.vmm4j.examples.thermometer.AlarmGuest;
import io.vmm4j.examples.thermometer.ThermometerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * A machine with a device of one's own, a thermometer, and 160 bytes of guest code that drive it.
 * After two alarms the machine is saved and thrown away; a new one goes on from the snapshot, the
 * thermometer included. The device itself is in {@link io.vmm4j.examples.thermometer}.
 *
 * <pre>examples/run OwnDevice</pre>
 */
public final class OwnDevice {
  private OwnDevice() {}

  /** Runs the example. */
  public static void main(String[] args) throws IOException {
    Path image = Files.createTempFile("alarm", ".bin");
    VmSpec spec =
        VmSpec.builder("greenhouse")
            .memory(MemorySize.mebibytes(1))
            .boot(AlarmGuest.writeTo(image))
            .device("com1", Uart.com1())
            // 21 degrees now, and one more every 200 ms of guest time
            .device("thermo", new ThermometerConfig(0x510, 5, 21, 200))
            .build();

    Snapshot saved;
    try (Vm vm = Vm.start(spec)) {
      Console console = vm.console("com1");
      console.expect("alarm at 25", Duration.ofSeconds(30));
      console.expect("alarm at 26", Duration.ofSeconds(30));
      System.out.println("Two alarms came; saving the machine and throwing it away.");
      saved = vm.snapshot();
    }

    try (saved;
        Vm vm = saved.resume()) {
      Console console = vm.console("com1");
      // The console goes on where the snapshot was: what was expected before is behind it.
      ConsoleMatch last = console.expect("alarm at 29", Duration.ofSeconds(30));
      System.out.println("After the restore the guest printed:");
      System.out.println((last.before() + last.text()).strip());
      System.out.println("It ended: " + vm.awaitExit(Duration.ofSeconds(10)));
    } finally {
      Files.delete(image);
    }
  }
}

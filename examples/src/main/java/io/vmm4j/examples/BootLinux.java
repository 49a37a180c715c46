package io.vmm4j.examples;

import io.vmm4j.api.Console;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.devices.uart.Uart;
import io.vmm4j.guests.GuestCache;
import java.nio.file.Path;
import java.time.Duration;

/**
 * Boots an unmodified Debian kernel and talks to its console.
 *
 * <pre>examples/run BootLinux</pre>
 */
public final class BootLinux {
  private static final String PROMPT = "vmm4j:/root# ";

  private BootLinux() {}

  /** Runs the example. */
  public static void main(String[] args) {
    // Any bzImage and initrd will do. These were fetched by guests/fetch.
    Path kernel = GuestCache.locate().kernel().orElseThrow();
    Path initrd = GuestCache.locate().initrd().orElseThrow();

    // 1. Say what the machine is made of. Interrupt controllers, timers and the like are there
    //    anyway. Whatever is wrong with the specification is reported by build(), all at once.
    VmSpec spec =
        VmSpec.builder("linux")
            .memory(MemorySize.mebibytes(256))
            .boot(LinuxBoot.kernel(kernel).initrd(initrd).commandLine("console=ttyS0 panic=-1"))
            .device("com1", Uart.com1())
            .build();

    // 2. Start it. The guest runs on threads of its own from here on.
    try (Vm vm = Vm.start(spec)) {
      System.out.println("It runs on " + vm.backend().name() + ": " + vm.backend().reason());

      // 3. Talk to it. Every wait has a limit, and fails at once if the machine ends.
      Console console = vm.console("com1");
      console.expect(PROMPT, Duration.ofMinutes(5));
      for (String command : new String[] {"uname -a", "cat /proc/uptime", "echo $((6 * 7))"}) {
        console.sendLine(command);
        // The terminal's echo of the command comes first, then the answer.
        String text = console.expect(PROMPT, Duration.ofMinutes(1)).before();
        System.out.println("$ " + command);
        System.out.println(text.substring(text.indexOf('\n') + 1).strip());
      }

      // 4. Switch it off, and see how it ended.
      console.sendLine("poweroff -f");
      VmExit exit = vm.awaitExit(Duration.ofMinutes(1));
      System.out.println("It ended: " + exit);
    }
  }
}

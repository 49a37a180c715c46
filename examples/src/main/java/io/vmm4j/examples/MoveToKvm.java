package io.vmm4j.examples;

import io.vmm4j.api.BackendChoice;
import io.vmm4j.api.Backends;
import io.vmm4j.api.Console;
import io.vmm4j.api.ConsoleMatch;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.devices.uart.Uart;
import io.vmm4j.guests.GuestCache;
import java.nio.file.Path;
import java.time.Duration;

/**
 * Boots Linux on the software processor, moves it to the host's own processor while it works, and
 * back again. Where there is no KVM it says why, and stays on the software processor.
 *
 * <pre>examples/run MoveToKvm</pre>
 */
public final class MoveToKvm {
  private static final String PROMPT = "vmm4j:/root# ";

  private MoveToKvm() {}

  /** Runs the example. */
  public static void main(String[] args) {
    Path kernel = GuestCache.locate().kernel().orElseThrow();
    Path initrd = GuestCache.locate().initrd().orElseThrow();
    boolean hasKvm = Backends.probeAll().get("kvm").usable();
    if (!hasKvm) {
      System.out.println("No KVM here: " + Backends.probeAll().get("kvm").detail());
    }
    BackendChoice other = hasKvm ? Backends.kvm() : Backends.software();

    // A machine with real time is made so that every backend of this host can run it.
    VmSpec spec =
        VmSpec.builder("traveller")
            .backend(Backends.software())
            .memory(MemorySize.mebibytes(256))
            .boot(LinuxBoot.kernel(kernel).initrd(initrd).commandLine("console=ttyS0 quiet"))
            .device("com1", Uart.com1())
            .build();
    Snapshot travelling;
    try (Vm vm = Vm.start(spec)) {
      vm.console("com1").expect(PROMPT, Duration.ofMinutes(5));
      vm.console("com1").sendLine("work 12");
      vm.console("com1").expect("work 2 ", Duration.ofMinutes(1));
      travelling = vm.snapshot();
    }
    travelling = workOn(travelling, other, "work 7 ");
    travelling = workOn(travelling, Backends.software(), "work 12 ");
    travelling.close();
  }

  /** Goes on from a snapshot until the guest has printed something, and takes the next one. */
  private static Snapshot workOn(Snapshot snapshot, BackendChoice backend, String until) {
    try (snapshot;
        Vm vm = snapshot.resume(backend)) {
      Console console = vm.console("com1");
      // The console goes on where the snapshot was: what was expected before is behind it.
      ConsoleMatch work = console.expect(until, Duration.ofMinutes(5));
      System.out.println("On " + vm.backend().name() + ":");
      System.out.println((work.before() + work.text()).strip());
      return vm.snapshot();
    }
  }
}

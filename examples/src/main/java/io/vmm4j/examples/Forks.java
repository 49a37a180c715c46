package io.vmm4j.examples;

import io.vmm4j.api.Console;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.SnapshotOptions;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.devices.uart.Uart;
import io.vmm4j.guests.GuestCache;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * Boots Linux once and forks it into three clones, which share its memory until they write to it.
 * Each does something else; then one is taken back to where it began.
 *
 * <pre>examples/run Forks</pre>
 */
public final class Forks {
  private static final String PROMPT = "vmm4j:/root# ";

  private Forks() {}

  /** Runs the example. */
  public static void main(String[] args) {
    try (Snapshot ready = boot()) {

      // 1. Three machines that go on from the same moment, each with a name of its own, and memory
      //    of its own where it writes. They are told that they are clones, so that a kernel with a
      //    driver for the VM generation id draws new random numbers: docs/devices.md.
      long began = System.nanoTime();
      List<Vm> clones = ready.fork(3);
      System.out.printf("Three clones after %d ms%n", millisSince(began));
      try {
        for (Vm clone : clones) {
          say(clone, "echo I am " + clone.spec().name() + " > me");
          System.out.println(clone.spec().name() + ": " + say(clone, "cat me"));
        }

        // 2. One of them goes back. Only the pages that it has changed are written again.
        Vm first = clones.getFirst();
        began = System.nanoTime();
        first.restore(ready);
        System.out.printf("Rewound after %d ms%n", millisSince(began));
        System.out.println("There again: " + say(first, "cat me"));
      } finally {
        clones.forEach(Vm::close);
      }
    }
  }

  /** A snapshot of a Linux that waits for its first command; the machine itself is gone. */
  private static Snapshot boot() {
    Path kernel = GuestCache.locate().kernel().orElseThrow();
    Path initrd = GuestCache.locate().initrd().orElseThrow();
    VmSpec spec =
        VmSpec.builder("linux")
            .memory(MemorySize.mebibytes(256))
            .boot(LinuxBoot.kernel(kernel).initrd(initrd).commandLine("console=ttyS0 quiet"))
            .device("com1", Uart.com1())
            .build();
    try (Vm vm = Vm.start(spec)) {
      vm.console("com1").expect(PROMPT, Duration.ofMinutes(5));
      return vm.snapshot(SnapshotOptions.live());
    }
  }

  /** What the guest answers to a command. */
  private static String say(Vm vm, String command) {
    Console console = vm.console("com1");
    console.sendLine(command);
    String echoAndAnswer = console.expect(PROMPT, Duration.ofMinutes(1)).before();
    return echoAndAnswer.substring(echoAndAnswer.indexOf('\n') + 1).strip();
  }

  private static long millisSince(long nanoTime) {
    return Duration.ofNanos(System.nanoTime() - nanoTime).toMillis();
  }
}

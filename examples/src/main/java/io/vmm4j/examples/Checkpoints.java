package io.vmm4j.examples;

import io.vmm4j.api.Console;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.SnapshotOptions;
import io.vmm4j.api.SnapshotResolver;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.devices.uart.Uart;
import io.vmm4j.guests.GuestCache;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * Saves a machine while it runs: once as a whole, then what has changed since; and goes on from the
 * last file, which finds the others by their names.
 *
 * <pre>examples/run Checkpoints</pre>
 */
public final class Checkpoints {
  private static final String PROMPT = "vmm4j:/root# ";

  private Checkpoints() {}

  /** Runs the example. */
  public static void main(String[] args) throws IOException {
    Path directory = Files.createTempDirectory("checkpoints");
    Path last = work(directory);

    SnapshotResolver beside =
        (id, memorySha256) -> Files.newInputStream(directory.resolve(id + ".vmm"));
    try (Snapshot saved = Snapshot.read(last, beside);
        Vm vm = saved.resume()) {
      Console console = vm.console("com1");
      console.sendLine("cat steps");
      console.expect("one\r\ntwo\r\n", Duration.ofMinutes(1));
      System.out.println("The machine of " + last + " remembers both steps.");
    }
  }

  /** Boots Linux, and writes three snapshots of which each needs the one before. */
  private static Path work(Path directory) throws IOException {
    Path kernel = GuestCache.locate().kernel().orElseThrow();
    Path initrd = GuestCache.locate().initrd().orElseThrow();
    VmSpec spec =
        VmSpec.builder("worker")
            .memory(MemorySize.mebibytes(256))
            .boot(LinuxBoot.kernel(kernel).initrd(initrd).commandLine("console=ttyS0 quiet"))
            .device("com1", Uart.com1())
            .build();

    try (Vm vm = Vm.start(spec)) {
      Console console = vm.console("com1");
      console.expect(PROMPT, Duration.ofMinutes(5));

      // Live: the guest runs while its memory is copied, and stands only for the last of it.
      try (Snapshot whole = vm.snapshot(SnapshotOptions.live())) {
        save(directory, whole);

        step(console, "one");
        try (Snapshot second = vm.snapshot(SnapshotOptions.live().since(whole))) {
          save(directory, second);

          step(console, "two");
          try (Snapshot third = vm.snapshot(SnapshotOptions.live().since(second))) {
            return save(directory, third);
          }
        }
      }
    }
  }

  private static void step(Console console, String name) {
    console.sendLine("echo " + name + " >> steps");
    console.expect(PROMPT, Duration.ofMinutes(1));
  }

  private static Path save(Path directory, Snapshot snapshot) throws IOException {
    Path file = directory.resolve(snapshot.id() + ".vmm");
    snapshot.writeTo(file);
    System.out.printf(
        "%,d bytes; the guest stood for %d ms%n",
        Files.size(file), snapshot.captureReport().orElseThrow().paused().toMillis());
    return file;
  }
}

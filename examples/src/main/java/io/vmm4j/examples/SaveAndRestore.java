package io.vmm4j.examples;

import io.vmm4j.api.Console;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.devices.uart.Uart;
import io.vmm4j.guests.GuestCache;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/**
 * Saves a machine to a stream in the middle of its work, and goes on from the stream in a new one.
 * The streams here are GZIP streams over an array, to show that any will do: no stream needs to
 * seek.
 *
 * <pre>examples/run SaveAndRestore</pre>
 */
public final class SaveAndRestore {
  private SaveAndRestore() {}

  /** Runs the example. */
  public static void main(String[] args) throws IOException {
    Path kernel = GuestCache.locate().kernel().orElseThrow();
    Path initrd = GuestCache.locate().initrd().orElseThrow();

    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (OutputStream out = new GZIPOutputStream(bytes)) {
      save(kernel, initrd, out);
    }
    System.out.printf("The stream has %,d bytes; the machine is gone.%n", bytes.size());

    try (InputStream in = new GZIPInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      System.out.println("The restored machine ended: " + restore(in));
    }
  }

  static void save(Path bzImage, Path initrd, OutputStream out) throws IOException {
    VmSpec spec =
        VmSpec.builder("hello")
            .memory(MemorySize.mebibytes(256))
            .boot(LinuxBoot.kernel(bzImage).initrd(initrd).commandLine("console=ttyS0"))
            .device("com1", Uart.com1())
            .build();

    try (Vm vm = Vm.start(spec)) {
      Console console = vm.console("com1");
      console.expect("vmm4j:/root# ", Duration.ofMinutes(5));
      console.sendLine("answer=42");
      console.expect("vmm4j:/root# ", Duration.ofSeconds(30));
      try (Snapshot ready = vm.snapshot()) {
        ready.writeTo(out);
      }
    }
  }

  static VmExit restore(InputStream in) throws IOException {
    try (Snapshot saved = Snapshot.read(in);
        Vm vm = saved.resume()) {
      Console console = vm.console("com1");
      console.sendLine("echo the answer is $answer");
      console.expect("the answer is 42", Duration.ofSeconds(30));
      console.sendLine("poweroff -f");
      return vm.awaitExit(Duration.ofSeconds(30));
    }
  }
}

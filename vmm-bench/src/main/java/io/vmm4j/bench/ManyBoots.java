package io.vmm4j.bench;

import io.vmm4j.api.Backends;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.devices.debugexit.DebugExitConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;

/**
 * Boots of small guests one after the other in one JVM, and what is resident and mapped after each
 * tenth of them: {@code ./bench ManyBoots [COUNT]}.
 */
public final class ManyBoots {
  private static final int DEFAULT_COUNT = 1000;
  private static final int EXIT_CODE = 42;

  /**
   * Enters 32-bit code, counts down a loop of 20,000 rounds, and writes 42 to the debug exit port.
   *
   * <pre>
   *       cli; xor ax, ax; mov ds, ax; lgdt [pointer]
   *       mov eax, cr0; or al, 1; mov cr0, eax; jmp dword 8:wide
   * wide: mov ax, 16; mov ds, ax; mov es, ax; mov ss, ax
   *       mov ecx, 20000
   * next: add ebx, ecx; dec ecx; jnz next
   *       mov dx, 0xF4; mov al, 42; out dx, al; hlt
   * </pre>
   */
  private static final String GUEST =
      "fa31c08ed8660f011650800f20c00c010f22c066ea1b800000080066b810008ed88ec08ed0b9204e"
          + "000001cb4975fb66baf400b02aeef4900000000000000000ffff0000009bcf00ffff00000093cf00"
          + "170038800000";

  private ManyBoots() {}

  /** Boots the guests and prints a line for each tenth. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    int count = arguments.length > 0 ? Integer.parseInt(arguments[0]) : DEFAULT_COUNT;
    Path image = Files.createTempFile("vmm4j-", ".bin");
    try {
      Files.write(image, HexFormat.of().parseHex(GUEST));
      VmSpec spec =
          VmSpec.builder("small")
              .backend(Backends.software())
              .memory(MemorySize.mebibytes(1))
              .boot(new BootSource.FlatRealMode(image, 0x8000))
              .device("exit", DebugExitConfig.DEFAULT)
              .build();
      long began = System.nanoTime();
      for (int i = 1; i <= count; i++) {
        boot(spec);
        if (i % Math.max(1, count / 10) == 0) {
          System.gc();
          System.out.printf(
              "%d boots in %.1f s: %d MiB resident, %d mappings, %d files, %d threads%n",
              i,
              (System.nanoTime() - began) / 1e9,
              status("VmRSS:") >> 10,
              Files.readAllLines(Path.of("/proc/self/maps")).size(),
              files(),
              status("Threads:"));
        }
      }
    } finally {
      Files.delete(image);
    }
  }

  private static void boot(VmSpec spec) throws InterruptedException {
    try (Vm vm = Vm.start(spec)) {
      VmExit exit = vm.awaitExit(Duration.ofMinutes(1));
      if (!(exit instanceof VmExit.DebugExit debug) || debug.value() != EXIT_CODE) {
        throw new IllegalStateException("the guest ended with " + exit);
      }
    }
  }

  private static long files() throws IOException {
    try (var all = Files.list(Path.of("/proc/self/fd"))) {
      return all.count();
    }
  }

  private static long status(String name) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith(name)) {
        return Long.parseLong(line.replaceAll("\\D", ""));
      }
    }
    throw new IOException("no " + name + " in /proc/self/status");
  }
}

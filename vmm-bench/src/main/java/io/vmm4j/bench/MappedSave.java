package io.vmm4j.bench;

import io.vmm4j.api.Backends;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.SaveOptions;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.devices.bootrom.BootRomConfig;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Saves a machine that has written hardly any of its memory, in the mapped layout: {@code ./bench
 * MappedSave FILE [SIZE]}, 3584M if not said.
 */
public final class MappedSave {
  private static final int TIMES = 5;

  private MappedSave() {}

  /** Saves it a few times and prints. */
  public static void main(String[] arguments) throws Exception {
    Path file = Path.of(arguments[0]);
    MemorySize memory = MemorySize.parse(arguments.length > 1 ? arguments[1] : "3584M");
    byte[] rom = new byte[16]; // entered at its first byte, the reset vector
    rom[0] = (byte) 0xEB; // jmp $
    rom[1] = (byte) 0xFE;
    Path image = Files.write(Files.createTempFile("rom", ".bin"), rom);
    VmSpec spec =
        VmSpec.builder("empty")
            .backend(Backends.software())
            .memory(memory)
            .boot(new BootSource.ResetVector())
            .device("rom", new BootRomConfig(image.toString()))
            .build();
    try (Vm vm = Vm.create(spec)) {
      Files.delete(image);
      for (int i = 0; i < TIMES; i++) {
        long start = System.nanoTime();
        try (Snapshot snapshot = vm.snapshot()) {
          long captured = System.nanoTime();
          snapshot.writeTo(file, SaveOptions.standard().mapped());
          System.out.printf(
              "%s: captured in %.0f ms, durable after %.0f ms more%n",
              memory, (captured - start) / 1e6, (System.nanoTime() - captured) / 1e6);
        }
      }
    }
  }
}

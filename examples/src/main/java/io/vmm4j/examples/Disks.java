package io.vmm4j.examples;

import io.vmm4j.api.Console;
import io.vmm4j.api.Disk;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.devices.pci.HostBridgeConfig;
import io.vmm4j.devices.uart.Uart;
import io.vmm4j.devices.virtioblock.VirtioBlockConfig;
import io.vmm4j.guests.GuestCache;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * Two forks write to the same disk, each to its own overlay, and both disks are exported. The file
 * that the disk came from is never written.
 *
 * <pre>examples/run Disks</pre>
 */
public final class Disks {
  private static final String DISK = "pci/00:03.0";
  private static final String PROMPT = "vmm4j:/root# ";

  private Disks() {}

  /** Runs the example. */
  public static void main(String[] args) throws IOException {
    GuestCache guests = GuestCache.locate();
    Path directory = Files.createTempDirectory("disks");
    run(guests.kernel().orElseThrow(), guests.virtio().orElseThrow(), directory);
    System.out.println("The disks are in " + directory);
  }

  /** Makes {@code base.raw}, {@code red.qcow2} and {@code blue.qcow2} in a directory. */
  static void run(Path bzImage, Path initrd, Path directory) throws IOException {
    Path base = Files.write(directory.resolve("base.raw"), new byte[1 << 20]);
    VmSpec spec =
        VmSpec.builder("disks")
            .memory(MemorySize.mebibytes(128))
            .boot(LinuxBoot.kernel(bzImage).initrd(initrd).commandLine("console=ttyS0"))
            .device("com1", Uart.com1())
            .device("pci", HostBridgeConfig.DEFAULT)
            .device(DISK, new VirtioBlockConfig(base.toString()))
            .build();
    try (Vm vm = Vm.start(spec)) {
      vm.console("com1").expect(PROMPT, Duration.ofMinutes(5));
      try (Snapshot ready = vm.snapshot()) {
        for (String colour : new String[] {"red", "blue"}) {
          try (Vm fork = ready.fork()) {
            Console console = fork.console("com1");
            console.sendLine("echo " + colour + " >/dev/vda; sync; echo writ''ten");
            console.expect("written", Duration.ofSeconds(30));
            Path image = directory.resolve(colour + ".qcow2");
            fork.device(DISK, Disk.class).exportTo(image, Disk.Format.QCOW2);
          }
        }
      }
    }
  }
}

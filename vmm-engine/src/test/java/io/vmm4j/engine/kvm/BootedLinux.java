package io.vmm4j.engine.kvm;

import io.vmm4j.api.Backends;
import io.vmm4j.api.Console;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.devices.uart.UartConfig;
import io.vmm4j.guests.GuestImages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * A Debian Linux that was booted on the software backend and is in the midst of its work. Where
 * that would take long, in the guest of kvm-host/run, it is made beforehand on the host: by {@link
 * #main}, to a file that the property {@code vmm4j.kvm.linux} names.
 */
public final class BootedLinux {
  static final int CPUS = 4;
  static final int ROUNDS = 6;
  static final String PROMPT = "vmm4j:/root# ";

  private static final Duration PATIENCE = Duration.ofMinutes(10);

  private BootedLinux() {}

  /** The snapshot. */
  static Snapshot snapshot() throws IOException {
    Path file = Path.of(System.getProperty("vmm4j.kvm.linux", ""));
    return Files.isRegularFile(file)
        ? Snapshot.read(file)
        : boot(spec(GuestImages.required(), "").build());
  }

  private static VmSpec.Builder spec(GuestImages images, String parameters) {
    return VmSpec.builder("linux")
        .backend(Backends.software())
        .memory(MemorySize.mebibytes(128))
        .cpus(CPUS)
        .boot(
            LinuxBoot.kernel(images.kernel())
                .initrd(images.initrd())
                .commandLine("console=ttyS0 panic=-1 " + parameters))
        .device("com1", UartConfig.DEFAULT);
  }

  private static Snapshot boot(VmSpec spec) {
    try (Vm vm = Vm.start(spec)) {
      Console console = vm.console("com1");
      console.expect(PROMPT, PATIENCE);
      console.sendLine(
          "uptime() { cut -d' ' -f1 /proc/uptime; }; for i in $(seq %d); do work %d 1 >/tmp/$i & done; echo begun"
              .formatted(CPUS, ROUNDS));
      console.expect("begun\r\n", PATIENCE);
      return vm.snapshot();
    }
  }

  /**
   * Boots and saves, for emulated processors: their counters can't be scaled, and QEMU's lacks
   * PCID, INVPCID and RDSEED, and its XRSTOR faults in a guest of KVM whose XCR0 is 3.
   *
   * @param arguments the file, and the frequency of the counter in Hz or {@code host}
   */
  public static void main(String[] arguments) throws IOException {
    VmSpec spec =
        spec(GuestImages.required(), "")
            .withoutCpuFeatures(
                CpuFeature.PCID, CpuFeature.INVPCID, CpuFeature.RDSEED, CpuFeature.XSAVE)
            .tscFrequencyHz(
                arguments[1].equals("host") ? hostTscHz() : Long.parseLong(arguments[1]))
            .build();
    Path file = Path.of(arguments[0]);
    Files.createDirectories(file.toAbsolutePath().getParent());
    try (Snapshot snapshot = boot(spec)) {
      snapshot.writeTo(file);
    }
  }

  /** From the kernel's calibration of its delay loop: it counts by the counter, twice a tick. */
  private static long hostTscHz() throws IOException {
    try (var lines = Files.lines(Path.of("/proc/cpuinfo"))) {
      String mips =
          lines.filter(line -> line.startsWith("bogomips")).findFirst().orElseThrow().split(":")[1];
      return Math.round(Double.parseDouble(mips) / 2 * 1000) * 1000;
    }
  }
}

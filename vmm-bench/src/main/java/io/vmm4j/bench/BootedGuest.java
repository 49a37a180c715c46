package io.vmm4j.bench;

import io.vmm4j.api.Backends;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.devices.uart.Uart;
import io.vmm4j.guests.GuestCache;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/** The Debian kernel with 512 MiB on the software backend. */
final class BootedGuest {
  static final String PROMPT = "vmm4j:/root# ";
  static final Duration PATIENCE = Duration.ofMinutes(10);

  private BootedGuest() {}

  static VmSpec spec(String name, String flavour) {
    return spec(name, flavour, ClockMode.REAL, 1);
  }

  private static VmSpec spec(String name, String flavour, ClockMode clock, int cpus) {
    GuestCache cache = GuestCache.locate();
    return VmSpec.builder(name)
        .backend(Backends.software())
        .memory(MemorySize.mebibytes(512))
        .clock(clock)
        .cpus(cpus)
        .boot(
            LinuxBoot.kernel(required(cache.kernel(flavour)))
                .initrd(required(cache.initrd()))
                .commandLine("console=ttyS0 panic=-1"))
        .device("com1", Uart.com1())
        .build();
  }

  /** At its shell prompt. */
  static Vm boot(String name) {
    return boot(name, 1);
  }

  /** At its shell prompt, with some vCPUs. */
  static Vm boot(String name, int cpus) {
    Vm vm = Vm.create(spec(name, "cloud-amd64", ClockMode.REAL, cpus));
    awaitPrompt(vm);
    return vm;
  }

  /** Under virtual time, standing before its first instruction. */
  static Vm create(String name) {
    return Vm.create(spec(name, "cloud-amd64", ClockMode.VIRTUAL, 1));
  }

  /** Lets it run to the shell prompt. */
  static void awaitPrompt(Vm vm) {
    vm.resume();
    vm.console("com1").expect(PROMPT, PATIENCE);
  }

  private static Path required(Optional<Path> file) {
    return file.orElseThrow(() -> new IllegalStateException("run guests/fetch first"));
  }
}

package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Backends;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.devices.uart.UartConfig;
import io.vmm4j.guests.GuestImages;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** An unmodified Linux that is told not to use ACPI, on several vCPUs. */
@Timeout(1200)
class LinuxMpTableTest {
  private static final Duration PATIENCE = Duration.ofMinutes(10);

  /** The cloud kernel does not read MP tables; the amd64 kernel does. */
  private static VmSpec spec() {
    GuestImages images = GuestImages.required();
    return VmSpec.builder("linux")
        .backend(Backends.software())
        .memory(MemorySize.mebibytes(128))
        .cpus(4)
        .clock(ClockMode.VIRTUAL)
        .startTime(Instant.parse("2026-01-01T00:00:00Z"))
        .randomSeed(20260101)
        .boot(
            LinuxBoot.kernel(images.kernel("amd64"))
                .initrd(images.initrd())
                .commandLine(
                    "console=ttyS0 panic=-1 acpi=off vmm4j.run=grep,-c,processor,/proc/cpuinfo"
                        + " vmm4j.run=cat,/proc/interrupts vmm4j.run=reboot,-f"))
        .device("com1", UartConfig.DEFAULT)
        .build();
  }

  @Test
  void findsProcessorsAndInterruptsInTheMpTable() {
    VmSpec spec = spec();
    System.out.println("BACKEND: software");
    try (Vm vm = Vm.start(spec)) {
      assertThat(vm.awaitExit(PATIENCE)).isInstanceOf(VmExit.Reset.class);

      String transcript = vm.console("com1").transcript();
      assertThat(transcript)
          .contains("Intel MultiProcessor Specification v1.4")
          .contains("MPTABLE: OEM ID: VMM4J")
          .contains("smp: Brought up 1 node, 4 CPUs")
          .contains("vmm4j guest ready\r\n4\r\n")
          .containsPattern("4:( +[0-9]+){4} +IO-APIC +4-edge +ttyS0")
          .doesNotContain("MP-BIOS bug", "BIOS bug", "WARNING:", "Kernel panic");
    }
  }
}

package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Backends;
import io.vmm4j.api.Console;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.devices.pci.HostBridgeConfig;
import io.vmm4j.devices.pcitest.PciTestConfig;
import io.vmm4j.devices.uart.Uart;
import io.vmm4j.guests.GuestImages;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Linux's own view of the PCI bus: it finds the functions, and gives each BAR a place. */
@Timeout(1200)
class LinuxPciTest {
  private static final Duration PATIENCE = Duration.ofMinutes(10);
  private static final String PROMPT = "vmm4j:/root# ";

  @Test
  void theFunctionsAreFoundAndTheirBarsAreMapped() {
    GuestImages images = GuestImages.required();
    VmSpec spec =
        VmSpec.builder("linux")
            .backend(Backends.software())
            .memory(MemorySize.mebibytes(128))
            .boot(
                LinuxBoot.kernel(images.kernel())
                    .initrd(images.initrd())
                    .commandLine("console=ttyS0 panic=-1"))
            .device("com1", Uart.com1())
            .device("pci", HostBridgeConfig.DEFAULT)
            .device("pci/00:03.0", PciTestConfig.DEFAULT)
            .build();
    System.out.println("BACKEND: software");
    try (Vm vm = Vm.start(spec)) {
      Console console = vm.console("com1");
      console.expect(PROMPT, PATIENCE);
      console.sendLine("stty -echo; PS1=; echo qui''et");
      console.expect("quiet", PATIENCE);
      String functions =
          answer(
              console,
              "for f in /sys/bus/pci/devices/*; do"
                  + " echo ${f##*/} $(cat $f/vendor) $(cat $f/device) $(cat $f/class); done");
      assertThat(functions.lines())
          .contains(
              "0000:00:00.0 0x8086 0x29c0 0x060000",
              "0000:00:03.0 0x1af4 0x10ff 0x00ff00",
              "0000:00:1f.0 0x8086 0x2918 0x060100");
      // Each line has the first address, the last one, and flags.
      String resources = answer(console, "cat /sys/bus/pci/devices/0000:00:03.0/resource");
      assertThat(resources.lines().filter(line -> line.startsWith("0x")).limit(5).toList())
          .satisfiesExactly(
              wide -> assertThat(bytes(wide)).isEqualTo(64 << 10),
              upper -> assertThat(upper).startsWith("0x0000000000000000 "),
              registers -> assertThat(bytes(registers)).isEqualTo(4096),
              ports -> assertThat(bytes(ports)).isEqualTo(16),
              table -> assertThat(bytes(table)).isEqualTo(4096));
      assertThat(answer(console, "cat /sys/bus/pci/devices/0000:00:03.0/irq")).contains("\n");
      String log = answer(console, "dmesg | grep -iE 'pci|ecam|mmconfig'");
      assertThat(log)
          .contains("ACPI: PCI Root Bridge [PCI0]")
          .contains("[mem 0xe0000000-0xefffffff] reserved in ACPI motherboard resources")
          .doesNotContainIgnoringCase("can't assign")
          .doesNotContainIgnoringCase("no space for")
          .doesNotContainIgnoringCase("failed");
    }
  }

  private static long bytes(String resource) {
    String[] parts = resource.split(" ");
    long first = Long.decode(parts[0]);
    assertThat(first).as(resource).isNotZero();
    return Long.decode(parts[1]) - first + 1;
  }

  private static String answer(Console console, String command) {
    console.sendLine(command + "; echo answ''ered");
    return console.expect("answered", PATIENCE).before().replace("\r", "");
  }
}

package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Backends;
import io.vmm4j.api.Console;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.devices.pci.HostBridgeConfig;
import io.vmm4j.devices.uart.Uart;
import io.vmm4j.devices.virtioinput.VirtioInputConfig;
import io.vmm4j.guests.GuestImages;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Linux's driver finds a keyboard and a tablet. */
@Timeout(1200)
class LinuxInputTest {
  private static final Duration PATIENCE = Duration.ofMinutes(5);

  @Test
  void aKeyboardAndATabletAreFound() {
    GuestImages images = GuestImages.required();
    VmSpec spec =
        VmSpec.builder("linux")
            .backend(Backends.software())
            .memory(MemorySize.mebibytes(128))
            .boot(
                LinuxBoot.kernel(images.kernel())
                    .initrd(images.virtio())
                    .commandLine("console=ttyS0 panic=-1"))
            .device("com1", Uart.com1())
            .device("pci", HostBridgeConfig.DEFAULT)
            .device("pci/00:05.0", VirtioInputConfig.KEYBOARD)
            .device("pci/00:06.0", VirtioInputConfig.TABLET)
            .build();
    System.out.println("BACKEND: software");
    try (Vm vm = Vm.start(spec)) {
      Console console = vm.console("com1");
      console.expect("vmm4j:/root# ", PATIENCE);
      console.sendLine("stty -echo; PS1=; echo qui''et");
      console.expect("quiet", PATIENCE);
      console.sendLine("cat /proc/bus/input/devices; echo answ''ered");
      assertThat(console.expect("answered", PATIENCE).before().replace("\r", ""))
          .contains("I: Bus=0006 Vendor=1af4 Product=0001", "N: Name=\"vmm4j keyboard\"")
          .contains("N: Name=\"vmm4j tablet\"", "B: ABS=3", "B: LED=7");
    }
  }
}

package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Backends;
import io.vmm4j.api.Console;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.devices.pci.HostBridgeConfig;
import io.vmm4j.devices.pci.RootPortConfig;
import io.vmm4j.devices.pcitest.PciTestConfig;
import io.vmm4j.devices.uart.Uart;
import io.vmm4j.guests.GuestImages;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Linux's own driver of hot plug slots finds a device that comes, and misses one that goes. */
@Timeout(1200)
class LinuxHotPlugTest {
  private static final Duration PATIENCE = Duration.ofMinutes(10);
  private static final String PROMPT = "vmm4j:/root# ";
  private static final String PORT = "pci/00:02.0";
  private static final String CARD = PORT + "/01:00.0";

  @Test
  void aDeviceComesAndGoes() {
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
            .device(PORT, RootPortConfig.DEFAULT)
            .build();
    System.out.println("BACKEND: software");
    try (Vm vm = Vm.start(spec)) {
      Console console = vm.console("com1");
      console.expect(PROMPT, PATIENCE);
      console.sendLine("stty -echo; PS1=; cd /sys/bus/pci/devices; echo qui''et");
      console.expect("quiet", PATIENCE);
      vm.attach(CARD, PciTestConfig.DEFAULT);
      find(console, true);
      try (Snapshot snapshot = vm.snapshot()) {
        vm.detach(CARD);
        find(console, false);
        vm.attach(CARD, PciTestConfig.DEFAULT);
        find(console, true);
        try (Vm twin = snapshot.resume()) {
          find(twin.console("com1"), true);
          twin.detach(CARD);
          find(twin.console("com1"), false);
        }
      }
    }
  }

  /** Waits for the function in the guest, and for the place of its first BAR. */
  private static void find(Console console, boolean there) {
    String function = "0000:01:00.0";
    console.sendLine(
        "until [ %s -d %s ]; do sleep 1; done; cat %s/vendor; head -1 %s/resource; echo answ''ered"
            .formatted(there ? "" : "!", function, function, function));
    String answer = console.expect("answered", PATIENCE).before();
    if (there) {
      assertThat(answer).contains("0x1af4").doesNotContain("0x0000000000000000 ");
    } else {
      assertThat(answer).contains("No such file");
    }
  }
}

package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Backends;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.devices.pci.HostBridgeConfig;
import io.vmm4j.devices.pvpanic.PciPvpanicConfig;
import io.vmm4j.devices.uart.Uart;
import io.vmm4j.guests.GuestImages;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A Linux that panics says so by its driver of pvpanic. */
@Timeout(1200)
class LinuxPanicTest {
  private static final Duration PATIENCE = Duration.ofMinutes(5);

  @Test
  void aPanicEndsTheMachine() throws InterruptedException {
    GuestImages images = GuestImages.required();
    VmSpec spec =
        VmSpec.builder("linux")
            .backend(Backends.software())
            .memory(MemorySize.mebibytes(128))
            .boot(
                LinuxBoot.kernel(images.kernel())
                    .initrd(images.virtio())
                    .commandLine("console=ttyS0"))
            .device("com1", Uart.com1())
            .device("pci", HostBridgeConfig.DEFAULT)
            .device("pci/00:05.0", PciPvpanicConfig.DEFAULT)
            .build();
    System.out.println("BACKEND: software");
    try (Vm vm = Vm.start(spec)) {
      vm.console("com1").expect("vmm4j:/root# ", PATIENCE);
      vm.console("com1").sendLine("echo c >/proc/sysrq-trigger");
      assertThat(vm.awaitExit(PATIENCE))
          .isInstanceOfSatisfying(
              VmExit.Panicked.class, exit -> assertThat(exit.detail()).contains("rip"));
    }
  }
}

package io.vmm4j.engine.boot;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Backends;
import io.vmm4j.api.Console;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.devices.hpet.HpetConfig;
import io.vmm4j.devices.uart.Uart;
import io.vmm4j.guests.GuestImages;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Kernels and devices other than those of most tests, as Debian has them, on software. */
@Timeout(1200)
class OtherKernelsTest {
  private static final Duration PATIENCE = Duration.ofMinutes(10);
  private static final String PROMPT = "vmm4j:/root# ";

  private static VmSpec.Builder machine(String name, int mebibytes, BootSource boot) {
    System.out.println("BACKEND: software");
    return VmSpec.builder(name)
        .backend(Backends.software())
        .memory(MemorySize.mebibytes(mebibytes))
        .boot(boot)
        .device("com1", Uart.com1());
  }

  /** Xen reads the BIOS data area for the place of its trampoline, and its modules' strings. */
  @Test
  void xenStartsItsFirstDomain() {
    GuestImages images = GuestImages.required();
    BootSource boot =
        new BootSource.Detect(
            images.xen(),
            List.of(
                new BootSource.Module(
                    images.kernel("amd64"), "console=hvc0 panic=-1 cryptomgr.notests"),
                BootSource.Module.of(images.initrd())),
            "com1=115200,8n1 console=com1 dom0_mem=256M noreboot");
    try (Vm vm = Vm.start(machine("xen", 512, boot).build())) {
      Console console = vm.console("com1");
      console.expect("(XEN) Xen version 4.17", PATIENCE);
      console.expect("Hypervisor detected: Xen PV", PATIENCE);
      console.expect(PROMPT, PATIENCE);
      console.sendLine("cat /sys/hypervisor/type; echo $((6 * 7))");
      console.expect("42", PATIENCE);
    }
  }

  @Test
  void aLinuxOf32BitsRunsItsWork() {
    GuestImages images = GuestImages.required();
    LinuxBoot boot =
        LinuxBoot.kernel(images.kernel("686-pae"))
            .initrd(images.initrd("686-pae"))
            .commandLine("console=ttyS0 panic=-1 cryptomgr.notests");
    try (Vm vm = Vm.start(machine("i686", 512, boot).build())) {
      Console console = vm.console("com1");
      console.expect(PROMPT, PATIENCE);
      console.sendLine("uname -m; echo $((6 * 7)); poweroff -f");
      console.expect("i686", PATIENCE);
      console.expect("42", PATIENCE);
      assertThat(vm.awaitExit(PATIENCE)).isEqualTo(new VmExit.PoweredOff());
    }
  }

  @Test
  void linuxTakesTheHighPrecisionEventTimerForItsClock() {
    GuestImages images = GuestImages.required();
    String current = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    LinuxBoot boot =
        LinuxBoot.kernel(images.kernel("amd64"))
            .initrd(images.initrd())
            .commandLine(
                "console=ttyS0 panic=-1 clocksource=hpet cryptomgr.notests vmm4j.run=sleep,1"
                    + " vmm4j.run=cat,%s vmm4j.run=poweroff,-f".formatted(current));
    VmSpec spec = machine("hpet", 256, boot).device("hpet", HpetConfig.DEFAULT).build();
    try (Vm vm = Vm.start(spec)) {
      assertThat(vm.awaitExit(PATIENCE)).isEqualTo(new VmExit.PoweredOff());
      assertThat(vm.console("com1").transcript())
          .contains("hpet0: 3 comparators, 64-bit 100.000000 MHz counter")
          .contains("vmm4j guest ready\r\nhpet\r\n");
    }
  }

  /** Its setup goes on to call a BIOS, which is not there; it is seen to run as far as that. */
  @Test
  void ipxeIsEnteredInRealMode() {
    Path ipxe = GuestImages.required().ipxe();
    try (Vm vm =
        Vm.create(
            machine("ipxe", 64, new BootSource.Detect(ipxe, List.of(), ""))
                .clock(ClockMode.VIRTUAL)
                .build())) {
      CpuState state = vm.cpuState(0);
      for (int i = 0; i < 100 && state.cs().base() + state.rip() != 0x9_0200; i++) {
        vm.step(1);
        state = vm.cpuState(0);
      }
      assertThat(state.cs().selector()).isEqualTo(0x9020);
      assertThat(state.rip()).isZero();
      assertThat(state.cr0() & 1).as("CR0.PE").isZero();
      vm.step(1000);
      assertThat(vm.cpuState(0).cs().base()).as("its own segment, or a copy").isNotZero();
    }
  }
}

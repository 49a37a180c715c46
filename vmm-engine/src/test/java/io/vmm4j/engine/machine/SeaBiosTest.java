package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Backends;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.devices.bootrom.BootRomConfig;
import io.vmm4j.devices.debugcon.DebugConsoleConfig;
import io.vmm4j.guests.GuestImages;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Unmodified firmware as the boot ROM. */
@Timeout(1200)
class SeaBiosTest {
  private static final Duration LONG = Duration.ofMinutes(10);

  /** Where SeaBIOS writes what it does. */
  private static final int DEBUG_PORT = 0x402;

  private static VmSpec spec(boolean shadow) {
    String image = GuestImages.required().seaBios().toString();
    System.out.println("BACKEND: software");
    return VmSpec.builder("seabios")
        .backend(Backends.software())
        .memory(MemorySize.mebibytes(64))
        .clock(ClockMode.VIRTUAL)
        .boot(new BootSource.ResetVector())
        .device("rom", new BootRomConfig(image, shadow))
        .device("debug", new DebugConsoleConfig(DEBUG_PORT))
        .build();
  }

  @Test
  void withItsShadowInPlaceItLooksForSomethingToBoot() {
    try (Vm vm = Vm.start(spec(true))) {
      vm.console("debug").expect("SeaBIOS (version", LONG);
      vm.console("debug").expect("PS2 keyboard initialized", LONG);
      vm.console("debug").expect("0000000000100000 - 0000000004000000 = 1 RAM", LONG);
      vm.console("debug").expect("No bootable device.", LONG);
    }
  }

  /** It asks the host bridge for RAM under 1 MiB, and there is none. */
  @Test
  void withoutItEndsWhereItWantsToBeShadowed() {
    try (Vm vm = Vm.start(spec(false))) {
      vm.console("debug").expect("SeaBIOS (version", LONG);
      vm.console("debug").expect("Unable to unlock ram - bridge not found", LONG);
      assertThat(vm.awaitExit(LONG)).isInstanceOf(VmExit.Reset.class);
    }
  }
}

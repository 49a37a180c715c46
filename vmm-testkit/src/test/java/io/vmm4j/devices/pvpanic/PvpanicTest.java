package io.vmm4j.devices.pvpanic;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.VmExit;
import io.vmm4j.api.device.PlatformFact;
import io.vmm4j.devices.pci.PciMachine;
import io.vmm4j.testkit.TestMachine;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How a guest says that it has panicked. */
class PvpanicTest {
  private static final VmExit PANICKED = new VmExit.Panicked("");

  @Test
  void aPortThatAcpiNames() {
    try (TestMachine machine = TestMachine.with(new PvpanicFactory(), PvpanicConfig.DEFAULT)) {
      assertThat(machine.in8(0x505)).isEqualTo(3);
      machine.out8(0x505, 2);
      assertThat(machine.exits()).as("a crash kernel takes over").isEmpty();
      machine.out8(0x505, 1);
      assertThat(machine.exits()).containsExactly(PANICKED);
      assertThat(machine.facts())
          .contains(
              new PlatformFact.FixedDevice(
                  "PEVT",
                  "QEMU0001",
                  List.of(new PlatformFact.PortRange(0x505, 1)),
                  List.of(),
                  List.of()));
    }
  }

  @Test
  void aPciFunction() {
    try (TestMachine machine =
        PciMachine.bus()
            .device(PciMachine.PATH, new PciPvpanicFactory(), PciPvpanicConfig.DEFAULT)
            .build()) {
      long configuration = PciMachine.ECAM + (3 << 15);
      assertThat(machine.readMmio(configuration, 4)).isEqualTo(0x0011_1B36);
      machine.writeMmio(configuration + 0x10, 4, 0xC000_0000L);
      machine.writeMmio(configuration + 4, 2, 2);
      assertThat(machine.readMmio(0xC000_0000L, 1)).isEqualTo(3);
      machine.writeMmio(0xC000_0001L, 1, 1);
      assertThat(machine.exits()).isEmpty();
      machine.writeMmio(0xC000_0000L, 1, 1);
      assertThat(machine.exits()).containsExactly(PANICKED);
    }
  }
}

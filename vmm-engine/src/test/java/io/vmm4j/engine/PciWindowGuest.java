package io.vmm4j.engine;

import io.vmm4j.api.BackendChoice;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.devices.pci.HostBridgeConfig;
import io.vmm4j.devices.pcitest.PciTestConfig;
import io.vmm4j.engine.machine.GuestPrograms;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A guest that moves a BAR of device memory while it writes there, and ends with 42 if it always
 * found what it had written.
 */
public final class PciWindowGuest {
  /** The source is in {@code machine/pci-window.s}; the last double word is how many rounds. */
  private static final String CODE =
      "fa31c08ed0bc007066b902000000e883006631ed66b8101800806689e96683e1"
          + "0166c1e10c6681c100000d00e86b0066b81418008066b901000000e85c006631"
          + "c9e8560089e883e001c1e0080500d08ec02666392e0000753466452666892e00"
          + "006631c9e82d002666833e000000751d66b902000000e81b002666392e000075"
          + "0c2e663b2eac00728bb02aeb02b001baf400eef466b804180080baf80c66ef66"
          + "506689c8bafc0c66ef6658c3";

  private PciWindowGuest() {}

  /** The machine, not yet running. */
  public static Vm create(Path directory, BackendChoice backend, ClockMode clock, int rounds)
      throws IOException {
    String hex = CODE + "%08x".formatted(Integer.reverseBytes(rounds));
    VmSpec spec =
        GuestPrograms.spec(directory, backend, hex)
            .clock(clock)
            .device("pci", HostBridgeConfig.DEFAULT)
            .device("pci/00:03.0", new PciTestConfig(1, 0, 0))
            .build();
    return Vm.create(spec);
  }
}

package io.vmm4j.devices.pvpanic;

import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.PlatformFact;
import java.util.List;

/** pvpanic at a port, which ACPI names (QEMU, docs/specs/pvpanic). */
final class Pvpanic implements DeviceModel<PvpanicState> {
  private static final String NAME = "PEVT";
  private static final String HARDWARE_ID = "QEMU0001";

  Pvpanic(PvpanicConfig config, DeviceContext context) {
    context.claimPorts(config.port(), 1, AccessWidth.BYTE, new PanicEvents(context));
    context.describe(
        new PlatformFact.FixedDevice(
            NAME,
            HARDWARE_ID,
            List.of(new PlatformFact.PortRange(config.port(), 1)),
            List.of(),
            List.of()));
  }

  @Override
  public void reset() {
    // Nothing to reset.
  }

  @Override
  public PvpanicState save() {
    return new PvpanicState();
  }

  @Override
  public void restore(PvpanicState state) {
    // Nothing to restore.
  }
}

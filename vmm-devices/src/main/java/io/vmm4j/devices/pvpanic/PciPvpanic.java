package io.vmm4j.devices.pvpanic;

import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.pci.BarKind;
import io.vmm4j.api.pci.PciFunction;

/** pvpanic on the PCI bus (QEMU, docs/specs/pvpanic): the register is BAR 0. */
final class PciPvpanic implements DeviceModel<PciPvpanicState> {
  private static final int VENDOR = 0x1B36;
  private static final int DEVICE = 0x0011;
  private static final int SYSTEM_OTHER = 0x08_80_00;
  private static final int BAR_BYTES = 16;

  private final PciFunction pci;

  PciPvpanic(DeviceContext context) {
    PciFunction.Builder builder =
        PciFunction.builder(context, VENDOR, DEVICE, SYSTEM_OTHER)
            .revision(1)
            .subsystem(0x1AF4, 0x1100);
    builder.memoryBar(0, BarKind.MEMORY_32, BAR_BYTES, AccessWidth.DWORD, new PanicEvents(context));
    pci = builder.build();
  }

  @Override
  public void reset() {
    pci.reset();
  }

  @Override
  public PciPvpanicState save() {
    return new PciPvpanicState(pci.save());
  }

  @Override
  public void restore(PciPvpanicState state) {
    pci.restore(state.pci());
  }
}

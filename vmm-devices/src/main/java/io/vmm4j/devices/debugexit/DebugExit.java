package io.vmm4j.devices.debugexit;

import io.vmm4j.api.VmExit;
import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.PortHandler;

/** A port whose first write ends the machine with what was written, as QEMU's isa-debug-exit. */
final class DebugExit implements DeviceModel<DebugExitState> {
  static final int PORTS = 4;

  DebugExit(DebugExitConfig config, DeviceContext context) {
    context.claimPorts(
        config.port(),
        PORTS,
        AccessWidth.DWORD,
        new PortHandler() {
          @Override
          public int read(int offset, int size) {
            return 0;
          }

          @Override
          public void write(int offset, int size, int value) {
            context.requestExit(new VmExit.DebugExit(value));
          }
        });
  }

  @Override
  public void reset() {
    // Nothing to reset.
  }

  @Override
  public DebugExitState save() {
    return new DebugExitState();
  }

  @Override
  public void restore(DebugExitState state) {
    // Nothing to restore.
  }
}

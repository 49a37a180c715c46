package io.vmm4j.devices.systemcontrol;

import io.vmm4j.api.VmExit;
import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.PortHandler;

/**
 * System control port A (IBM PS/2 hardware interface technical reference, "System control port A";
 * ICH9 datasheet, 13.7.2). Bit 0 resets the processor when it changes from 0 to 1. Bit 1 is the
 * gate of address line 20, which can be read back and has no effect: the line is always on.
 */
final class SystemControl implements DeviceModel<SystemControlState>, PortHandler {
  private static final int FAST_RESET = 1;
  private static final int A20 = 1 << 1;

  private final DeviceContext context;
  private int value;

  SystemControl(SystemControlConfig config, DeviceContext machine) {
    context = machine;
    machine.claimPorts(config.port(), 1, AccessWidth.BYTE, this);
  }

  @Override
  public void reset() {
    value = A20;
  }

  @Override
  public int read(int offset, int size) {
    return value;
  }

  @Override
  public void write(int offset, int size, int written) {
    boolean resets = (written & ~value & FAST_RESET) != 0;
    value = written & 0xFF;
    if (resets) {
      context.requestExit(new VmExit.Reset(VmExit.Reset.Cause.SYSTEM_CONTROL_PORT));
    }
  }

  @Override
  public SystemControlState save() {
    return new SystemControlState(value);
  }

  @Override
  public void restore(SystemControlState state) {
    value = state.value();
  }
}

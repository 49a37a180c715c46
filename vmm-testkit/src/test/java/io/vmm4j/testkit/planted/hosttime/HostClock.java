package io.vmm4j.testkit.planted.hosttime;

import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.PortHandler;

/** Its states are the same for an hour, so no comparison of runs would notice. */
final class HostClock implements DeviceModel<HostClockFactory.State>, PortHandler {
  private long hour;

  HostClock(DeviceContext context) {
    context.claimPorts(0x300, 1, AccessWidth.BYTE, this);
  }

  @Override
  public int read(int offset, int size) {
    hour = Hours.now();
    return (int) hour;
  }

  @Override
  public void write(int offset, int size, int value) {}

  @Override
  public void reset() {
    hour = 0;
  }

  @Override
  public HostClockFactory.State save() {
    return new HostClockFactory.State(hour);
  }

  @Override
  public void restore(HostClockFactory.State state) {
    hour = state.hour();
  }
}

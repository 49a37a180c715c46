package io.vmm4j.devices.debugcon;

import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.ByteChannelEndpoint;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.PortHandler;

/**
 * A port that sends each byte written to the console of the device's path, as Bochs has at 0xE9. A
 * read gives 0xE9, by which guests find it.
 */
final class DebugConsole implements DeviceModel<DebugConsoleState> {
  private static final int PRESENT = 0xE9;

  DebugConsole(DebugConsoleConfig config, DeviceContext context) {
    // Asked for now: the host looks for the console before the guest has written anything.
    ByteChannelEndpoint console = context.console();
    context.claimPorts(
        config.port(),
        1,
        AccessWidth.BYTE,
        new PortHandler() {
          @Override
          public int read(int offset, int size) {
            return PRESENT;
          }

          @Override
          public void write(int offset, int size, int value) {
            console.transmit(value);
          }
        });
  }

  @Override
  public void reset() {
    // Nothing to reset.
  }

  @Override
  public DebugConsoleState save() {
    return new DebugConsoleState();
  }

  @Override
  public void restore(DebugConsoleState state) {
    // Nothing to restore.
  }
}

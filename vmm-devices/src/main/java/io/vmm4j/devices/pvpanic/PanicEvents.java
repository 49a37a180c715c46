package io.vmm4j.devices.pvpanic;

import io.vmm4j.api.VmExit;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.MmioHandler;
import io.vmm4j.api.device.PortHandler;

/** The one register of pvpanic (QEMU, docs/specs/pvpanic): events that are known, and one told. */
final class PanicEvents implements PortHandler, MmioHandler {
  private static final int PANICKED = 1;

  /** The guest's crash kernel takes over: the machine goes on. */
  private static final int CRASH_LOADED = 1 << 1;

  private final DeviceContext context;

  PanicEvents(DeviceContext context) {
    this.context = context;
  }

  @Override
  public int read(int offset, int size) {
    return PANICKED | CRASH_LOADED;
  }

  @Override
  public void write(int offset, int size, int value) {
    if ((value & PANICKED) != 0) {
      context.requestExit(new VmExit.Panicked(""));
    }
  }

  @Override
  public long read(long offset, int size) {
    return offset == 0 ? read(0, size) : 0;
  }

  @Override
  public void write(long offset, int size, long value) {
    if (offset == 0) {
      write(0, size, (int) value);
    }
  }
}

package io.vmm4j.devices.pctestdev;

import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.InterruptLine;
import io.vmm4j.api.device.MmioHandler;
import io.vmm4j.api.device.PortHandler;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What kvm-unit-tests expect of QEMU's pc-testdev (hw/misc/pc-testdev.c): ports 0xE0 to 0xE3 that
 * remember, ports 0x2000 to 0x2017 of which each sets one interrupt line, and a trapped window of
 * 64 KiB at 0xFF000000 that remembers, so that accesses to it are emulated one by one.
 */
final class PcTestDevice implements DeviceModel<PcTestDeviceState> {
  private static final int MEMORY_PORT = 0xE0;
  static final int MEMORY_PORTS = 4;
  private static final int FLUSH_PORT = 0xE4;
  private static final int LINE_PORT = 0x2000;
  private static final int LINES = 24;
  private static final long WINDOW_BASE = 0xFF00_0000L;
  static final int PAGE_BYTES = 4096;
  static final int PAGES = 16;
  private static final int WINDOW_BYTES = PAGES * PAGE_BYTES;
  private static final byte[] ZEROS = new byte[PAGE_BYTES];

  private final byte[] ports = new byte[MEMORY_PORTS];
  private final byte[] window = new byte[WINDOW_BYTES];
  private final List<InterruptLine> wires = new ArrayList<>();
  private int lines;

  PcTestDevice(DeviceContext context) {
    for (int line = 0; line < LINES; line++) {
      wires.add(context.interruptLine(line));
    }
    context.claimPorts(MEMORY_PORT, MEMORY_PORTS, AccessWidth.DWORD, new MemoryPorts());
    context.claimPorts(FLUSH_PORT, 4, AccessWidth.DWORD, new FlushPort());
    context.claimPorts(LINE_PORT, LINES, AccessWidth.DWORD, new LinePorts());
    context.claimMmio(WINDOW_BASE, WINDOW_BYTES, AccessWidth.QWORD, new Window());
  }

  @Override
  public void reset() {
    Arrays.fill(ports, (byte) 0);
    Arrays.fill(window, (byte) 0);
    for (int line = 0; line < LINES; line++) {
      drive(line, false);
    }
  }

  @Override
  public PcTestDeviceState save() {
    List<PcTestDeviceState.Page> pages = new ArrayList<>();
    for (int number = 0; number < PAGES; number++) {
      int from = number * PAGE_BYTES;
      byte[] contents = Arrays.copyOfRange(window, from, from + PAGE_BYTES);
      if (!Arrays.equals(contents, ZEROS)) {
        pages.add(new PcTestDeviceState.Page(number, contents));
      }
    }
    return new PcTestDeviceState(ports.clone(), lines, pages);
  }

  @Override
  public void restore(PcTestDeviceState state) {
    System.arraycopy(state.ports(), 0, ports, 0, ports.length);
    Arrays.fill(window, (byte) 0);
    for (PcTestDeviceState.Page page : state.window()) {
      System.arraycopy(page.contents(), 0, window, page.number() * PAGE_BYTES, PAGE_BYTES);
    }
    for (int line = 0; line < LINES; line++) {
      drive(line, (state.lines() >> line & 1) != 0);
    }
  }

  private void drive(int line, boolean asserted) {
    lines = asserted ? lines | 1 << line : lines & ~(1 << line);
    wires.get(line).set(asserted);
  }

  private static long load(byte[] bytes, int offset, int size) {
    long value = 0;
    for (int i = size - 1; i >= 0; i--) {
      value = value << 8 | bytes[offset + i] & 0xFF;
    }
    return value;
  }

  private static void store(byte[] bytes, int offset, int size, long value) {
    for (int i = 0; i < size; i++) {
      bytes[offset + i] = (byte) (value >> 8 * i);
    }
  }

  private final class MemoryPorts implements PortHandler {
    @Override
    public int read(int offset, int size) {
      return (int) load(ports, offset, size);
    }

    @Override
    public void write(int offset, int size, int value) {
      store(ports, offset, size, value);
    }
  }

  /** QEMU drops a mapping behind the guest's back and makes it anew: nothing the guest sees. */
  private static final class FlushPort implements PortHandler {
    @Override
    public int read(int offset, int size) {
      return 0;
    }

    @Override
    public void write(int offset, int size, int value) {
      // Nothing to flush.
    }
  }

  private final class LinePorts implements PortHandler {
    @Override
    public int read(int offset, int size) {
      return 0;
    }

    @Override
    public void write(int offset, int size, int value) {
      drive(offset, value != 0);
    }
  }

  private final class Window implements MmioHandler {
    @Override
    public long read(long offset, int size) {
      return load(window, (int) offset, size);
    }

    @Override
    public void write(long offset, int size, long value) {
      store(window, (int) offset, size, value);
    }
  }
}

package io.vmm4j.devices.testwindow;

import io.vmm4j.api.MemorySize;
import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceMemoryMapping;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.GuestAccess;
import io.vmm4j.api.device.PortHandler;

/**
 * Device memory that the guest maps where it likes, as it would program a PCI BAR. Two registers of
 * 32 bits, little-endian, in which any width may be written:
 *
 * <ul>
 *   <li>0: the wanted page number (address / 4096). Takes effect with the next write to 4.
 *   <li>4: written, bits 0 and 1: 0 maps nothing, 1 read only, 2 read and write; 3 is refused, and
 *       so is a place where not all of it would be seen. Read: those bits as they are; bit 7,
 *       whether the last request was refused, and the old mapping kept; bits 16 to 31, the
 *       generation: how often it was mapped anew.
 * </ul>
 */
final class TestWindow implements DeviceModel<TestWindowState>, PortHandler {
  static final int PORTS = 8;

  private static final int PAGE_SHIFT = 12;
  private static final int CONTROL = 4;
  private static final int REFUSED = 0x80;
  private static final GuestAccess[] ACCESSES = {
    GuestAccess.OFF, GuestAccess.READ_ONLY, GuestAccess.READ_WRITE
  };

  private final DeviceMemoryMapping mapping;
  private int wantedPage;
  private int page;
  private GuestAccess access = GuestAccess.OFF;
  private int generation;
  private boolean refused;

  TestWindow(TestWindowConfig config, DeviceContext context) {
    mapping =
        context
            .deviceMemory("window", MemorySize.kibibytes(4L * config.pages()))
            .map(0, GuestAccess.OFF);
    context.claimPorts(config.port(), PORTS, AccessWidth.DWORD, this);
  }

  @Override
  public void reset() {
    wantedPage = 0;
    page = 0;
    access = GuestAccess.OFF;
    generation = 0;
    refused = false;
    mapping.remap(0, GuestAccess.OFF);
  }

  private static long address(int page) {
    return Integer.toUnsignedLong(page) << PAGE_SHIFT;
  }

  @Override
  public int read(int offset, int size) {
    int register = offset < CONTROL ? wantedPage : control();
    return register >>> (offset & 3) * 8;
  }

  private int control() {
    return access.ordinal() | (refused ? REFUSED : 0) | generation << 16;
  }

  @Override
  public void write(int offset, int size, int value) {
    int shift = (offset & 3) * 8;
    if (offset < CONTROL) {
      int written = (size == 4 ? -1 : (1 << 8 * size) - 1) << shift;
      wantedPage = wantedPage & ~written | value << shift & written;
    } else if (offset == CONTROL) {
      request(value & 3);
    }
  }

  private void request(int wantedAccess) {
    refused = true;
    if (wantedAccess < ACCESSES.length) {
      GuestAccess wanted = ACCESSES[wantedAccess];
      mapping.remap(address(wantedPage), wanted);
      if (wanted == GuestAccess.OFF || mapping.isSeen()) {
        page = wantedPage;
        access = wanted;
        generation = generation + 1 & 0xFFFF;
        refused = false;
      } else {
        mapping.remap(address(page), access);
      }
    }
  }

  @Override
  public TestWindowState save() {
    return new TestWindowState(wantedPage, page, access, generation, refused);
  }

  @Override
  public void restore(TestWindowState state) {
    wantedPage = state.wantedPage();
    page = state.page();
    access = state.access();
    generation = state.generation();
    refused = state.refused();
    mapping.remap(address(page), access);
  }
}

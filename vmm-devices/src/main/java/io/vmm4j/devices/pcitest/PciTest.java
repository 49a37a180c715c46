package io.vmm4j.devices.pcitest;

import io.vmm4j.api.MemorySize;
import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceMemory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.GuestAccess;
import io.vmm4j.api.device.MmioHandler;
import io.vmm4j.api.device.PortHandler;
import io.vmm4j.api.pci.BarKind;
import io.vmm4j.api.pci.PciFunction;

/**
 * A PCI function for tests, with an id that is free for experiments. What its BARs are:
 *
 * <ul>
 *   <li>0 and 1: memory, prefetchable, anywhere.
 *   <li>2: registers of 32 bits. 0 remembers; 4, written, asks for an interrupt by message {@code
 *       n}, or by the pin; 8, written, takes the pin back.
 *   <li>3: the same registers as ports.
 *   <li>4: the table of MSI-X.
 * </ul>
 */
final class PciTest implements DeviceModel<PciTestState> {
  private static final int VENDOR = 0x1AF4;
  private static final int DEVICE = 0x10FF;
  private static final int CLASS = 0x00FF00;
  private static final int REGISTER_BYTES = 16;
  private static final int REMEMBER = 0;
  private static final int RAISE = 4;
  private static final int TAKE_BACK = 8;

  private final PciFunction pci;
  private int scratch;

  PciTest(PciTestConfig config, DeviceContext context) {
    DeviceMemory memory =
        context.deviceMemory("memory", MemorySize.kibibytes(4L * config.memoryPages()));
    PciFunction.Builder builder =
        PciFunction.builder(context, VENDOR, DEVICE, CLASS).subsystem(VENDOR, 0x1100).pin(1);
    builder.memoryBar(0, BarKind.PREFETCHABLE_64, memory, GuestAccess.READ_WRITE);
    builder.memoryBar(2, BarKind.MEMORY_32, 4096, AccessWidth.DWORD, new Window());
    builder.portBar(3, REGISTER_BYTES, AccessWidth.DWORD, new Ports());
    builder.express(this::resetRegisters);
    if (config.messages() > 0) {
      builder.messages(config.messages());
    }
    if (config.tableEntries() > 0) {
      builder.messageTable(4, config.tableEntries());
    }
    pci = builder.build();
  }

  private void resetRegisters() {
    scratch = 0;
  }

  private int load(int offset) {
    return offset == REMEMBER ? scratch : 0;
  }

  private void store(int offset, int value) {
    switch (offset) {
      case REMEMBER -> scratch = value;
      case RAISE -> {
        if (!pci.raise(value)) {
          pci.setInterrupt(true);
        }
      }
      case TAKE_BACK -> pci.setInterrupt(false);
      default -> {
        // Reserved.
      }
    }
  }

  private final class Window implements MmioHandler {
    @Override
    public long read(long offset, int size) {
      return load((int) offset);
    }

    @Override
    public void write(long offset, int size, long value) {
      store((int) offset, (int) value);
    }
  }

  private final class Ports implements PortHandler {
    @Override
    public int read(int offset, int size) {
      return load(offset);
    }

    @Override
    public void write(int offset, int size, int value) {
      store(offset, value);
    }
  }

  @Override
  public void reset() {
    pci.reset();
    resetRegisters();
  }

  @Override
  public PciTestState save() {
    return new PciTestState(pci.save(), scratch);
  }

  @Override
  public void restore(PciTestState state) {
    pci.restore(state.pci());
    scratch = state.scratch();
  }
}

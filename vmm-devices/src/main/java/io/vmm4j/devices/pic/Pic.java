package io.vmm4j.devices.pic;

import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.InterruptLine;
import io.vmm4j.api.device.PlatformFact;
import io.vmm4j.api.device.PortHandler;

/**
 * The PC's two 8259A, the second cascaded on input 2 of the first (Intel 231468; the edge/level
 * control register as in the 82371SB data sheet, 2.5.2). They drive INTR.
 */
final class Pic implements DeviceModel<PicState> {
  private static final int CASCADE = 2;
  private static final int MASTER_PORT = 0x20;
  private static final int SLAVE_PORT = 0xA0;
  private static final int EDGE_LEVEL_PORT = 0x4D0;

  // IRQ 0 (timer), 1 (keyboard), 2 (cascade), 8 (RTC) and 13 (FPU) are always edge-triggered.
  private final Chip8259 master = new Chip8259(true, 0xF8);
  private final Chip8259 slave = new Chip8259(false, 0xDE);
  private final InterruptLine intr;

  @SuppressWarnings("unused") // Every device is made from its configuration.
  Pic(PicConfig config, DeviceContext context) {
    context.claimPorts(MASTER_PORT, 2, AccessWidth.BYTE, ports(master));
    context.claimPorts(SLAVE_PORT, 2, AccessWidth.BYTE, ports(slave));
    context.claimPorts(EDGE_LEVEL_PORT, 2, AccessWidth.BYTE, new EdgeLevelControl());
    context.claimInterruptLines(0, 16, this::lineChanged);
    intr = context.connectExternalInterrupt(this::acknowledge);
    context.describe(new PlatformFact.LegacyPics());
  }

  @Override
  public void reset() {
    master.reset();
    slave.reset();
    update();
  }

  private void lineChanged(int line, boolean asserted) {
    if (line >= 8) {
      slave.setPin(line - 8, asserted);
    } else if (line != CASCADE) {
      master.setPin(line, asserted);
    }
    update();
  }

  private int acknowledge() {
    int input = master.acknowledge();
    if (input != CASCADE) {
      update();
      return master.vector(input);
    }
    int vector = slave.vector(slave.acknowledge());
    // INT falls during the acknowledge cycle: what the slave asks for next is a new edge.
    master.setPin(CASCADE, false);
    update();
    return vector;
  }

  private void update() {
    master.setPin(CASCADE, slave.request() != Chip8259.NONE);
    intr.set(master.request() != Chip8259.NONE);
  }

  private PortHandler ports(Chip8259 chip) {
    return new PortHandler() {
      @Override
      public int read(int offset, int size) {
        int value = chip.read(offset);
        update();
        return value;
      }

      @Override
      public void write(int offset, int size, int value) {
        chip.write(offset, value);
        update();
      }
    };
  }

  private final class EdgeLevelControl implements PortHandler {
    @Override
    public int read(int offset, int size) {
      return (offset == 0 ? master : slave).readEdgeLevelControl();
    }

    @Override
    public void write(int offset, int size, int value) {
      (offset == 0 ? master : slave).writeEdgeLevelControl(value);
      update();
    }
  }

  @Override
  public PicState save() {
    return new PicState(master.save(), slave.save());
  }

  @Override
  public void restore(PicState state) {
    master.restore(state.master());
    slave.restore(state.slave());
    intr.set(master.request() != Chip8259.NONE);
  }
}

package io.vmm4j.devices.fwcfg;

import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.PortHandler;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * Items that firmware reads byte by byte: QEMU's fw_cfg in its port form (QEMU, docs/specs/fw_cfg).
 * A word written to the first port selects an item; the second gives its bytes, and zeros behind
 * its end. Nothing can be written, there is no DMA, and the directory has no files.
 */
final class FwCfg implements DeviceModel<FwCfgState>, PortHandler {
  static final int PORTS = 2;
  static final int LONGEST_ITEM = Long.BYTES;

  private static final int SIGNATURE = 0x00;
  private static final int ID = 0x01;
  private static final int RAM_SIZE = 0x03;
  private static final int CPUS = 0x05;
  private static final int MOST_CPUS = 0x0F;
  private static final int FILE_DIRECTORY = 0x19;

  private static final int TRADITIONAL_INTERFACE = 1;
  private static final int DATA = 1;
  private static final byte[] NO_ITEM = {};

  private final Map<Integer, byte[]> items;
  private int key;
  private int offset;

  FwCfg(FwCfgConfig config, DeviceContext context) {
    byte[] cpus = littleEndian(context.cpus(), Short.BYTES);
    items =
        Map.of(
            SIGNATURE,
            "QEMU".getBytes(StandardCharsets.US_ASCII),
            ID,
            littleEndian(TRADITIONAL_INTERFACE, Integer.BYTES),
            RAM_SIZE,
            littleEndian(context.ram().bytes(), Long.BYTES),
            CPUS,
            cpus,
            MOST_CPUS,
            cpus,
            FILE_DIRECTORY,
            new byte[Integer.BYTES]); // how many files there are
    context.claimPorts(config.port(), PORTS, AccessWidth.WORD, this);
  }

  private static byte[] littleEndian(long value, int count) {
    byte[] bytes = new byte[count];
    for (int i = 0; i < count; i++) {
      bytes[i] = (byte) (value >> 8 * i);
    }
    return bytes;
  }

  @Override
  public void reset() {
    key = SIGNATURE;
    offset = 0;
  }

  @Override
  public int read(int port, int size) {
    byte[] item = items.getOrDefault(key, NO_ITEM);
    return port == DATA && offset < item.length ? item[offset++] & 0xFF : 0;
  }

  @Override
  public void write(int port, int size, int value) {
    if (port == 0 && size == 2) {
      key = value;
      offset = 0;
    }
  }

  @Override
  public FwCfgState save() {
    return new FwCfgState(key, offset);
  }

  @Override
  public void restore(FwCfgState state) {
    key = state.key();
    offset = state.offset();
  }
}

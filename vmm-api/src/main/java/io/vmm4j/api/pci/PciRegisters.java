package io.vmm4j.api.pci;

import java.util.Arrays;

/**
 * The bytes of a configuration space: what they are, which bits a guest writes, and which it clears
 * by writing 1 (PCI 3.0, chapter 6).
 */
final class PciRegisters {
  static final int COMMAND = 0x04;
  static final int STATUS = 0x06;
  static final int BARS = 0x10;
  static final int PRIMARY_BUS = 0x18;
  static final int SECONDARY_BUS = 0x19;
  static final int SUBORDINATE_BUS = 0x1A;
  static final int CAPABILITIES = 0x34;
  static final int INTERRUPT_LINE = 0x3C;
  static final int INTERRUPT_PIN = 0x3D;

  static final int COMMAND_IO = 1;
  static final int COMMAND_MEMORY = 1 << 1;
  static final int COMMAND_BUS_MASTER = 1 << 2;
  static final int COMMAND_INTX_DISABLE = 1 << 10;
  static final int STATUS_INTERRUPT = 1 << 3;
  static final int STATUS_CAPABILITIES = 1 << 4;

  private final byte[] values = new byte[ConfigSpace.BYTES];
  private final byte[] initial = new byte[ConfigSpace.BYTES];
  private final byte[] writable = new byte[ConfigSpace.BYTES];
  private final byte[] cleared = new byte[ConfigSpace.BYTES];
  private int used = 256;

  /** Says what a register is after power-on, and which of its bits a guest writes or clears. */
  void define(int offset, int size, long value, long writableBits, long clearedBits) {
    for (int i = 0; i < size; i++) {
      initial[offset + i] = (byte) (value >>> 8 * i);
      writable[offset + i] = (byte) (writableBits >>> 8 * i);
      cleared[offset + i] = (byte) (clearedBits >>> 8 * i);
    }
    used = Math.max(used, (offset + size + 255) & ~255);
  }

  void reset() {
    System.arraycopy(initial, 0, values, 0, values.length);
  }

  long get(int offset, int size) {
    long value = 0;
    for (int i = size - 1; i >= 0; i--) {
      value = value << 8 | values[offset + i] & 0xFF;
    }
    return value;
  }

  /** Sets bits that the device has. */
  void set(int offset, int size, long value) {
    for (int i = 0; i < size; i++) {
      values[offset + i] = (byte) (value >>> 8 * i);
    }
  }

  /** What a guest's store does. */
  void store(int offset, int size, int value) {
    for (int i = 0; i < size; i++) {
      int at = offset + i;
      int stored = value >>> 8 * i & 0xFF;
      int kept = values[at] & ~writable[at] & ~(cleared[at] & stored);
      values[at] = (byte) (kept | stored & writable[at]);
    }
  }

  byte[] save() {
    return Arrays.copyOf(values, used);
  }

  /** Takes what a guest or the device may have changed; the rest is what the device is made of. */
  void restore(byte[] saved) {
    reset();
    for (int at = 0; at < Math.min(saved.length, used); at++) {
      int taken = writable[at] | cleared[at];
      values[at] = (byte) (values[at] & ~taken | saved[at] & taken);
    }
  }
}

package io.vmm4j.api.pci;

import io.vmm4j.api.device.MessageInterrupts;

/** MSI (PCI 3.0, 6.8.1) with 64-bit addresses and a mask for each vector. */
final class Messages {
  static final int BYTES = 24;

  private static final int CONTROL = 2;
  private static final int ADDRESS = 4;
  private static final int DATA = 12;
  private static final int MASK = 16;
  private static final int PENDING = 20;
  private static final int ENABLE = 1;
  private static final int WIDE_AND_MASKED = 1 << 7 | 1 << 8;

  private final PciRegisters registers;
  private final MessageInterrupts target;
  private final int at;
  private final int vectors;

  /**
   * Puts the capability at an offset, behind its header.
   *
   * @param vectors 1, 2, 4, 8, 16 or 32
   */
  Messages(PciRegisters registers, MessageInterrupts target, int at, int vectors) {
    this.registers = registers;
    this.target = target;
    this.at = at;
    this.vectors = vectors;
    int log = Integer.numberOfTrailingZeros(vectors);
    registers.define(at + CONTROL, 2, WIDE_AND_MASKED | log << 1, 0x71, 0);
    registers.define(at + ADDRESS, 8, 0, ~3L, 0);
    registers.define(at + DATA, 2, 0, 0xFFFF, 0);
    registers.define(at + MASK, 4, 0, (1L << vectors) - 1, 0);
  }

  boolean isEnabled() {
    return (registers.get(at + CONTROL, 2) & ENABLE) != 0;
  }

  /** How many of the vectors the guest has given messages. */
  private int granted() {
    int log = (int) registers.get(at + CONTROL, 2) >> 4 & 7;
    return Math.min(1 << Math.min(log, 5), vectors);
  }

  void raise(int vector) {
    int message = vector & granted() - 1;
    long bit = 1L << message;
    if ((registers.get(at + MASK, 4) & bit) != 0) {
      registers.set(at + PENDING, 4, registers.get(at + PENDING, 4) | bit);
    } else {
      int data = (int) registers.get(at + DATA, 2) & ~(granted() - 1) | message;
      target.send(registers.get(at + ADDRESS, 8), data);
    }
  }

  /** Sends what waited for a mask that has gone. */
  void written() {
    long pending = registers.get(at + PENDING, 4);
    long ready = isEnabled() ? pending & ~registers.get(at + MASK, 4) : 0;
    registers.set(at + PENDING, 4, pending & ~ready);
    for (int vector = 0; vector < vectors; vector++) {
      if ((ready >> vector & 1) != 0) {
        raise(vector);
      }
    }
  }

  void restore(byte[] config) {
    long pending = 0;
    for (int i = 3; i >= 0; i--) {
      pending = pending << 8 | config[at + PENDING + i] & 0xFF;
    }
    registers.set(at + PENDING, 4, pending & (1L << vectors) - 1);
  }
}

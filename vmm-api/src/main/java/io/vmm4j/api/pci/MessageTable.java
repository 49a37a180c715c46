package io.vmm4j.api.pci;

import io.vmm4j.api.device.MessageInterrupts;
import io.vmm4j.api.device.MmioHandler;
import java.util.ArrayList;
import java.util.List;

/** MSI-X (PCI 3.0, 6.8.2): the table, and behind it the pending bits, in a BAR of their own. */
final class MessageTable implements MmioHandler {
  static final int BYTES = 12;

  private static final int CONTROL = 2;
  private static final int TABLE = 4;
  private static final int PENDING_BITS = 8;
  private static final int ENABLE = 1 << 15;
  private static final int FUNCTION_MASK = 1 << 14;
  private static final int ENTRY_BYTES = 16;
  private static final int MASKED = 1;

  private final PciRegisters registers;
  private final MessageInterrupts target;
  private final int at;
  private final long[] addresses;
  private final int[] data;
  private final int[] controls;
  private final boolean[] pending;

  /** Puts the capability at an offset, behind its header. */
  MessageTable(
      PciRegisters registers, MessageInterrupts target, int at, int vectors, int barIndex) {
    this.registers = registers;
    this.target = target;
    this.at = at;
    addresses = new long[vectors];
    data = new int[vectors];
    controls = new int[vectors];
    pending = new boolean[vectors];
    registers.define(at + CONTROL, 2, vectors - 1, ENABLE | FUNCTION_MASK, 0);
    registers.define(at + TABLE, 4, barIndex, 0, 0);
    registers.define(at + PENDING_BITS, 4, pendingOffset() | barIndex, 0, 0);
  }

  private long pendingOffset() {
    return (long) addresses.length * ENTRY_BYTES + 7 & ~7;
  }

  /** How large its BAR is. */
  long size() {
    long bytes = pendingOffset() + (addresses.length + 63) / 64 * 8L;
    return Math.max(4096, Long.highestOneBit(bytes * 2 - 1));
  }

  private int control() {
    return (int) registers.get(at + CONTROL, 2);
  }

  boolean isEnabled() {
    return (control() & ENABLE) != 0;
  }

  private boolean isMasked(int vector) {
    return (control() & FUNCTION_MASK) != 0 || (controls[vector] & MASKED) != 0;
  }

  void raise(int vector) {
    if (vector < 0 || vector >= addresses.length) {
      return;
    }
    if (isMasked(vector)) {
      pending[vector] = true;
    } else {
      target.send(addresses[vector], data[vector]);
    }
  }

  /** Sends what waited for a mask that has gone. */
  void written() {
    if (!isEnabled()) {
      return;
    }
    for (int vector = 0; vector < pending.length; vector++) {
      if (pending[vector] && !isMasked(vector)) {
        pending[vector] = false;
        target.send(addresses[vector], data[vector]);
      }
    }
  }

  void reset() {
    for (int vector = 0; vector < addresses.length; vector++) {
      addresses[vector] = 0;
      data[vector] = 0;
      controls[vector] = MASKED;
      pending[vector] = false;
    }
  }

  @Override
  public long read(long offset, int size) {
    long word = size == 8 ? word(offset & ~7) : word(offset & ~7) >>> 8 * (offset & 7);
    return word;
  }

  /** Eight bytes of the table or the pending bits. */
  private long word(long offset) {
    if (offset < pendingOffset()) {
      int vector = (int) (offset / ENTRY_BYTES);
      if (vector >= addresses.length) {
        return 0;
      }
      return offset % ENTRY_BYTES == 0
          ? addresses[vector]
          : (long) controls[vector] << 32 | data[vector] & 0xFFFF_FFFFL;
    }
    long bits = 0;
    int first = (int) (offset - pendingOffset()) * 8;
    for (int i = 0; i < 64 && first + i < pending.length; i++) {
      bits |= pending[first + i] ? 1L << i : 0;
    }
    return bits;
  }

  @Override
  public void write(long offset, int size, long value) {
    int vector = (int) (offset / ENTRY_BYTES);
    if (offset >= pendingOffset() || vector >= addresses.length || size < 4) {
      return; // entries are written in double words (PCI 3.0, 6.8.2)
    }
    long shift = 8 * (offset & 7);
    long mask = (size == 8 ? -1 : 0xFFFF_FFFFL) << shift;
    long word = word(offset & ~7) & ~mask | value << shift & mask;
    if (offset % ENTRY_BYTES < 8) {
      addresses[vector] = word & ~3L;
    } else {
      data[vector] = (int) word;
      controls[vector] = (int) (word >>> 32) & MASKED;
    }
    written();
  }

  List<PciFunctionState.Vector> save() {
    List<PciFunctionState.Vector> saved = new ArrayList<>();
    for (int vector = 0; vector < addresses.length; vector++) {
      saved.add(
          new PciFunctionState.Vector(
              addresses[vector], data[vector], controls[vector], pending[vector]));
    }
    return saved;
  }

  void restore(List<PciFunctionState.Vector> saved) {
    if (saved.size() != addresses.length) {
      throw new IllegalArgumentException(
          "vectors: %d, but the device has %d".formatted(saved.size(), addresses.length));
    }
    for (int vector = 0; vector < addresses.length; vector++) {
      addresses[vector] = saved.get(vector).address() & ~3L;
      data[vector] = saved.get(vector).data();
      controls[vector] = saved.get(vector).control() & MASKED;
      pending[vector] = saved.get(vector).pending();
    }
  }
}

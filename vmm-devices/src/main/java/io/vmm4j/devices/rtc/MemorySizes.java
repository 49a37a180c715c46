package io.vmm4j.devices.rtc;

import io.vmm4j.api.memory.GuestMemory;

/**
 * The bytes in which PC firmware looks for the amount of RAM: the original ones of the AT and those
 * of later firmware (SeaBIOS, src/hw/rtc.h). The RAM is found by asking for it.
 */
final class MemorySizes {
  private static final long KIB = 1L << 10;
  private static final long MIB = 1L << 20;
  private static final long HIGH_BASE = 1L << 32;
  private static final long MOST = 1L << 40;
  private static final long UNIT = 64 * KIB;

  private MemorySizes() {}

  static void store(GuestMemory ram, byte[] memory) {
    long base = Math.min(extent(ram, 0, KIB, 640 * KIB), 640 * KIB);
    long extended = extent(ram, MIB, UNIT, HIGH_BASE - MIB);
    long high = extent(ram, HIGH_BASE, UNIT, MOST);
    put(memory, 0x15, base / KIB, 2);
    put(memory, 0x17, Math.min(extended / KIB, 0xFFFF), 2);
    put(memory, 0x30, Math.min(extended / KIB, 0xFFFF), 2);
    long above16Mib = Math.max(0, extended - 15 * MIB);
    put(memory, 0x34, Math.min(above16Mib / UNIT, 0xFFFF), 2);
    put(memory, 0x5B, Math.min(high / UNIT, 0xFF_FFFF), 3);
  }

  /** How far the memory reaches from a base, in steps of a unit, up to a limit. */
  private static long extent(GuestMemory ram, long base, long unit, long limit) {
    long least = 0;
    long most = limit / unit;
    while (least < most) {
      long middle = (least + most + 1) / 2;
      if (ram.contains(base, middle * unit)) {
        least = middle;
      } else {
        most = middle - 1;
      }
    }
    return least * unit;
  }

  private static void put(byte[] memory, int index, long value, int count) {
    for (int i = 0; i < count; i++) {
      memory[index + i] = (byte) (value >> 8 * i);
    }
  }
}

package io.vmm4j.engine.memory;

import java.util.ArrayList;
import java.util.List;

/**
 * Where a PC's RAM lies in the guest physical address space: from 0 to 640 KiB, from 768 KiB to 1
 * MiB as shadow RAM, from 1 MiB up to 3 GiB, and the rest from 4 GiB. What is not RAM below 4 GiB
 * belongs to VGA (never mapped here), PCI windows, APICs and ROMs. Offsets into the machine's one
 * segment equal addresses below 3 GiB; the 128 KiB at 640 KiB are left unused.
 */
public final class RamLayout {
  /** Where the hole for VGA memory begins. */
  public static final long VGA_HOLE = 0xA_0000;

  /** Where RAM goes on behind what firmware covers. */
  public static final long EXTENDED = 0x10_0000;

  /** The end of the lower RAM at most: 3 GiB. */
  public static final long LOW_END = 3L << 30;

  /** Where the upper RAM begins: 4 GiB. */
  public static final long HIGH = 4L << 30;

  private static final long SHADOW = 0xC_0000;

  private RamLayout() {}

  /** The ranges that are RAM whatever is mapped, by address. */
  public static List<MemoryRange> fixed(long ramBytes) {
    List<MemoryRange> ranges = new ArrayList<>();
    add(ranges, 0, Math.min(ramBytes, VGA_HOLE), 0);
    add(ranges, EXTENDED, Math.min(ramBytes, LOW_END), EXTENDED);
    add(ranges, HIGH, HIGH + ramBytes - LOW_END, LOW_END);
    return ranges;
  }

  /** The ranges that give way to what is mapped over them. */
  public static List<MemoryRange> shadow(long ramBytes) {
    long end = Math.min(ramBytes, EXTENDED);
    return end > SHADOW ? List.of(MemoryRange.shadowRam(SHADOW, end - SHADOW, SHADOW)) : List.of();
  }

  private static void add(List<MemoryRange> ranges, long from, long end, long offset) {
    if (end > from) {
      ranges.add(MemoryRange.ram(from, end - from, offset));
    }
  }
}

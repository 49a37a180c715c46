package io.vmm4j.engine.boot;

import io.vmm4j.engine.memory.RamLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * The memory map that firmware or a boot loader tells a kernel, as the BIOS function INT 15h
 * AX=E820h does: what of the RAM ({@link RamLayout}) is free.
 *
 * @param ramBytes all of RAM
 */
public record BiosMemoryMap(long ramBytes) {
  /** Where the extended BIOS data area begins, and conventional memory ends. */
  static final long CONVENTIONAL_END = 0x9_FC00;

  static final long FIRMWARE_BASE = 0xE_0000;

  private static final int USABLE = 1;
  private static final int RESERVED = 2;

  /** A range as the BIOS function reports it; type 1 is usable, 2 reserved. */
  record Range(long address, long length, int type) {}

  /** Refuses a size that is not positive. */
  public BiosMemoryMap {
    if (ramBytes <= 0) {
      throw new IllegalArgumentException("ramBytes: more than 0, not " + ramBytes);
    }
  }

  /** Bytes of RAM from address 0. */
  public long lowBytes() {
    return Math.min(ramBytes, RamLayout.LOW_END);
  }

  /** Bytes of RAM from 4 GiB, possibly 0. */
  public long highBytes() {
    return ramBytes - lowBytes();
  }

  /** Bytes of conventional memory: what is free below the extended BIOS data area. */
  public long conventionalBytes() {
    return Math.min(ramBytes, CONVENTIONAL_END);
  }

  /** Whether there is RAM for an extended BIOS data area at the end of conventional memory. */
  boolean hasExtendedBiosData() {
    return ramBytes >= RamLayout.VGA_HOLE;
  }

  /** Whether all of {@code [address, address + length)} is RAM; both are unsigned. */
  public boolean contains(long address, long length) {
    if (address < 0 || length < 0) {
      return false;
    }
    return within(address, length, 0, lowBytes())
        || within(address, length, RamLayout.HIGH, highBytes());
  }

  private static boolean within(long address, long length, long base, long size) {
    return address >= base && length <= size && address - base <= size - length;
  }

  /** The memory map that a guest is told, in ascending order without overlaps. */
  List<Range> map() {
    List<Range> ranges = new ArrayList<>();
    add(ranges, 0, conventionalBytes(), USABLE);
    ranges.add(new Range(CONVENTIONAL_END, RamLayout.VGA_HOLE - CONVENTIONAL_END, RESERVED));
    ranges.add(new Range(FIRMWARE_BASE, RamLayout.EXTENDED - FIRMWARE_BASE, RESERVED));
    add(ranges, RamLayout.EXTENDED, lowBytes() - RamLayout.EXTENDED, USABLE);
    add(ranges, RamLayout.HIGH, highBytes(), USABLE);
    return ranges;
  }

  private static void add(List<Range> ranges, long address, long length, int type) {
    if (length > 0) {
      ranges.add(new Range(address, length, type));
    }
  }
}

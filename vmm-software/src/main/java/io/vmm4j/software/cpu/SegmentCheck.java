package io.vmm4j.software.cpu;

/** The checks of segment type and limit outside 64-bit mode (Intel SDM volume 3, 5.3 and 5.4). */
final class SegmentCheck {
  private SegmentCheck() {}

  /** The linear address of an access, or #GP(0), or #SS(0) if the segment is SS. */
  static long linear(Cpu cpu, int segment, long offset, int size, boolean write) {
    if (!allows(cpu, segment, offset, size, write)) {
      throw cpu.raise(segment == Cpu.SS ? Cpu.SS_FAULT : Cpu.GP, 0);
    }
    return cpu.seg[segment].base + offset & 0xFFFFFFFFL;
  }

  /** Whether a segment allows an access. */
  static boolean allows(Cpu cpu, int segment, long offset, int size, boolean write) {
    Segment s = cpu.seg[segment];
    return (!cpu.protectedMode || typeAllows(s, write)) && limitAllows(s, offset, size);
  }

  private static boolean typeAllows(Segment s, boolean write) {
    if (s.unusable()) {
      return false;
    }
    boolean code = (s.attributes & 8) != 0;
    boolean readableOrWritable = (s.attributes & 2) != 0;
    return write ? !code && readableOrWritable : !code || readableOrWritable;
  }

  private static boolean limitAllows(Segment s, long offset, int size) {
    long last = offset + size - 1;
    if ((s.attributes & 0xC) == 4) { // expand-down data
      long top = s.big() ? 0xFFFFFFFFL : 0xFFFF;
      return offset > s.limit && last <= top;
    }
    return last <= s.limit;
  }
}

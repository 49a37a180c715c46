package io.vmm4j.software.system;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Segment;

/**
 * A stack that something is pushed onto before SS and RSP are loaded with it, so that a fault
 * leaves both as they were.
 */
final class InnerStack {
  private final Cpu cpu;
  private final Segment segment;
  private final int cpl;
  private final int error;
  private final boolean flat;
  private final long mask;
  private long pointer;

  /**
   * A stack outside of 64-bit mode.
   *
   * @param cpl the privilege of the pushes
   * @param error the error code of #SS when there is no room
   */
  InnerStack(Cpu cpu, Segment segment, long pointer, int cpl, int error) {
    this.cpu = cpu;
    this.segment = segment;
    this.cpl = cpl;
    this.error = error;
    this.flat = false;
    this.mask = segment.big() ? 0xFFFFFFFFL : 0xFFFF;
    this.pointer = pointer;
  }

  /** A stack of 64-bit mode. */
  InnerStack(Cpu cpu, long pointer, int cpl, int error) {
    this.cpu = cpu;
    this.segment = cpu.seg[Cpu.SS];
    this.cpl = cpl;
    this.error = error;
    this.flat = true;
    this.mask = -1;
    this.pointer = pointer;
  }

  void push(long value, int size) {
    long next = pointer - size & mask;
    long linear;
    if (flat) {
      if (!Descriptor.isCanonical(next) || !Descriptor.isCanonical(next + size - 1)) {
        throw cpu.raise(Cpu.SS_FAULT, error);
      }
      linear = next;
    } else {
      if (!Segmentation.within(segment, next, size)) {
        throw cpu.raise(Cpu.SS_FAULT, error);
      }
      linear = segment.base + next & 0xFFFFFFFFL;
    }
    if (cpl == 3) {
      cpu.mmu.write(linear, size, value);
    } else {
      cpu.mmu.systemWrite(linear, size, value);
    }
    pointer = next;
  }

  /** What RSP becomes: bits above the stack's width are those of the old one. */
  long pointer(long old) {
    return mask == 0xFFFF ? old & ~0xFFFFL | pointer : pointer;
  }
}

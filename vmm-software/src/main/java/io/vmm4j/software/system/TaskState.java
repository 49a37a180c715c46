package io.vmm4j.software.system;

import static io.vmm4j.software.cpu.Cpu.TR;
import static io.vmm4j.software.cpu.Cpu.TS;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Segment;

/** What is read from the task state segment (Intel SDM volume 3, 7.2 and 7.7). */
final class TaskState {
  private static final int IO_MAP_BASE = 0x66;
  private static final int IST1_64 = 36;

  private TaskState() {}

  /**
   * The stack of a privilege level outside of long mode, checked.
   *
   * @param into receives what SS becomes
   * @return what ESP becomes
   */
  static long stack(Cpu cpu, int cpl, Segment into, int external) {
    Segment tr = cpu.seg[TR];
    boolean wide = (tr.type() & 8) != 0;
    int offset = wide ? 4 + 8 * cpl : 2 + 4 * cpl;
    int bytes = wide ? 6 : 4;
    if (tr.unusable() || offset + bytes - 1 > tr.limit) {
      throw cpu.raise(TS, Descriptor.error(tr.selector, external));
    }
    long at = tr.base + offset;
    long pointer = cpu.mmu.systemRead(at & 0xFFFFFFFFL, wide ? 4 : 2);
    int selector = (int) cpu.mmu.systemRead(at + (wide ? 4 : 2) & 0xFFFFFFFFL, 2);
    if (Descriptor.isNull(selector)) {
      throw cpu.raise(TS, external);
    }
    long raw = Segmentation.checkStack(cpu, selector, cpl, TS, external);
    Descriptor.markAccessed(cpu, selector, raw);
    Descriptor.fill(into, selector, raw);
    return pointer;
  }

  /** RSP of a privilege level in long mode. */
  static long stack64(Cpu cpu, int cpl, int external) {
    return read64(cpu, 4 + 8 * cpl, external);
  }

  /** A pointer of the interrupt stack table, 1 to 7. */
  static long interruptStack(Cpu cpu, int ist, int external) {
    return read64(cpu, IST1_64 + 8 * (ist - 1), external);
  }

  private static long read64(Cpu cpu, int offset, int external) {
    Segment tr = cpu.seg[TR];
    if (tr.unusable() || offset + 7 > tr.limit) {
      throw cpu.raise(TS, Descriptor.error(tr.selector, external));
    }
    return cpu.mmu.systemRead(tr.base + offset, 8);
  }

  /** Whether the I/O permission map allows an access to {@code size} ports from {@code port} on. */
  static boolean allowsPorts(Cpu cpu, int port, int size) {
    Segment tr = cpu.seg[TR];
    if (tr.unusable() || (tr.type() & 8) == 0 || tr.limit < IO_MAP_BASE + 1) {
      return false;
    }
    long map = cpu.mmu.systemRead(tr.base + IO_MAP_BASE, 2);
    long at = map + (port >> 3);
    if (at + 1 > tr.limit) {
      return false;
    }
    int bits = (int) cpu.mmu.systemRead(tr.base + at, 2);
    return (bits >> (port & 7) & (1 << size) - 1) == 0;
  }
}

package io.vmm4j.software.system;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Segment;

/**
 * Segment and system descriptors (Intel SDM volume 3, 3.4.5 and 3.5): their 8 bytes are kept as a
 * {@code long}, whose fields the methods here give; and the tables they are in.
 */
final class Descriptor {
  static final int TSS16_AVAILABLE = 1;
  static final int LDT = 2;
  static final int TSS16_BUSY = 3;
  static final int CALL_GATE16 = 4;
  static final int TASK_GATE = 5;
  static final int INTERRUPT_GATE16 = 6;
  static final int TRAP_GATE16 = 7;
  static final int TSS_AVAILABLE = 9;
  static final int TSS_BUSY = 11;
  static final int CALL_GATE = 12;
  static final int INTERRUPT_GATE = 14;
  static final int TRAP_GATE = 15;

  /** Where the type is in a descriptor. */
  private static final int TYPE_BYTE = 5;

  private Descriptor() {}

  // ---- fields ----

  static long base(long raw) {
    return raw >>> 16 & 0xFFFFFF | raw >>> 32 & 0xFF000000L;
  }

  /** The last valid offset, granularity applied. */
  static long limit(long raw) {
    long limit = raw & 0xFFFF | raw >>> 32 & 0xF0000;
    return (raw & 1L << 55) != 0 ? limit << 12 | 0xFFF : limit;
  }

  /** In the form of {@link Segment#attributes}. */
  static int attributes(long raw) {
    return (int) (raw >>> 40) & 0xF0FF;
  }

  /** The type: of 4 bits. */
  static int type(long raw) {
    return (int) (raw >>> 40) & 15;
  }

  static int dpl(long raw) {
    return (int) (raw >>> 45) & 3;
  }

  static boolean present(long raw) {
    return (raw & 1L << 47) != 0;
  }

  /** Whether it is of a code or data segment: S is set. */
  static boolean isSegment(long raw) {
    return (raw & 1L << 44) != 0;
  }

  static boolean isCode(long raw) {
    return (raw >>> 40 & 0x18) == 0x18;
  }

  static boolean isConformingCode(long raw) {
    return (raw >>> 40 & 0x1C) == 0x1C;
  }

  static boolean isReadable(long raw) {
    return (raw >>> 40 & 0x18) == 0x10 || (raw >>> 40 & 0x1A) == 0x1A;
  }

  static boolean isWritableData(long raw) {
    return (raw >>> 40 & 0x1A) == 0x12;
  }

  static boolean isLong(long raw) {
    return (raw & 1L << 53) != 0;
  }

  static boolean isBig(long raw) {
    return (raw & 1L << 54) != 0;
  }

  /** A gate's target selector. */
  static int gateSelector(long raw) {
    return (int) (raw >>> 16) & 0xFFFF;
  }

  /** The low 32 bits of a gate's target offset. */
  static long gateOffset(long raw) {
    return raw & 0xFFFF | raw >>> 32 & 0xFFFF0000L;
  }

  // ---- selectors ----

  static boolean isNull(int selector) {
    return (selector & 0xFFFC) == 0;
  }

  static int rpl(int selector) {
    return selector & 3;
  }

  /** The error code that names a selector. */
  static int error(int selector, int external) {
    return selector & 0xFFFC | external;
  }

  // ---- tables ----

  /**
   * The linear address of the descriptor a selector names, or -1 if it lies outside of its table.
   *
   * @param bytes 8, or 16 for the system descriptors of long mode
   */
  static long address(Cpu cpu, int selector, int bytes) {
    long base = cpu.gdtrBase;
    long limit = cpu.gdtrLimit;
    if ((selector & 4) != 0) {
      Segment ldt = cpu.seg[Cpu.LDTR];
      if (ldt.unusable()) {
        return -1;
      }
      base = ldt.base;
      limit = ldt.limit;
    }
    int offset = selector & 0xFFF8;
    if (offset + bytes - 1 > limit) {
      return -1;
    }
    long linear = base + offset;
    return cpu.longMode ? linear : linear & 0xFFFFFFFFL;
  }

  /** The descriptor a selector names, or {@code vector} with its error code if there is none. */
  static long read(Cpu cpu, int selector, int vector, int external) {
    long at = address(cpu, selector, 8);
    if (at == -1) {
      throw cpu.raise(vector, error(selector, external));
    }
    return cpu.mmu.systemRead(at, 8);
  }

  /** The upper half of a 16-byte system descriptor. */
  static long readHigh(Cpu cpu, int selector, int vector, int external) {
    long at = address(cpu, selector, 16);
    if (at == -1) {
      throw cpu.raise(vector, error(selector, external));
    }
    return cpu.mmu.systemRead(at + 8, 8);
  }

  /** Sets the accessed bit of a code or data segment in its table. */
  static void markAccessed(Cpu cpu, int selector, long raw) {
    if ((raw & 1L << 40) == 0) {
      setType(cpu, selector, raw, 1);
    }
  }

  /** Sets bits of a descriptor's type in its table. */
  static void setType(Cpu cpu, int selector, long raw, int bits) {
    long at = address(cpu, selector, 8) + TYPE_BYTE;
    long type = raw >>> 40 & 0xFF;
    while (!cpu.mmu.systemReplace(at, type, type | bits)) {
      type = cpu.mmu.systemRead(at, 1); // another vCPU has changed it
    }
  }

  /** Clears bits of a descriptor's type in its table. */
  static void clearType(Cpu cpu, int selector, long raw, int bits) {
    long at = address(cpu, selector, 8) + TYPE_BYTE;
    long type = raw >>> 40 & 0xFF;
    while (!cpu.mmu.systemReplace(at, type, type & ~bits)) {
      type = cpu.mmu.systemRead(at, 1);
    }
  }

  /** Fills a segment register from a descriptor, as accessed. */
  static void fill(Segment segment, int selector, long raw) {
    segment.set(selector, base(raw), limit(raw), attributes(raw) | 1);
  }

  /** Whether a linear address is canonical (48 bits). */
  static boolean isCanonical(long linear) {
    return linear << 16 >> 16 == linear;
  }
}

package io.vmm4j.software.machinecode;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Flags;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.nio.LongBuffer;

/**
 * What machine code reads and writes of one vCPU in one address space, outside of the Java heap:
 * registers, flags, the data translations, the jump targets. Offsets are from its base, which lies
 * {@value #BASE} bytes behind its beginning so that the general registers are reached with
 * displacements of a byte.
 *
 * <p>The flags are a word as LAHF and SETO give it: OF in bit 0, SF, ZF, AF, PF and CF in the high
 * byte.
 */
final class StateBlock {
  private static final int BASE = 128;

  private static final int ALIGNMENT = 64;

  /** SETO's byte: 1 if OF is set. */
  static final int FLAGS = 0;

  /** LAHF's byte. */
  static final int FLAGS_HIGH = 1;

  /** RIP of the beginning of the page that code runs in: RIP less the offset in its page. */
  static final int PAGE_RIP = 8;

  /** Why code was left: see {@link Exit}. */
  static final int EXIT = 16;

  /** MXCSR of the guest. */
  static final int MXCSR = 20;

  /** MXCSR of the host, while machine code runs. */
  static final int HOST_MXCSR = 24;

  /** Bases of FS and GS. */
  static final int FS_BASE = 32;

  static final int GS_BASE = 40;

  /** Where machine code is entered. */
  static final int ENTRY = 48;

  /** The budget on the way in and out. */
  static final int BUDGET = 56;

  /** RIP that was looked for in vain. */
  static final int TARGET = 64;

  /** A value that an instruction keeps over an access. */
  static final int TEMPORARY = 72;

  /** RFLAGS but for the arithmetic flags. */
  static final int SYSTEM_FLAGS = 88;

  /** What SWAPGS exchanges the base of GS with. */
  static final int KERNEL_GS_BASE = 96;

  /** The selectors of ES to GS, 4 bytes each. */
  static final int SELECTORS = 104;

  /** Not 0 if a signal or an interrupt waits. */
  static final int ATTENTION = 400;

  /** Two more values that an instruction keeps over an access. */
  static final int SECOND_TEMPORARY = 384;

  static final int THIRD_TEMPORARY = 392;

  /** The address that code memory is executed at. */
  static final int CODE_BASE = 80;

  /** XMM0 to XMM15. */
  static final int XMM = 128;

  /** YMM0 to YMM15, for processors that have them; {@link #XMM} is not used then. */
  static final int YMM = 448;

  /** The tables of data translations, one for each kind of privilege. */
  static final int TLB = 1024;

  static final int TLB_ENTRIES = 2048;
  static final int TLB_ENTRY_BYTES = 32;
  static final int TLB_BYTES = TLB_ENTRIES * TLB_ENTRY_BYTES;

  /** In an entry: the tags for loads and for stores, and the host's address of the page. */
  static final int READ_TAG = 0;

  static final int WRITE_TAG = 8;
  static final int HOST_PAGE = 16;

  /** The kinds of privilege that machine code runs in. */
  static final int KINDS = 3;

  /**
   * The tables of code pages, one for each {@link Mode}: from a linear page to the table of the
   * code in its memory ({@link CodePages}).
   */
  static final int PAGES = TLB + KINDS * TLB_BYTES;

  static final int PAGE_ENTRIES = 1024;
  static final int PAGE_ENTRY_BYTES = 16;
  static final int PAGE_BYTES = PAGE_ENTRIES * PAGE_ENTRY_BYTES;

  /** In an entry: the linear page, and the address of the table. */
  static final int PAGE_TAG = 0;

  static final int PAGE_TABLE = 8;

  private static final int BYTES = BASE + PAGES + Mode.COUNT * PAGE_BYTES;

  // Buffers, not segments: until HotSpot's second compiler has been there, an access of a segment
  // is ten times slower, and took a sixth of the time of a boot.
  private final boolean wide;
  private final LongBuffer longs;
  private final IntBuffer ints;
  private final long base;
  private final Cpu cpu;

  /**
   * Makes one for a processor.
   *
   * @param wide whether machine code works with YMM registers
   */
  StateBlock(Cpu cpu, boolean wide) {
    this.cpu = cpu;
    this.wide = wide;
    ByteBuffer memory = ByteBuffer.allocateDirect(BYTES + ALIGNMENT).alignedSlice(ALIGNMENT);
    memory.order(ByteOrder.nativeOrder());
    this.longs = memory.asLongBuffer();
    this.ints = memory.asIntBuffer();
    this.base = MemorySegment.ofBuffer(memory).address() + BASE;
    // All else is zero, as it should be for entries without a page.
    for (int kind = 0; kind < KINDS; kind++) {
      setTranslation(kind, 0, noTag(0), noTag(0), 0);
    }
    for (int mode = 0; mode < Mode.COUNT; mode++) {
      clearPage(mode, 0);
    }
  }

  /** The offset of a general register. */
  static int gpr(int register) {
    return 8 * register - BASE;
  }

  /** The address of its base, for as long as this object is there. */
  long address() {
    return base;
  }

  /** The eight bytes at an offset, which is a multiple of 8. */
  long getLong(int offset) {
    return longs.get(BASE + offset >> 3);
  }

  void putLong(int offset, long value) {
    longs.put(BASE + offset >> 3, value);
  }

  /** The four bytes at an offset, which is a multiple of 4. */
  int getInt(int offset) {
    return ints.get(BASE + offset >> 2);
  }

  void putInt(int offset, int value) {
    ints.put(BASE + offset >> 2, value);
  }

  // ---- registers ----

  /** Takes the general registers, the flags, and what else instructions look at. */
  void takeRegisters() {
    for (int i = 0; i < 16; i++) {
      putLong(gpr(i), cpu.gpr[i]);
    }
    int flags = Flags.arithmetic(cpu.flagResult, cpu.flagAux);
    putInt(FLAGS, (flags & 0xD5) << 8 | (flags & Flags.OF) >> 11);
    putInt(SYSTEM_FLAGS, cpu.systemFlags);
    putLong(FS_BASE, cpu.segBase[Cpu.FS]);
    putLong(GS_BASE, cpu.segBase[Cpu.GS]);
    putLong(KERNEL_GS_BASE, cpu.system.msrs.kernelGsBase());
    for (int i = 0; i < 6; i++) {
      putInt(SELECTORS + 4 * i, cpu.seg[i].selector);
    }
  }

  /** Notes whether something waits that is looked at between instructions. */
  void noteAttention() {
    putInt(ATTENTION, 0);
    boolean waits = (cpu.systemFlags & Flags.IF) == 0 && cpu.apic.hasInterrupt();
    if (waits || cpu.signals() != 0) {
      putInt(ATTENTION, 1);
    }
  }

  /** Gives back the general registers and the flags, and the bases of GS. */
  void giveRegisters() {
    for (int i = 0; i < 16; i++) {
      cpu.gpr[i] = getLong(gpr(i));
    }
    int word = getInt(FLAGS);
    cpu.setArithmeticFlags(word >> 8 & 0xD5 | (word & 1) << 11);
    giveMode();
    long gs = getLong(GS_BASE);
    if (gs != cpu.segBase[Cpu.GS]) {
      cpu.system.msrs.setGsBases(gs, getLong(KERNEL_GS_BASE));
    }
  }

  /** Gives back the system flags that machine code changes: IF, DF, AC. */
  void giveMode() {
    int before = cpu.systemFlags;
    int now = getInt(SYSTEM_FLAGS);
    if (before != now) {
      cpu.systemFlags = now;
      if (((before ^ now) & Flags.AC) != 0) {
        cpu.modeChanged();
      }
    }
  }

  /** Takes XMM or YMM registers and MXCSR. */
  void takeVectors() {
    putInt(MXCSR, cpu.fpu.simd.mxcsr());
    if (!wide) {
      for (int i = 0; i < 32; i++) {
        putLong(XMM + 8 * i, cpu.fpu.xmm[i]);
      }
      return;
    }
    for (int i = 0; i < 32; i += 2) {
      int at = YMM + 16 * i;
      putLong(at, cpu.fpu.xmm[i]);
      putLong(at + 8, cpu.fpu.xmm[i + 1]);
      putLong(at + 16, cpu.fpu.ymmHigh[i]);
      putLong(at + 24, cpu.fpu.ymmHigh[i + 1]);
    }
  }

  /** Gives back XMM or YMM registers and MXCSR. */
  void giveVectors() {
    cpu.fpu.simd.mxcsr(getInt(MXCSR));
    if (!wide) {
      for (int i = 0; i < 32; i++) {
        cpu.fpu.xmm[i] = getLong(XMM + 8 * i);
      }
      return;
    }
    for (int i = 0; i < 32; i += 2) {
      int at = YMM + 16 * i;
      cpu.fpu.xmm[i] = getLong(at);
      cpu.fpu.xmm[i + 1] = getLong(at + 8);
      cpu.fpu.ymmHigh[i] = getLong(at + 16);
      cpu.fpu.ymmHigh[i + 1] = getLong(at + 24);
    }
  }

  // ---- data translations ----

  /**
   * The tag of an entry without a page: no address that leads to this entry lies within a page of
   * it, for it is a page of another entry.
   */
  static long noTag(int entry) {
    return entry == 0 ? 1 << 12 : 0;
  }

  /** Sets an entry of a table. */
  void setTranslation(int kind, int entry, long readTag, long writeTag, long hostPage) {
    int at = TLB + kind * TLB_BYTES + entry * TLB_ENTRY_BYTES;
    putLong(at + READ_TAG, readTag);
    putLong(at + WRITE_TAG, writeTag);
    putLong(at + HOST_PAGE, hostPage);
  }

  // ---- code pages ----

  /** The entry of a linear address in a table of code pages. */
  static int pageEntry(long linear) {
    return (int) (linear >>> 12) & PAGE_ENTRIES - 1;
  }

  private void setPage(int mode, int entry, long tag, long table) {
    int at = PAGES + mode * PAGE_BYTES + entry * PAGE_ENTRY_BYTES;
    putLong(at + PAGE_TAG, tag);
    putLong(at + PAGE_TABLE, table);
  }

  /** Enters the page of a linear address. */
  void setPage(int mode, long linear, long table) {
    setPage(mode, pageEntry(linear), linear & -0x1000, table);
  }

  /** Takes over an entry of another state block. */
  void copyPage(int mode, int entry, StateBlock from) {
    int at = PAGES + mode * PAGE_BYTES + entry * PAGE_ENTRY_BYTES;
    setPage(mode, entry, from.getLong(at + PAGE_TAG), from.getLong(at + PAGE_TABLE));
  }

  /** Forgets an entry. */
  void clearPage(int mode, int entry) {
    setPage(mode, entry, noTag(entry), 0);
  }
}

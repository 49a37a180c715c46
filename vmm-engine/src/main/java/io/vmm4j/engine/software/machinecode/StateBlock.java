package io.vmm4j.engine.software.machinecode;

import io.vmm4j.engine.software.cpu.Cpu;
import io.vmm4j.engine.software.cpu.Flags;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * What machine code reads and writes of one vCPU, outside of the Java heap: registers, flags, the
 * data translations, the jump targets. Offsets are from its base, which lies {@value #BASE} bytes
 * behind its beginning so that the general registers are reached with displacements of a byte.
 *
 * <p>The flags are a word as LAHF and SETO give it: OF in bit 0, SF, ZF, AF, PF and CF in the high
 * byte.
 */
final class StateBlock {
  private static final int BASE = 128;

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

  /** The address that code memory is executed at. */
  static final int CODE_BASE = 80;

  /** XMM0 to XMM15. */
  static final int XMM = 128;

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
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;

  private final MemorySegment memory;
  private final Cpu cpu;

  StateBlock(Cpu cpu, Arena arena) {
    this.cpu = cpu;
    this.memory = arena.allocate(BYTES, 64);
    for (int kind = 0; kind < KINDS; kind++) {
      for (int entry = 0; entry < TLB_ENTRIES; entry++) {
        setTranslation(kind, entry, noTag(entry), noTag(entry), 0);
      }
    }
    for (int mode = 0; mode < Mode.COUNT; mode++) {
      for (int entry = 0; entry < PAGE_ENTRIES; entry++) {
        setPage(mode, entry, noTag(entry), 0);
      }
    }
  }

  /** The offset of a general register. */
  static int gpr(int register) {
    return 8 * register - BASE;
  }

  /** The address of its base. */
  long address() {
    return memory.address() + BASE;
  }

  long getLong(int offset) {
    return memory.get(LONG, BASE + offset);
  }

  void putLong(int offset, long value) {
    memory.set(LONG, BASE + offset, value);
  }

  int getInt(int offset) {
    return memory.get(INT, BASE + offset);
  }

  void putInt(int offset, int value) {
    memory.set(INT, BASE + offset, value);
  }

  // ---- registers ----

  /** Takes the general registers, the flags and the bases of FS and GS. */
  void takeRegisters() {
    MemorySegment.copy(cpu.gpr, 0, memory, LONG, BASE + gpr(0), 16);
    int flags = Flags.arithmetic(cpu.flagResult, cpu.flagAux);
    int word = (flags & 0xD5) << 8 | (flags & Flags.OF) >> 11;
    memory.set(ValueLayout.JAVA_SHORT, BASE + FLAGS, (short) word);
    putLong(FS_BASE, cpu.segBase[Cpu.FS]);
    putLong(GS_BASE, cpu.segBase[Cpu.GS]);
  }

  /** Gives back the general registers and the flags. */
  void giveRegisters() {
    MemorySegment.copy(memory, LONG, BASE + gpr(0), cpu.gpr, 0, 16);
    int word = memory.get(ValueLayout.JAVA_SHORT, BASE + FLAGS);
    cpu.setArithmeticFlags(word >> 8 & 0xD5 | (word & 1) << 11);
  }

  /** Takes XMM registers and MXCSR. */
  void takeVectors() {
    MemorySegment.copy(cpu.fpu.xmm, 0, memory, LONG, BASE + XMM, 32);
    putInt(MXCSR, cpu.fpu.simd.mxcsr());
  }

  /** Gives back XMM registers and MXCSR. */
  void giveVectors() {
    MemorySegment.copy(memory, LONG, BASE + XMM, cpu.fpu.xmm, 0, 32);
    cpu.fpu.simd.mxcsr(getInt(MXCSR));
  }

  // ---- data translations ----

  /**
   * The tag of an entry without a page: no address that leads to this entry lies within a page of
   * it, for it is a page of another entry.
   */
  static long noTag(int entry) {
    return (long) (entry ^ 1) << 12;
  }

  /** Sets an entry of a table. */
  void setTranslation(int kind, int entry, long readTag, long writeTag, long hostPage) {
    long at = BASE + TLB + (long) kind * TLB_BYTES + (long) entry * TLB_ENTRY_BYTES;
    memory.set(LONG, at + READ_TAG, readTag);
    memory.set(LONG, at + WRITE_TAG, writeTag);
    memory.set(LONG, at + HOST_PAGE, hostPage);
  }

  // ---- code pages ----

  /** The entry of a linear address in a table of code pages. */
  static int pageEntry(long linear) {
    return (int) (linear >>> 12) & PAGE_ENTRIES - 1;
  }

  private void setPage(int mode, int entry, long tag, long table) {
    long at = BASE + PAGES + (long) mode * PAGE_BYTES + (long) entry * PAGE_ENTRY_BYTES;
    memory.set(LONG, at + PAGE_TAG, tag);
    memory.set(LONG, at + PAGE_TABLE, table);
  }

  /** Enters the page of a linear address; gives whether the entry was empty. */
  boolean addPage(int mode, long linear, long table) {
    int entry = pageEntry(linear);
    long at = BASE + PAGES + (long) mode * PAGE_BYTES + (long) entry * PAGE_ENTRY_BYTES;
    boolean empty = memory.get(LONG, at + PAGE_TAG) == noTag(entry);
    setPage(mode, entry, linear & -0x1000, table);
    return empty;
  }

  /** Forgets an entry. */
  void clearPage(int mode, int entry) {
    setPage(mode, entry, noTag(entry), 0);
  }
}

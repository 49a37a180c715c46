package io.vmm4j.engine.software.cpu;

import io.vmm4j.api.backend.BackendHost;
import io.vmm4j.api.backend.MemoryLocation;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Memory as instructions see it: linear addresses, through a soft TLB.
 *
 * <p>A TLB is one {@code long[]} of entries of four: the tags for reading, writing and fetching
 * (the linear page, or {@link #NONE}) and the addend that turns a linear address into an offset in
 * the machine's one segment. The compare of the page of an access's <em>last</em> byte with the tag
 * at the index of its <em>first</em> sends accesses that cross a page to the slow path with
 * everything else that is not plain memory: MMIO, read-only memory, pages that hold decoded code,
 * pages whose dirty bit is not yet set, pages with a data breakpoint. A page enters the fast write
 * path once it has been reported as written ({@link BackendHost#vcpuWrites}).
 *
 * <p>There is one TLB for each kind of privilege, so that a change of privilege is a change of
 * reference. Plain arrays on the heap and one off-heap segment: an error here can't touch memory
 * that is not the guest's.
 */
public final class Mmu {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** A kind of access: a load. */
  public static final int READ = 0;

  /** A kind of access: a store. */
  public static final int WRITE = 1;

  /** A kind of access: an instruction fetch. */
  public static final int FETCH = 2;

  static final int TLB_ENTRIES = 2048;
  private static final int INDEX_MASK = TLB_ENTRIES - 1;
  private static final long NONE = 1;
  private static final long PAGE = ~0xFFFL;

  private static final int SUPERVISOR = 0;
  private static final int SUPERVISOR_AC = 1;
  private static final int USER = 2;
  private static final int UNCACHED = 3;

  private final Cpu cpu;
  private final BackendHost host;
  private final MemorySegment memory;
  private final PageWalker walker;
  private final DecodedCode decoded;
  private final CodeCache code;
  private final DebugAddresses breakpoints;
  private final long[][] tlbs = new long[4][];
  private long[] tlb;
  private int kind;
  private volatile boolean mapChanged;
  private MemoryLocation location;

  Mmu(Cpu cpu, BackendHost host, DecodedCode decoded) {
    this.cpu = cpu;
    this.host = host;
    this.memory = host.memory();
    this.decoded = decoded;
    this.code = new CodeCache(cpu, decoded);
    this.walker = new PageWalker(cpu, this);
    this.breakpoints = new DebugAddresses(cpu);
    for (int i = 0; i < tlbs.length; i++) {
      tlbs[i] = new long[4 * TLB_ENTRIES];
    }
    this.location = new MemoryLocation(0, 0, -1, false);
    this.tlb = tlbs[SUPERVISOR];
    flush();
    decoded.share(cpu, this);
  }

  CodeCache code() {
    return code;
  }

  /** Data breakpoints of DR7; to be told of changes of the debug registers. */
  public DebugAddresses breakpoints() {
    return breakpoints;
  }

  // ---- upkeep ----

  /** Chooses the TLB for the present privilege; called by {@link Cpu#modeChanged}. */
  void selectTlb() {
    boolean ac = (cpu.systemFlags & Flags.AC) != 0;
    if (cpu.cpl == 3) {
      kind = ac && (cpu.cr0 & 0x40000) != 0 ? UNCACHED : USER;
    } else {
      kind = ac ? SUPERVISOR_AC : SUPERVISOR;
    }
    tlb = tlbs[kind];
  }

  /** Forgets every translation: CR0, CR3, CR4, EFER changes, INVPCID. */
  public void flush() {
    for (long[] t : tlbs) {
      Arrays.fill(t, NONE);
    }
    code.forgetTranslations();
  }

  /** Forgets the translations of one page: INVLPG. */
  public void flushPage(long linear) {
    int i = index(linear);
    for (long[] t : tlbs) {
      t[i] = NONE;
      t[i + 1] = NONE;
      t[i + 2] = NONE;
    }
    code.forgetTranslations();
  }

  /** Notes that the physical memory map has changed. From any thread. */
  public void mapChanged() {
    mapChanged = true;
    cpu.signal(Cpu.SIGNAL_MEMORY);
  }

  /** Notes that bytes of the segment were written by others than vCPUs. From any thread. */
  public void writtenByOthers(long offset, long length) {
    decoded.writtenByOthers(offset, length);
  }

  /** Acts on what was noted. On the vCPU's thread, between two instructions. */
  void applyChanges() {
    if (mapChanged) {
      mapChanged = false;
      forgetMap();
    }
    code.applyChanges();
  }

  /** Stores plain memory of the segment, 2, 4 or 8 bytes. */
  static void put(MemorySegment memory, long offset, int size, long value) {
    switch (size) {
      case 2 -> memory.set(SHORT, offset, (short) value);
      case 4 -> memory.set(INT, offset, (int) value);
      default -> memory.set(LONG, offset, value);
    }
  }

  /** Loads plain memory of the segment, 1, 2, 4 or 8 bytes, zero-extended. */
  static long get(MemorySegment memory, long offset, int size) {
    return switch (size) {
      case 1 -> memory.get(ValueLayout.JAVA_BYTE, offset) & 0xFF;
      case 2 -> memory.get(SHORT, offset) & 0xFFFF;
      case 4 -> memory.get(INT, offset) & 0xFFFFFFFFL;
      default -> memory.get(LONG, offset);
    };
  }

  /** Decoded code stays: it is kept by place in the segment, which no map changes. */
  private void forgetMap() {
    location = new MemoryLocation(0, 0, -1, false);
    flush();
  }

  /** Makes the first store to each page from now on come by the slow path, which reports it. */
  public void forgetWritable() {
    for (long[] t : tlbs) {
      for (int i = 1; i < t.length; i += 4) {
        t[i] = NONE;
      }
    }
  }

  /** Takes pages out of the fast write path: a page of the segment has begun to hold code. */
  void protectFromWrites(long offsetPage) {
    for (long[] t : tlbs) {
      for (int i = 0; i < t.length; i += 4) {
        if (t[i + 1] != NONE && (t[i + 1] + t[i + 3] & PAGE) == offsetPage) {
          t[i + 1] = NONE;
        }
      }
    }
  }

  private static int index(long linear) {
    return ((int) (linear >>> 12) & INDEX_MASK) << 2;
  }

  // ---- loads ----

  /** A byte, zero-extended. */
  public int read8(long linear) {
    int i = index(linear);
    long[] t = tlb;
    if (t[i] == (linear & PAGE)) {
      return memory.get(ValueLayout.JAVA_BYTE, linear + t[i + 3]) & 0xFF;
    }
    return (int) readSlow(linear, 1, READ) & 0xFF;
  }

  /** Two bytes, zero-extended. */
  public int read16(long linear) {
    int i = index(linear);
    long[] t = tlb;
    if (t[i] == (linear + 1 & PAGE)) {
      return memory.get(SHORT, linear + t[i + 3]) & 0xFFFF;
    }
    return (int) readSlow(linear, 2, READ) & 0xFFFF;
  }

  /** Four bytes. */
  public int read32(long linear) {
    int i = index(linear);
    long[] t = tlb;
    if (t[i] == (linear + 3 & PAGE)) {
      return memory.get(INT, linear + t[i + 3]);
    }
    return (int) readSlow(linear, 4, READ);
  }

  /** Eight bytes. */
  public long read64(long linear) {
    int i = index(linear);
    long[] t = tlb;
    if (t[i] == (linear + 7 & PAGE)) {
      return memory.get(LONG, linear + t[i + 3]);
    }
    return readSlow(linear, 8, READ);
  }

  /** A load of 1, 2, 4 or 8 bytes, zero-extended. */
  public long read(long linear, int size) {
    return switch (size) {
      case 1 -> read8(linear);
      case 2 -> read16(linear);
      case 4 -> read32(linear) & 0xFFFFFFFFL;
      default -> read64(linear);
    };
  }

  /**
   * A load of 1, 2, 4 or 8 bytes, zero-extended, by an instruction that will store there: faults as
   * the store would, so that nothing is changed before.
   */
  public long readForWrite(long linear, int size) {
    int i = index(linear);
    long[] t = tlb;
    if (t[i + 1] == (linear + size - 1 & PAGE)) {
      return get(memory, linear + t[i + 3], size);
    }
    return readSlow(linear, size, WRITE);
  }

  /**
   * Faults if an access of so many bytes (1 to 4096) would; for operands that are accessed in
   * pieces.
   *
   * @param access {@link #READ} or {@link #WRITE}
   */
  public void probe(long linear, int size, int access) {
    int i = index(linear);
    if (tlb[i + access] != (linear + size - 1 & PAGE)) {
      checkCanonical(linear, size);
      translate(linear, access);
      if ((linear & 0xFFF) + size > 0x1000) {
        translate((linear & PAGE) + 0x1000, access);
      }
    }
  }

  // ---- stores ----

  /** Stores a byte. */
  public void write8(long linear, int value) {
    int i = index(linear);
    long[] t = tlb;
    if (t[i + 1] == (linear & PAGE)) {
      memory.set(ValueLayout.JAVA_BYTE, linear + t[i + 3], (byte) value);
    } else {
      writeSlow(linear, 1, value);
    }
  }

  /** Stores two bytes. */
  public void write16(long linear, int value) {
    int i = index(linear);
    long[] t = tlb;
    if (t[i + 1] == (linear + 1 & PAGE)) {
      memory.set(SHORT, linear + t[i + 3], (short) value);
    } else {
      writeSlow(linear, 2, value);
    }
  }

  /** Stores four bytes. */
  public void write32(long linear, int value) {
    int i = index(linear);
    long[] t = tlb;
    if (t[i + 1] == (linear + 3 & PAGE)) {
      memory.set(INT, linear + t[i + 3], value);
    } else {
      writeSlow(linear, 4, value);
    }
  }

  /** Stores eight bytes. */
  public void write64(long linear, long value) {
    int i = index(linear);
    long[] t = tlb;
    if (t[i + 1] == (linear + 7 & PAGE)) {
      memory.set(LONG, linear + t[i + 3], value);
    } else {
      writeSlow(linear, 8, value);
    }
  }

  /** Stores 1, 2, 4 or 8 bytes. */
  public void write(long linear, int size, long value) {
    switch (size) {
      case 1 -> write8(linear, (int) value);
      case 2 -> write16(linear, (int) value);
      case 4 -> write32(linear, (int) value);
      default -> write64(linear, value);
    }
  }

  // ---- accesses of the processor itself: descriptor tables, task state ----

  /** An access with supervisor privilege whatever CPL is: 1, 2, 4 or 8 bytes, zero-extended. */
  public long systemRead(long linear, int size) {
    long[] saved = tlb;
    int savedKind = kind;
    try {
      kind = SUPERVISOR;
      tlb = tlbs[SUPERVISOR];
      return read(linear, size);
    } finally {
      tlb = saved;
      kind = savedKind;
    }
  }

  /** A store with supervisor privilege whatever CPL is. */
  public void systemWrite(long linear, int size, long value) {
    long[] saved = tlb;
    int savedKind = kind;
    try {
      kind = SUPERVISOR;
      tlb = tlbs[SUPERVISOR];
      write(linear, size, value);
    } finally {
      tlb = saved;
      kind = savedKind;
    }
  }

  /** Faults if an access with supervisor privilege would. */
  public void systemProbe(long linear, int size, int access) {
    long[] saved = tlb;
    int savedKind = kind;
    try {
      kind = SUPERVISOR;
      tlb = tlbs[SUPERVISOR];
      probe(linear, size, access);
    } finally {
      tlb = saved;
      kind = savedKind;
    }
  }

  // ---- string operations in pages ----

  /**
   * The offset in {@link #memory} of plain memory at {@code linear} from which reading (or writing)
   * to the page's end needs no further check, or -1 if each access has to be looked at.
   */
  long fastOffset(long linear, int access) {
    int i = index(linear);
    if (tlb[i + access] != (linear & PAGE)) {
      if (kind == UNCACHED) {
        return -1;
      }
      translate(linear, access);
      if (tlb[i + access] != (linear & PAGE)) {
        return -1;
      }
    }
    return linear + tlb[i + 3];
  }

  MemorySegment memory() {
    return memory;
  }

  // ---- the slow path ----

  /**
   * #AC if alignment is checked and the address is not a multiple of {@code size}. That comes
   * before a page fault, but a non-canonical address has its fault first.
   */
  public void checkAlignment(long linear, int size) {
    if (kind == UNCACHED && (linear & size - 1) != 0 && linear << 16 >> 16 == linear) {
      throw cpu.raise(Cpu.AC, 0);
    }
  }

  /** #GP or #SS if the end of an access is not canonical, before a page fault at its beginning. */
  private void checkCanonical(long linear, int size) {
    long last = linear + size - 1;
    if (last << 16 >> 16 != last) {
      throw cpu.raiseNonCanonical();
    }
  }

  private void watch(long linear, int size, int access) {
    breakpoints.check(linear, size, access);
    cpu.debugger.check(linear, size, access);
  }

  private long readSlow(long linear, int size, int access) {
    checkAlignment(linear, size);
    int first = (int) Math.min(size, 0x1000 - (linear & 0xFFF));
    checkCanonical(linear, size);
    long physical = translate(linear, access);
    if (first == size) {
      watch(linear, size, access);
      return readPhysical(physical, size);
    }
    long second = translate((linear & PAGE) + 0x1000, access);
    watch(linear, size, access);
    long value = 0;
    for (int i = 0; i < size; i++) {
      long at = i < first ? physical + i : second + i - first;
      value |= (readPhysical(at, 1) & 0xFF) << 8 * i;
    }
    return value;
  }

  private void writeSlow(long linear, int size, long value) {
    checkAlignment(linear, size);
    int first = (int) Math.min(size, 0x1000 - (linear & 0xFFF));
    checkCanonical(linear, size);
    long physical = translate(linear, WRITE);
    if (first == size) {
      watch(linear, size, WRITE);
      writePhysical(physical, size, value);
      return;
    }
    long second = translate((linear & PAGE) + 0x1000, WRITE);
    watch(linear, size, WRITE);
    for (int i = 0; i < size; i++) {
      long at = i < first ? physical + i : second + i - first;
      writePhysical(at, 1, value >>> 8 * i & 0xFF);
    }
  }

  /**
   * The guest physical address of a linear one, filling the TLB where it leads to memory.
   *
   * @param access {@link #READ}, {@link #WRITE} or {@link #FETCH}
   */
  long translate(long linear, int access) {
    boolean user = kind >= USER;
    long physical = walker.translate(linear, access, user, kind == SUPERVISOR_AC);
    if (kind != UNCACHED) {
      fill(linear, physical, access);
    }
    return physical;
  }

  private void fill(long linear, long physical, int access) {
    if (cpu.apic.claims(physical)) {
      return;
    }
    MemoryLocation at = locate(physical);
    if (!at.isMemory()) {
      return;
    }
    long page = linear & PAGE;
    long offset = (physical & PAGE) - at.base() + at.offset();
    int i = index(linear);
    long[] t = tlb;
    long addend = offset - page;
    if (t[i + 3] != addend || (t[i] != page && t[i + 1] != page && t[i + 2] != page)) {
      t[i] = NONE;
      t[i + 1] = NONE;
      t[i + 2] = NONE;
      t[i + 3] = addend;
    } else {
      // Another kind of access to the same page: keep the tags that are there.
      t[i] = t[i] == page ? page : NONE;
      t[i + 1] = t[i + 1] == page ? page : NONE;
      t[i + 2] = t[i + 2] == page ? page : NONE;
    }
    boolean watched = breakpoints.watches(page) || cpu.debugger.watches(page);
    if (access == FETCH) {
      t[i + 2] = page;
    } else if (!watched && access == READ) {
      t[i] = page;
    } else if (!watched && at.writable() && !code.holdsCode(offset)) {
      host.vcpuWrites(offset, 0x1000);
      t[i + 1] = page;
      t[i] = page;
    }
  }

  /**
   * The offset in the segment of the instruction byte at {@code linear}, or -1 if it is not in
   * memory; faults as a fetch does.
   */
  long fetchOffset(long linear) {
    int i = index(linear);
    if (tlb[i + 2] == (linear & PAGE)) {
      return linear + tlb[i + 3];
    }
    long physical = translate(linear, FETCH);
    MemoryLocation at = locate(physical);
    return at.isMemory() ? physical - at.base() + at.offset() : -1;
  }

  /** The guest physical address a fetch at {@code linear} goes to; faults as a fetch does. */
  long fetchPhysical(long linear) {
    return translate(linear, FETCH);
  }

  // ---- guest physical memory ----

  private MemoryLocation locate(long physical) {
    MemoryLocation at = location;
    if (physical - at.base() >= 0 && physical - at.base() < at.length()) {
      return at;
    }
    at = host.locate(physical);
    location = at;
    return at;
  }

  /** The offset in the segment of a guest physical address, or -1 if there is no memory. */
  long offsetOf(long physical) {
    MemoryLocation at = locate(physical);
    return at.isMemory() ? physical - at.base() + at.offset() : -1;
  }

  /** A load at a guest physical address; no page is crossed. */
  public long readPhysical(long physical, int size) {
    if (cpu.apic.claims(physical)) {
      cpu.accountInstructions();
      return heeding(cpu.apic.readMmio((int) (physical & 0xFFF), size));
    }
    MemoryLocation at = locate(physical);
    if (!at.isMemory()) {
      cpu.accountInstructions();
      return heeding(host.readMmio(physical, size));
    }
    return get(memory, physical - at.base() + at.offset(), size);
  }

  private long heeding(long value) {
    heedSignals();
    return value;
  }

  /**
   * Ends the block if a device has caused something that is looked at between blocks: an interrupt,
   * one for another vCPU, a change of the memory map under this very block.
   */
  private void heedSignals() {
    if (cpu.signals() != 0) {
      cpu.leaveBlock(LeaveReason.SIGNAL);
    }
  }

  /** A store at a guest physical address; no page is crossed. */
  void writePhysical(long physical, int size, long value) {
    if (cpu.apic.claims(physical)) {
      cpu.accountInstructions();
      cpu.apic.writeMmio((int) (physical & 0xFFF), size, value);
      heedSignals();
      return;
    }
    MemoryLocation at = locate(physical);
    if (!at.isMemory() || !at.writable()) {
      cpu.accountInstructions();
      host.writeMmio(physical, size, value);
      heedSignals();
      return;
    }
    long offset = physical - at.base() + at.offset();
    host.vcpuWrites(offset, size);
    switch (size) {
      case 1 -> memory.set(ValueLayout.JAVA_BYTE, offset, (byte) value);
      case 2 -> memory.set(SHORT, offset, (short) value);
      case 4 -> memory.set(INT, offset, (int) value);
      default -> memory.set(LONG, offset, value);
    }
    if (code.holdsCode(offset)) {
      code.written(offset, size);
    }
  }
}

package io.vmm4j.software.cpu;

import io.vmm4j.api.backend.BackendHost;
import io.vmm4j.api.backend.MemoryLocation;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * Memory as instructions see it: linear addresses, through soft TLBs ({@link AddressSpaces}).
 *
 * <p>The compare of the page of an access's <em>last</em> byte with the tag at the index of its
 * <em>first</em> sends accesses that cross a page to the slow path with everything else that is not
 * plain memory: MMIO, read-only memory, pages that hold decoded code, page tables in use, pages
 * whose dirty bit is not yet set, pages with a data breakpoint. A page enters the fast write path
 * once it has been reported as written ({@link BackendHost#vcpuWrites}).
 *
 * <p>There is one table for each kind of privilege, so that a change of privilege is a change of
 * reference. Plain arrays on the heap and one off-heap segment: an error here can't touch memory
 * that is not the guest's.
 */
public final class Mmu {
  /** A kind of access: a load. */
  public static final int READ = 0;

  /** A kind of access: a store. */
  public static final int WRITE = 1;

  /** A kind of access: an instruction fetch. */
  public static final int FETCH = 2;

  private static final long PAGE = Tlb.PAGE;

  /** A kind of privilege: CPL 0 to 2. */
  public static final int SUPERVISOR = 0;

  /** A kind of privilege: CPL 0 to 2 with EFLAGS.AC, which lifts SMAP. */
  public static final int SUPERVISOR_AC = 1;

  /** A kind of privilege: CPL 3. */
  public static final int USER = 2;

  /** A kind of privilege: CPL 3 with alignment checked; no translation is kept. */
  public static final int UNCACHED = 3;

  /** The tag of no page: see {@link TlbCopy}. */
  public static final long NO_TAG = Tlb.NONE;

  private static final int KINDS = 4;

  private final Cpu cpu;
  private final BackendHost host;
  private final MemorySegment memory;
  private final PageWalker walker;
  private final DecodedCode decoded;
  private final CodeCache code;
  private final DebugAddresses breakpoints;
  private final PhysicalAccess physical;
  private final AddressSpaces spaces;
  private final boolean parallel;
  private final LostRace lostRace = new LostRace();
  private long[] table;
  private int kind;
  private volatile boolean mapChanged;

  /** Whether the present instruction is to change memory in one step for all vCPUs. */
  private boolean locked;

  /** What it has found there. */
  private long found;

  Mmu(Cpu cpu, BackendHost host, DecodedCode decoded) {
    this.cpu = cpu;
    this.host = host;
    this.memory = host.memory();
    this.decoded = decoded;
    this.parallel = decoded.isParallel();
    this.code = new CodeCache(cpu, decoded);
    this.physical = new PhysicalAccess(cpu, host, code);
    this.spaces = new AddressSpaces(code, physical, host.memory().byteSize(), KINDS);
    this.walker = new PageWalker(cpu, physical, spaces);
    this.breakpoints = new DebugAddresses(cpu);
    this.table = spaces.current().tlb.table(SUPERVISOR);
    decoded.share(cpu, this);
  }

  /** The way to decoded code. */
  public CodeCache code() {
    return code;
  }

  /** Guest physical memory. */
  public PhysicalAccess physical() {
    return physical;
  }

  /** The kind of privilege that accesses have now: {@link #SUPERVISOR} to {@link #UNCACHED}. */
  public int kind() {
    return kind;
  }

  /** Has the data translations copied from now on. */
  public void copyTranslations(TlbCopy copy) {
    spaces.copyTo(copy);
  }

  /** Has somebody told from now on when translations are forgotten. */
  public void onForgotten(TranslationListener listener) {
    spaces.onForgotten(listener);
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
    table = spaces.current().tlb.table(kind);
  }

  /** Forgets every translation: CR0, CR4, EFER changes, INVPCID. */
  public void flush() {
    spaces.flush();
  }

  /** Sets CR3: translations of pages that are not global follow from its page tables now. */
  public void setRoot(long root) {
    long before = cpu.cr3;
    cpu.cr3 = root;
    spaces.rootChanged(before, root);
    table = spaces.current().tlb.table(kind);
  }

  /** Forgets the translations of one page: INVLPG. */
  public void flushPage(long linear) {
    spaces.flushPage(linear);
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

  /** Decoded code stays: it is kept by place in the segment, which no map changes. */
  private void forgetMap() {
    physical.forgetMap();
    flush();
  }

  /** Makes the first store to each page from now on come by the slow path, which reports it. */
  public void forgetWritable() {
    spaces.forgetWritable();
  }

  /** Takes pages out of the fast write path: a page of the segment has begun to hold code. */
  void protectFromWrites(long offsetPage) {
    spaces.protect(offsetPage);
  }

  // ---- the order of accesses ----

  /**
   * Keeps a load before all that follows, where other vCPUs could tell: x86-TSO. On an x86 host the
   * compiler alone has to be told.
   */
  private void ordered() {
    if (parallel) {
      VarHandle.acquireFence();
    }
  }

  /** Keeps a store behind all that precedes it. */
  private void release() {
    if (parallel) {
      VarHandle.releaseFence();
    }
  }

  // ---- loads ----

  /** A byte, zero-extended. */
  public int read8(long linear) {
    int i = Tlb.index(linear);
    long[] t = table;
    if (t[i] == (linear & PAGE)) {
      int value = memory.get(ValueLayout.JAVA_BYTE, linear + t[i + Tlb.ADDEND]) & 0xFF;
      ordered();
      return value;
    }
    return (int) readSlow(linear, 1, READ) & 0xFF;
  }

  /** Two bytes, zero-extended. */
  public int read16(long linear) {
    int i = Tlb.index(linear);
    long[] t = table;
    if (t[i] == (linear + 1 & PAGE)) {
      int value = memory.get(PlainMemory.SHORT, linear + t[i + Tlb.ADDEND]) & 0xFFFF;
      ordered();
      return value;
    }
    return (int) readSlow(linear, 2, READ) & 0xFFFF;
  }

  /** Four bytes. */
  public int read32(long linear) {
    int i = Tlb.index(linear);
    long[] t = table;
    if (t[i] == (linear + 3 & PAGE)) {
      int value = memory.get(PlainMemory.INT, linear + t[i + Tlb.ADDEND]);
      ordered();
      return value;
    }
    return (int) readSlow(linear, 4, READ);
  }

  /** Eight bytes. */
  public long read64(long linear) {
    int i = Tlb.index(linear);
    long[] t = table;
    if (t[i] == (linear + 7 & PAGE)) {
      long value = memory.get(PlainMemory.LONG, linear + t[i + Tlb.ADDEND]);
      ordered();
      return value;
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
    if (locked && (linear & size - 1) != 0) {
      throw lostRace.misaligned();
    }
    int i = Tlb.index(linear);
    long[] t = table;
    if (t[i + Tlb.WRITE_TAG] == (linear + size - 1 & PAGE)) {
      long value = PlainMemory.get(memory, linear + t[i + Tlb.ADDEND], size);
      if (parallel) {
        VarHandle.acquireFence();
        found = value;
      }
      return value;
    }
    found = readSlow(linear, size, WRITE);
    return found;
  }

  /**
   * Faults if an access of so many bytes (1 to 4096) would; for operands that are accessed in
   * pieces.
   *
   * @param access {@link #READ} or {@link #WRITE}
   */
  public void probe(long linear, int size, int access) {
    int i = Tlb.index(linear);
    if (table[i + access] != (linear + size - 1 & PAGE)) {
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
    int i = Tlb.index(linear);
    long[] t = table;
    if (t[i + Tlb.WRITE_TAG] == (linear & PAGE)) {
      release();
      memory.set(ValueLayout.JAVA_BYTE, linear + t[i + Tlb.ADDEND], (byte) value);
    } else {
      writeSlow(linear, 1, value);
    }
  }

  /** Stores two bytes. */
  public void write16(long linear, int value) {
    int i = Tlb.index(linear);
    long[] t = table;
    if (t[i + Tlb.WRITE_TAG] == (linear + 1 & PAGE)) {
      release();
      memory.set(PlainMemory.SHORT, linear + t[i + Tlb.ADDEND], (short) value);
    } else {
      writeSlow(linear, 2, value);
    }
  }

  /** Stores four bytes. */
  public void write32(long linear, int value) {
    int i = Tlb.index(linear);
    long[] t = table;
    if (t[i + Tlb.WRITE_TAG] == (linear + 3 & PAGE)) {
      release();
      memory.set(PlainMemory.INT, linear + t[i + Tlb.ADDEND], value);
    } else {
      writeSlow(linear, 4, value);
    }
  }

  /** Stores eight bytes. */
  public void write64(long linear, long value) {
    int i = Tlb.index(linear);
    long[] t = table;
    if (t[i + Tlb.WRITE_TAG] == (linear + 7 & PAGE)) {
      release();
      memory.set(PlainMemory.LONG, linear + t[i + Tlb.ADDEND], value);
    } else {
      writeSlow(linear, 8, value);
    }
  }

  /** Stores 1, 2, 4 or 8 bytes. */
  public void write(long linear, int size, long value) {
    if (locked) {
      writeLocked(linear, size, value);
      return;
    }
    switch (size) {
      case 1 -> write8(linear, (int) value);
      case 2 -> write16(linear, (int) value);
      case 4 -> write32(linear, (int) value);
      default -> write64(linear, value);
    }
  }

  // ---- locked accesses, where vCPUs run in parallel ----

  /**
   * Has the stores of {@link #write} made only if memory holds what {@link #readForWrite} has given
   * last, or throw {@link LostRace}; and misaligned operands refused in the same way.
   */
  void lockAccesses(boolean on) {
    locked = on;
  }

  /**
   * Whether {@link #lockAccesses} is on.
   *
   * @param tooWide whether the operand is more than the host can change in one step
   */
  boolean locksAccesses(boolean tooWide) {
    if (locked && tooWide) {
      throw lostRace.misaligned();
    }
    return locked;
  }

  private void writeLocked(long linear, int size, long value) {
    int i = Tlb.index(linear);
    long[] t = table;
    boolean done;
    if (t[i + Tlb.WRITE_TAG] == (linear + size - 1 & PAGE)) {
      done = PlainMemory.compareAndSet(memory, linear + t[i + Tlb.ADDEND], size, found, value);
    } else {
      long address = translate(linear, WRITE);
      watch(linear, size, WRITE);
      done = physical.compareAndSet(address, size, found, value);
    }
    if (!done) {
      throw lostRace.changed();
    }
  }

  // ---- accesses of the processor itself: descriptor tables, task state ----

  /** An access with supervisor privilege whatever CPL is: 1, 2, 4 or 8 bytes, zero-extended. */
  public long systemRead(long linear, int size) {
    long[] saved = table;
    int savedKind = kind;
    try {
      kind = SUPERVISOR;
      table = spaces.current().tlb.table(SUPERVISOR);
      return read(linear, size);
    } finally {
      table = saved;
      kind = savedKind;
    }
  }

  /** A store with supervisor privilege whatever CPL is. */
  public void systemWrite(long linear, int size, long value) {
    long[] saved = table;
    int savedKind = kind;
    try {
      kind = SUPERVISOR;
      table = spaces.current().tlb.table(SUPERVISOR);
      write(linear, size, value);
    } finally {
      table = saved;
      kind = savedKind;
    }
  }

  /**
   * Replaces a byte with supervisor privilege, in one step for all vCPUs.
   *
   * @return false if another vCPU has changed it
   */
  public boolean systemReplace(long linear, long expected, long value) {
    if (!parallel) {
      systemWrite(linear, 1, value);
      return true;
    }
    found = expected;
    locked = true;
    try {
      systemWrite(linear, 1, value);
      return true;
    } catch (LostRace race) {
      return false;
    } finally {
      locked = false;
    }
  }

  /** Faults if an access with supervisor privilege would. */
  public void systemProbe(long linear, int size, int access) {
    long[] saved = table;
    int savedKind = kind;
    try {
      kind = SUPERVISOR;
      table = spaces.current().tlb.table(SUPERVISOR);
      probe(linear, size, access);
    } finally {
      table = saved;
      kind = savedKind;
    }
  }

  // ---- string operations in pages ----

  /**
   * The offset in {@link #memory} of plain memory at {@code linear} from which reading (or writing)
   * to the page's end needs no further check, or -1 if each access has to be looked at.
   */
  long fastOffset(long linear, int access) {
    int i = Tlb.index(linear);
    if (table[i + access] != (linear & PAGE)) {
      if (kind == UNCACHED) {
        return -1;
      }
      translate(linear, access);
      if (table[i + access] != (linear & PAGE)) {
        return -1;
      }
    }
    return linear + table[i + Tlb.ADDEND];
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
    long address = translate(linear, access);
    if (first == size) {
      watch(linear, size, access);
      return physical.read(address, size);
    }
    long second = translate((linear & PAGE) + 0x1000, access);
    watch(linear, size, access);
    long value = 0;
    for (int i = 0; i < size; i++) {
      long at = i < first ? address + i : second + i - first;
      value |= (physical.read(at, 1) & 0xFF) << 8 * i;
    }
    return value;
  }

  private void writeSlow(long linear, int size, long value) {
    checkAlignment(linear, size);
    int first = (int) Math.min(size, 0x1000 - (linear & 0xFFF));
    checkCanonical(linear, size);
    long address = translate(linear, WRITE);
    if (first == size) {
      watch(linear, size, WRITE);
      physical.write(address, size, value);
      return;
    }
    long second = translate((linear & PAGE) + 0x1000, WRITE);
    watch(linear, size, WRITE);
    for (int i = 0; i < size; i++) {
      long at = i < first ? address + i : second + i - first;
      physical.write(at, 1, value >>> 8 * i & 0xFF);
    }
  }

  /**
   * The guest physical address of a linear one, filling the TLB where it leads to memory.
   *
   * @param access {@link #READ}, {@link #WRITE} or {@link #FETCH}
   */
  long translate(long linear, int access) {
    boolean user = kind >= USER;
    long at = walker.translate(linear, access, user, kind == SUPERVISOR_AC);
    if (kind != UNCACHED && access != FETCH) {
      fill(linear, at, access);
    }
    return at;
  }

  /**
   * Fills the TLB for an access, which is not made.
   *
   * @param access {@link #READ} or {@link #WRITE}
   * @return whether the page can be accessed without a look; not if the access would fault
   */
  public boolean fill(long linear, int access) {
    long before = cpu.cr2;
    try {
      translate(linear, access);
      return table[Tlb.index(linear) + access] == (linear & PAGE);
    } catch (CpuFault e) {
      cpu.cr2 = before;
      return false;
    }
  }

  /** Whether an access to a byte needs no look at page tables, for tests. */
  boolean isKnown(long linear, int access) {
    return table[Tlb.index(linear) + access] == (linear & PAGE);
  }

  private void fill(long linear, long address, int access) {
    if (cpu.apic.claims(address)) {
      return;
    }
    MemoryLocation at = physical.locate(address);
    long page = linear & PAGE;
    if (!at.isMemory() || breakpoints.watches(page) || cpu.debugger.watches(page)) {
      return;
    }
    long offset = (address & PAGE) - at.base() + at.offset();
    boolean write =
        access == WRITE
            && at.writable()
            && !code.holdsCode(offset)
            && !code.pageTables().isWatched(offset);
    if (access == WRITE && !write) {
      return;
    }
    if (write) {
      host.vcpuWrites(offset, 0x1000);
      spaces.canStore(kind, linear, offset);
    }
    spaces.current().tlb.fill(kind, linear, offset - page, write, walker.wasGlobal());
  }

  /**
   * The offset in the segment of the instruction byte at {@code linear}, or -1 if it is not in
   * memory; faults as a fetch does.
   */
  public long fetchOffset(long linear) {
    boolean user = kind >= USER;
    FetchPages fetches = spaces.current().fetches;
    FetchPages globalFetches = spaces.globalFetches();
    long known = (user ? fetches : globalFetches).find(linear, kind);
    if (known == FetchPages.UNKNOWN) {
      known = (user ? globalFetches : fetches).find(linear, kind);
    }
    if (known != FetchPages.UNKNOWN) {
      return known | linear & 0xFFF;
    }
    long offset = physical.offsetOf(translate(linear, FETCH));
    if (offset >= 0 && kind != UNCACHED) {
      (walker.wasGlobal() ? globalFetches : fetches).add(linear, kind, offset & PAGE);
    }
    return offset;
  }

  /** The same, but -1 too if the fetch would fault. */
  public long fetchOffsetIfThere(long linear) {
    long before = cpu.cr2;
    try {
      return fetchOffset(linear);
    } catch (CpuFault e) {
      cpu.cr2 = before;
      return -1;
    }
  }

  /** Whether the page of an instruction that was fetched is global. */
  public boolean fetchIsGlobal(long linear) {
    return spaces.globalFetches().find(linear, kind) != FetchPages.UNKNOWN;
  }

  /** The guest physical address a fetch at {@code linear} goes to; faults as a fetch does. */
  long fetchPhysical(long linear) {
    return translate(linear, FETCH);
  }

  /** The offset in the segment of a guest physical address, or -1 if there is no memory. */
  public long offsetOf(long address) {
    return physical.offsetOf(address);
  }
}

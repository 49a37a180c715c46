package io.vmm4j.kvm;

import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.backend.ActivityState;
import io.vmm4j.api.backend.BackendHost;
import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.backend.LocalApicState;
import io.vmm4j.api.backend.SegmentState;
import io.vmm4j.api.backend.TableState;
import io.vmm4j.x86.XsaveLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/**
 * The architectural state of a vCPU in the kernel, and its form that all backends share. While the
 * vCPU does not run; {@link #save} and {@link #restore} while its counters are frozen.
 */
final class ArchitecturalState {
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
  private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT;
  private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

  static final int REGS_BYTES = 144;
  static final int REGS_RIP = 128;
  static final int REGS_RFLAGS = 136;

  /** Where struct kvm_regs has the general registers, by their encoding. */
  private static final int[] REGS_GPR = {
    0, 16, 24, 8, 48, 56, 32, 40, 64, 72, 80, 88, 96, 104, 112, 120
  };

  private static final int SREGS_BYTES = 312;
  private static final int SEGMENT_LIMIT = 8;
  private static final int SEGMENT_SELECTOR = 12;
  private static final int SEGMENT_TYPE = 14;
  private static final int SEGMENT_PRESENT = 15;
  private static final int SEGMENT_DPL = 16;
  private static final int SEGMENT_DB = 17;
  private static final int SEGMENT_S = 18;
  private static final int SEGMENT_L = 19;
  private static final int SEGMENT_G = 20;
  private static final int SEGMENT_AVL = 21;
  private static final int SEGMENT_UNUSABLE = 22;
  private static final int TABLE_LIMIT = 8;
  private static final int SREGS_CS = 0;
  private static final int SREGS_DS = 24;
  private static final int SREGS_ES = 48;
  private static final int SREGS_FS = 72;
  private static final int SREGS_GS = 96;
  private static final int SREGS_SS = 120;
  private static final int SREGS_TR = 144;
  private static final int SREGS_LDT = 168;
  private static final int SREGS_GDT = 192;
  private static final int SREGS_IDT = 208;
  private static final int SREGS_CR0 = 224;
  private static final int SREGS_CR2 = 232;
  private static final int SREGS_CR3 = 240;
  private static final int SREGS_CR4 = 248;
  private static final int SREGS_CR8 = 256;
  private static final int SREGS_EFER = 264;
  private static final int SREGS_APIC_BASE = 272;

  private static final int XSAVE_BYTES = 4096;

  private static final int XCRS_BYTES = 392;
  private static final int DEBUGREGS_BYTES = 128;

  private static final int MP_RUNNABLE = 0;
  private static final int MP_UNINITIALIZED = 1;
  private static final int MP_INIT_RECEIVED = 2;
  private static final int MP_HALTED = 3;

  private static final int APIC_BASE = 0x1B;
  private static final int TSC_DEADLINE = 0x6E0;
  private static final int EFER = 0xC0000080;
  private static final long APIC_BASE_X2 = 1 << 10;

  /** 100 years: farther away no timer fires. */
  private static final long FARTHEST_SECONDS = 100L * 365 * 86400;

  private final int fd;
  private final int index;
  private final BackendHost host;
  private final MsrAccess access;
  private final GuestMsrs msrs;
  private final TimeStampCounter counter;
  private final VcpuEvents events;
  private final XsaveLayout layout;
  private boolean shutDown;

  // What is frozen: not in the kernel, but here.
  private long frozenTsc;
  private long frozenDeadline;
  private int frozenInitialCount;
  private long frozenNanosLeft;

  /** The local APIC when it was looked at last, if its timer has run since. */
  private Optional<LapicImage> seen = Optional.empty();

  /** The timer has come to zero, and the kernel may not have requested the interrupt. */
  private boolean ticked;

  ArchitecturalState(int fd, int index, BackendHost host, MsrAccess access, GuestMsrs msrs) {
    this.fd = fd;
    this.index = index;
    this.host = host;
    this.access = access;
    this.msrs = msrs;
    this.counter = new TimeStampCounter(fd, access);
    this.events = new VcpuEvents(fd);
    this.layout = XsaveLayout.of(host.cpuid());
  }

  TimeStampCounter counter() {
    return counter;
  }

  /** Whether a triple fault has happened, which the kernel does not keep. */
  boolean isShutDown() {
    return shutDown;
  }

  void shutDown() {
    shutDown = true;
  }

  // ---- counters and timers ----

  /**
   * Looks at the local APIC's timer, on the way out of the guest.
   *
   * @return whether it has come to zero since the last look
   */
  boolean lookAtTimer() {
    LapicImage apic = LapicImage.read(fd);
    ticked = seen.filter(apic::hasTickedSince).isPresent();
    seen = Optional.of(apic);
    return ticked;
  }

  /** Whether by the last look the timer stands at zero. */
  boolean timerHasRunOut() {
    return seen.filter(LapicImage::timerHasRunOut).isPresent();
  }

  /**
   * Does something while a vCPU that executes code is halted instead, and no interrupt wakes it;
   * INIT may. Does nothing for any other.
   */
  void whileHalted(Runnable action) {
    if (multiprocessingState() != MP_RUNNABLE) {
      return;
    }
    int shadow = events.exchangeShadow(VcpuEvents.SHADOW_MOV_SS);
    setMultiprocessingState(MP_HALTED);
    action.run();
    if (isStarted()) {
      setMultiprocessingState(MP_RUNNABLE);
      events.exchangeShadow(shadow);
    }
  }

  /** What was seen of the timer is of no use any more: the guest runs. */
  void forgetTimer() {
    seen = Optional.empty();
    ticked = false;
  }

  /** Takes the counter, and what the timer has left, out of the kernel. */
  void freeze(long hostTicks) {
    frozenTsc = counter.read(hostTicks);
    frozenDeadline = access.get(TSC_DEADLINE);
    if (frozenDeadline != 0) {
      access.set(TSC_DEADLINE, 0);
    }
    LapicImage apic = LapicImage.read(fd);
    frozenInitialCount = 0;
    frozenNanosLeft = 0;
    if (apic.timerHasDeadline()) {
      return; // the kernel keeps the deadline until it has requested the interrupt
    }
    boolean lost = ticked || seen.filter(apic::hasTickedSince).isPresent();
    long nanosLeft = apic.nanosLeft();
    if (nanosLeft > 0) {
      if (lost) {
        apic.requestTimerInterrupt();
      }
    } else if (lost) {
      nanosLeft = 1; // it comes to zero again, at once
    }
    if (nanosLeft > 0) {
      frozenInitialCount = apic.initialCount();
      frozenNanosLeft = nanosLeft;
      apic.stopTimer();
      apic.write(fd);
    }
  }

  /** Puts them back. */
  void thaw(long hostTicks) {
    counter.write(frozenTsc, hostTicks);
    if (frozenNanosLeft > 0) {
      LapicImage apic = LapicImage.read(fd);
      apic.startTimer(frozenInitialCount, frozenNanosLeft);
      apic.write(fd);
      ticked = false;
      seen = Optional.of(apic); // until it runs
    } else {
      forgetTimer();
    }
    if (frozenDeadline != 0) {
      access.set(TSC_DEADLINE, frozenDeadline);
    }
  }

  // ---- interrupts ----

  /** Whether the local APIC passes an NMI of the pin on. */
  boolean takesNmi() {
    return LapicImage.read(fd).takesNmi();
  }

  /** Delivers an external interrupt, which the vCPU could take. */
  void injectInterrupt(int vector) {
    if (multiprocessingState() == MP_HALTED) {
      setMultiprocessingState(MP_RUNNABLE);
    }
    events.injectInterrupt(vector);
  }

  /** Whether it executes code, or would but for an interrupt that it waits for. */
  boolean isStarted() {
    int state = multiprocessingState();
    return state == MP_RUNNABLE || state == MP_HALTED;
  }

  private int multiprocessingState() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(INT);
      Libc.ioctl(fd, Ioctl.KVM_GET_MP_STATE, state);
      return state.get(INT, 0);
    }
  }

  private void setMultiprocessingState(int value) {
    try (Arena arena = Arena.ofConfined()) {
      Libc.ioctl(fd, Ioctl.KVM_SET_MP_STATE, arena.allocateFrom(INT, value));
    }
  }

  // ---- save ----

  /** The state, with the level of the INTR pin, which is not in the kernel. */
  CpuState save(boolean externalInterruptPin) {
    // First, since it makes the vCPU act on INIT and start-up messages that have come.
    int mp = multiprocessingState();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment regs = get(arena, Ioctl.KVM_GET_REGS, REGS_BYTES);
      MemorySegment sregs = get(arena, Ioctl.KVM_GET_SREGS, SREGS_BYTES);
      MemorySegment debug = get(arena, Ioctl.KVM_GET_DEBUGREGS, DEBUGREGS_BYTES);
      MemorySegment xcrs = get(arena, Ioctl.KVM_GET_XCRS, XCRS_BYTES);
      long[] gpr = new long[16];
      for (int i = 0; i < 16; i++) {
        gpr[i] = regs.get(LONG, REGS_GPR[i]);
      }
      long[] dr = new long[6];
      for (int i = 0; i < 6; i++) {
        dr[i] = debug.get(LONG, 8L * i);
      }
      long apicBase = sregs.get(LONG, SREGS_APIC_BASE);
      return new CpuState(
          gpr,
          regs.get(LONG, REGS_RIP),
          regs.get(LONG, REGS_RFLAGS),
          segment(sregs, SREGS_ES),
          segment(sregs, SREGS_CS),
          segment(sregs, SREGS_SS),
          segment(sregs, SREGS_DS),
          segment(sregs, SREGS_FS),
          segment(sregs, SREGS_GS),
          segment(sregs, SREGS_LDT),
          segment(sregs, SREGS_TR),
          table(sregs, SREGS_GDT),
          table(sregs, SREGS_IDT),
          sregs.get(LONG, SREGS_CR0),
          sregs.get(LONG, SREGS_CR2),
          sregs.get(LONG, SREGS_CR3),
          sregs.get(LONG, SREGS_CR4),
          dr,
          xcrs.get(LONG, 16),
          xsave(arena),
          msrs.save(apicBase, frozenDeadline),
          events.save(dr[4]),
          activity(mp),
          apic(externalInterruptPin, (apicBase & APIC_BASE_X2) != 0),
          frozenTsc);
    }
  }

  private MemorySegment get(Arena arena, Ioctl request, int bytes) {
    MemorySegment structure = arena.allocate(bytes, 8);
    Libc.ioctl(fd, request, structure);
    return structure;
  }

  private static SegmentState segment(MemorySegment sregs, int at) {
    int attributes =
        sregs.get(BYTE, at + SEGMENT_TYPE) // type
            | sregs.get(BYTE, at + SEGMENT_S) << 4 // S
            | sregs.get(BYTE, at + SEGMENT_DPL) << 5 // DPL
            | sregs.get(BYTE, at + SEGMENT_PRESENT) << 7 // P
            | sregs.get(BYTE, at + SEGMENT_AVL) << 12 // AVL
            | sregs.get(BYTE, at + SEGMENT_L) << 13 // L
            | sregs.get(BYTE, at + SEGMENT_DB) << 14 // D/B
            | sregs.get(BYTE, at + SEGMENT_G) << 15 // G
            | (sregs.get(BYTE, at + SEGMENT_UNUSABLE) != 0 ? SegmentState.UNUSABLE : 0);
    return new SegmentState(
        sregs.get(SHORT, at + SEGMENT_SELECTOR) & 0xFFFF,
        sregs.get(LONG, at),
        sregs.get(INT, at + SEGMENT_LIMIT) & 0xFFFFFFFFL,
        attributes);
  }

  private static TableState table(MemorySegment sregs, int at) {
    return new TableState(sregs.get(LONG, at), sregs.get(SHORT, at + TABLE_LIMIT) & 0xFFFF);
  }

  private byte[] xsave(Arena arena) {
    MemorySegment area = get(arena, Ioctl.KVM_GET_XSAVE, XSAVE_BYTES);
    byte[] portable = new byte[layout.bytes()];
    MemorySegment.copy(area, BYTE, 0, portable, 0, XsaveLayout.LEGACY_BYTES);
    // Of the header, what says which components are there; the area is in the standard form.
    MemorySegment header = MemorySegment.ofArray(portable).asSlice(XsaveLayout.HEADER, 64);
    long present = header.get(ValueLayout.JAVA_LONG_UNALIGNED, 0);
    header.fill((byte) 0);
    long kept = present & layout.components() & ~XsaveLayout.PKRU;
    header.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, kept);
    if ((kept & XsaveLayout.AVX) != 0) {
      int at = XsaveLayout.AVX_OFFSET;
      MemorySegment.copy(area, BYTE, at, portable, at, XsaveLayout.AVX_BYTES);
    }
    boolean keys = layout.hasPkru() && (present & XsaveLayout.PKRU) != 0;
    layout.putPkru(portable, keys ? area.get(INT, layout.pkruOffset()) : 0);
    return portable;
  }

  private ActivityState activity(int mp) {
    if (shutDown) {
      return ActivityState.SHUTDOWN;
    }
    return switch (mp) {
      case MP_HALTED -> ActivityState.HALTED;
      case MP_UNINITIALIZED, MP_INIT_RECEIVED -> ActivityState.WAIT_FOR_STARTUP;
      default -> ActivityState.RUNNING;
    };
  }

  private LocalApicState apic(boolean externalInterruptPin, boolean x2) {
    LapicImage image = LapicImage.read(fd);
    long now = host.clock().nanoTime();
    long deadline = -1;
    int initialCount = image.initialCount();
    if (frozenNanosLeft > 0) {
      deadline = now + frozenNanosLeft;
      initialCount = frozenInitialCount;
    } else if (frozenDeadline != 0) {
      deadline = Math.max(now, now + ticksToNanos(frozenDeadline - frozenTsc));
    }
    return new LocalApicState(
        index, image.shared(index, x2, initialCount), deadline, externalInterruptPin, false, 0);
  }

  /** Of a distance, which may be negative, up to what a clock can count. */
  private long ticksToNanos(long ticks) {
    long hz = host.tscFrequencyHz();
    long seconds = Math.clamp(ticks / hz, -FARTHEST_SECONDS, FARTHEST_SECONDS);
    return seconds * 1_000_000_000L + ticks % hz * 1_000_000_000L / hz;
  }

  // ---- restore ----

  /** Takes a state on. */
  void restore(CpuState state) {
    if (state.gpr().length != 16 || state.dr().length != 6) {
      throw new SnapshotException.Incompatible(
          "vCPU registers", "16 general and 6 debug registers");
    }
    if (state.xsave().length < XsaveLayout.LEGACY_BYTES) {
      throw new SnapshotException.Incompatible(
          "XSAVE area of %d bytes".formatted(state.xsave().length),
          "the standard form has at least 576");
    }
    if (state.apic().registers().length != LapicImage.REGISTERS) {
      throw new SnapshotException.Incompatible(
          "local APIC of %d registers".formatted(state.apic().registers().length), "there are 64");
    }
    if (state.apic().id() != index) {
      throw new SnapshotException.Incompatible(
          "local APIC id %d of vcpu/%d".formatted(state.apic().id(), index), "it must be equal");
    }
    try (Arena arena = Arena.ofConfined()) {
      setSystemRegisters(arena, state);
      setFloatingPoint(arena, state);
      msrs.restore(state.msrs());
      setDebugRegisters(arena, state);
      setApic(state);
      setMultiprocessingState(
          switch (state.activity()) {
            case HALTED -> MP_HALTED;
            case WAIT_FOR_STARTUP -> MP_INIT_RECEIVED;
            default -> MP_RUNNABLE;
          });
      setGeneralRegisters(arena, state);
      events.restore(state.events());
    } catch (KvmException e) {
      throw new SnapshotException.Incompatible(
          "state of vcpu/" + index, "KVM does not take it: " + e.getMessage());
    }
    shutDown = state.activity() == ActivityState.SHUTDOWN;
    frozenTsc = state.tsc();
  }

  private void setSystemRegisters(Arena arena, CpuState state) {
    MemorySegment sregs = arena.allocate(SREGS_BYTES, 8);
    set(sregs, SREGS_ES, state.es());
    set(sregs, SREGS_CS, state.cs());
    set(sregs, SREGS_SS, state.ss());
    set(sregs, SREGS_DS, state.ds());
    set(sregs, SREGS_FS, state.fs());
    set(sregs, SREGS_GS, state.gs());
    set(sregs, SREGS_LDT, state.ldtr());
    set(sregs, SREGS_TR, state.tr());
    set(sregs, SREGS_GDT, state.gdtr());
    set(sregs, SREGS_IDT, state.idtr());
    sregs.set(LONG, SREGS_CR0, state.cr0());
    sregs.set(LONG, SREGS_CR2, state.cr2());
    sregs.set(LONG, SREGS_CR3, state.cr3());
    sregs.set(LONG, SREGS_CR4, state.cr4());
    sregs.set(LONG, SREGS_CR8, LapicImage.of(state.apic(), false).taskPriority() >> 4);
    sregs.set(LONG, SREGS_EFER, state.msr(EFER));
    sregs.set(LONG, SREGS_APIC_BASE, state.msr(APIC_BASE));
    Libc.ioctl(fd, Ioctl.KVM_SET_SREGS, sregs);
  }

  private static void set(MemorySegment sregs, int at, SegmentState segment) {
    int attributes = segment.attributes();
    sregs.set(LONG, at, segment.base());
    sregs.set(INT, at + SEGMENT_LIMIT, (int) segment.limit());
    sregs.set(SHORT, at + SEGMENT_SELECTOR, (short) segment.selector());
    sregs.set(BYTE, at + SEGMENT_TYPE, (byte) (attributes & 15));
    sregs.set(BYTE, at + SEGMENT_PRESENT, (byte) (attributes >> 7 & 1));
    sregs.set(BYTE, at + SEGMENT_DPL, (byte) (attributes >> 5 & 3));
    sregs.set(BYTE, at + SEGMENT_DB, (byte) (attributes >> 14 & 1));
    sregs.set(BYTE, at + SEGMENT_S, (byte) (attributes >> 4 & 1));
    sregs.set(BYTE, at + SEGMENT_L, (byte) (attributes >> 13 & 1));
    sregs.set(BYTE, at + SEGMENT_G, (byte) (attributes >> 15 & 1));
    sregs.set(BYTE, at + SEGMENT_AVL, (byte) (attributes >> 12 & 1));
    sregs.set(
        BYTE, at + SEGMENT_UNUSABLE, (byte) ((attributes & SegmentState.UNUSABLE) != 0 ? 1 : 0));
  }

  private static void set(MemorySegment sregs, int at, TableState table) {
    sregs.set(LONG, at, table.base());
    sregs.set(SHORT, at + TABLE_LIMIT, (short) table.limit());
  }

  private void setFloatingPoint(Arena arena, CpuState state) {
    MemorySegment xcrs = arena.allocate(XCRS_BYTES, 8);
    xcrs.set(INT, 0, 1); // one register, XCR0
    xcrs.set(LONG, 16, state.xcr0());
    Libc.ioctl(fd, Ioctl.KVM_SET_XCRS, xcrs);
    MemorySegment area = arena.allocate(XSAVE_BYTES, 8);
    MemorySegment.copy(state.xsave(), 0, area, BYTE, 0, XsaveLayout.LEGACY_BYTES);
    long portable = layout.components() & ~XsaveLayout.PKRU;
    if (!layout.containsAvx(state.xsave())) {
      portable &= ~XsaveLayout.AVX;
    } else {
      int at = XsaveLayout.AVX_OFFSET;
      MemorySegment.copy(state.xsave(), at, area, BYTE, at, XsaveLayout.AVX_BYTES);
    }
    area.set(LONG, XsaveLayout.HEADER, area.get(LONG, XsaveLayout.HEADER) & portable);
    if (layout.hasPkru()) {
      area.set(LONG, XsaveLayout.HEADER, area.get(LONG, XsaveLayout.HEADER) | XsaveLayout.PKRU);
      area.set(INT, layout.pkruOffset(), layout.pkru(state.xsave()));
    }
    Libc.ioctl(fd, Ioctl.KVM_SET_XSAVE, area);
  }

  private void setDebugRegisters(Arena arena, CpuState state) {
    MemorySegment debug = arena.allocate(DEBUGREGS_BYTES, 8);
    for (int i = 0; i < 6; i++) {
      debug.set(LONG, 8L * i, state.dr()[i]);
    }
    Libc.ioctl(fd, Ioctl.KVM_SET_DEBUGREGS, debug);
  }

  private void setApic(CpuState state) {
    LocalApicState apic = state.apic();
    boolean x2 = (state.msr(APIC_BASE) & APIC_BASE_X2) != 0;
    LapicImage image = LapicImage.of(apic, x2);
    access.set(TSC_DEADLINE, 0);
    frozenDeadline = 0;
    frozenNanosLeft = 0;
    frozenInitialCount = 0;
    if (image.timerHasDeadline()) {
      frozenDeadline = state.msr(TSC_DEADLINE);
    } else if (apic.timerDeadlineNanos() >= 0) {
      frozenInitialCount = apic.registers()[0x38];
      long left = apic.timerDeadlineNanos() - host.clock().nanoTime();
      if (left <= 0 && image.timerIsPeriodic()) {
        // It was due before a clock that has caught up: once now, and on in its own steps.
        image.requestTimerInterrupt();
        left = image.untilNextPeriod(frozenInitialCount, -left);
      }
      frozenNanosLeft = Math.max(1, left); // due already: it comes to zero at once
    }
    image.write(fd);
  }

  private void setGeneralRegisters(Arena arena, CpuState state) {
    MemorySegment regs = arena.allocate(REGS_BYTES, 8);
    for (int i = 0; i < 16; i++) {
      regs.set(LONG, REGS_GPR[i], state.gpr()[i]);
    }
    regs.set(LONG, REGS_RIP, state.rip());
    regs.set(LONG, REGS_RFLAGS, state.rflags());
    Libc.ioctl(fd, Ioctl.KVM_SET_REGS, regs);
  }
}

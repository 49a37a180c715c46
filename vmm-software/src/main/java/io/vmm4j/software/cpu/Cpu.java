package io.vmm4j.software.cpu;

import io.vmm4j.api.backend.BackendHost;
import io.vmm4j.software.apic.LocalApic;
import io.vmm4j.software.fpu.FpuState;
import io.vmm4j.software.system.SystemUnit;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The state of one software vCPU, and the small operations on it that every executor shares. Only
 * the vCPU's thread touches it, but for {@link #signal}.
 *
 * <p>Fields are public and plain: executors in several packages read and write them for each
 * instruction. What has to be kept together after a change is done by the {@code …Changed} methods:
 * {@link #modeChanged} after CR0, CR4, EFER, CS, SS, CPL or EFLAGS.AC/VM, {@link Mmu#flush} after
 * what a TLB holds has changed.
 *
 * <p>An instruction that faults must leave no trace: executors access memory before they write
 * registers and flags.
 */
public final class Cpu {
  /** Index of ES in {@link #seg}. */
  public static final int ES = 0;

  /** Index of CS. */
  public static final int CS = 1;

  /** Index of SS. */
  public static final int SS = 2;

  /** Index of DS. */
  public static final int DS = 3;

  /** Index of FS. */
  public static final int FS = 4;

  /** Index of GS. */
  public static final int GS = 5;

  /** Index of LDTR. */
  public static final int LDTR = 6;

  /** Index of TR. */
  public static final int TR = 7;

  public static final int RAX = 0;
  public static final int RCX = 1;
  public static final int RDX = 2;
  public static final int RBX = 3;
  public static final int RSP = 4;
  public static final int RBP = 5;
  public static final int RSI = 6;
  public static final int RDI = 7;

  /** Exception vectors. */
  public static final int DE = 0;

  public static final int DB = 1;
  public static final int NMI = 2;
  public static final int BP = 3;
  public static final int OF = 4;
  public static final int BR = 5;
  public static final int UD = 6;
  public static final int NM = 7;
  public static final int DF = 8;
  public static final int TS = 10;
  public static final int NP = 11;
  public static final int SS_FAULT = 12;
  public static final int GP = 13;
  public static final int PF = 14;
  public static final int MF = 16;
  public static final int AC = 17;
  public static final int MC = 18;
  public static final int XM = 19;

  /** Another thread wants the run loop to return. */
  public static final int SIGNAL_KICK = 1;

  /** The local APIC or the INTR pin may have an interrupt. */
  public static final int SIGNAL_INTERRUPT = 2;

  /** The physical memory map has changed, or memory was written by others than vCPUs. */
  public static final int SIGNAL_MEMORY = 32;

  /** A range that a debugger watches was touched. */
  public static final int SIGNAL_DEBUG = 64;

  /** An NMI is pending. */
  public static final int SIGNAL_NMI = 4;

  /** INIT is pending. */
  public static final int SIGNAL_INIT = 8;

  /** A start-up message is pending. */
  public static final int SIGNAL_STARTUP = 16;

  private static final VarHandle SIGNALS;

  static {
    try {
      SIGNALS = MethodHandles.lookup().findVarHandle(Cpu.class, "signals", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** The general registers; [16] is always zero, [17] the first RIP of the current block. */
  public final long[] gpr = new long[18];

  /**
   * The next instruction, as an offset into CS. The run loop keeps it only at the ends of blocks;
   * executors that are not in the interpreter's own switch find the <em>next</em> instruction here.
   */
  public long rip;

  /** The instruction being executed, where {@link #rip} is said to be valid. */
  public long currentRip;

  /** Result of the last flag-setting operation, sign-extended from its size: see {@link Flags}. */
  public long flagResult;

  /** Carries of the last flag-setting operation: see {@link Flags}. */
  public long flagAux;

  /** RFLAGS but for CF, PF, AF, ZF, SF, OF; bit 1 set. */
  public int systemFlags = 2;

  /** The segment registers, LDTR and TR. */
  public final Segment[] seg = new Segment[8];

  /**
   * What is added to an offset: the bases of the segments, but zero for ES, CS, SS and DS in 64-bit
   * mode. Kept by {@link #segmentChanged}.
   */
  public final long[] segBase = new long[6];

  public long gdtrBase;
  public int gdtrLimit;
  public long idtrBase;
  public int idtrLimit;
  public long cr0;
  public long cr2;
  public long cr3;
  public long cr4;
  public long cr8;
  public long efer;
  public long xcr0 = 1;

  /** The rights of user pages by protection key; set by {@link #setProtectionKeys}. */
  public int pkru;

  /** IA32_PKRS: the rights of supervisor pages by protection key. */
  public int pkrs;

  /** DR0 to DR3, DR6, DR7. */
  public final long[] dr = new long[6];

  /** The current privilege level. */
  public int cpl;

  /** Whether EFER.LMA is set. */
  public boolean longMode;

  /** The code size in bytes: 2, 4 or 8. Kept by {@link #modeChanged}. */
  public int codeSize = 2;

  /**
   * The mask of the stack pointer: 0xFFFF, 0xFFFFFFFF or all ones. Kept by {@link #modeChanged}.
   */
  public long stackMask = 0xFFFF;

  /** Whether CR0.PE is set and EFLAGS.VM is not. Kept by {@link #modeChanged}. */
  public boolean protectedMode;

  /** The vector of the fault that is being thrown. */
  public int faultVector;

  /** Its error code. */
  public int faultErrorCode;

  /** Whether it has one. */
  public boolean faultHasErrorCode;

  /**
   * Whether the fault is for a non-canonical address of an unknown segment: #GP, which the run loop
   * turns to #SS where the operand is on the stack.
   */
  public boolean faultNonCanonical;

  /**
   * An interrupt that the local APIC has given up and that is delivered before anything else, or
   * -1. Only a state that comes from elsewhere has one: here nothing comes in between.
   */
  public int acknowledgedInterrupt = -1;

  /** The next instruction is in the shadow of STI. */
  public boolean shadowSti;

  /** The next instruction is in the shadow of MOV SS or POP SS. */
  public boolean shadowMovSs;

  /** NMIs are blocked until IRET. */
  public boolean nmiBlocked;

  /** A handler has been entered: by an event, or by INT and SYSCALL, which then are not stepped. */
  public boolean handlerEntered;

  /** HLT was executed and no event has come. */
  public boolean halted;

  /** Waits for a start-up message. */
  public boolean waitForStartup;

  /** A triple fault has happened. */
  public boolean shutdown;

  /** Debug exception causes (DR6 bits) that become a trap after the current instruction. */
  public int pendingDebug;

  /** Instructions executed up to the beginning of the current block. */
  public long instructions;

  /** The place in its block of the instruction being executed. */
  public int blockIndex;

  /** A repeated string instruction was left for a signal and is to be executed again. */
  boolean repeatInterrupted;

  private long accounted;

  /** The current block is left when its index reaches this. */
  int blockLimit;

  private LeaveReason lastLeave = LeaveReason.MODE;

  /** x87, MMX and SSE state. */
  public final FpuState fpu = new FpuState();

  /** Breakpoints and steps of a debugger. */
  public final DebuggerStops debugger;

  /** Memory as instructions see it. */
  public final Mmu mmu;

  /** The local APIC. */
  public final LocalApic apic;

  /** MSRs, CPUID and reset states. */
  public final SystemUnit system;

  /** The machine. */
  public final BackendHost host;

  /** Whether other vCPUs of the machine run at the same time, on threads of their own. */
  public final boolean parallel;

  /** What this one agrees on with them. */
  public final VcpuThreads.Member member;

  /** What PAUSE does. */
  final PauseLoop pauses = new PauseLoop(this);

  private final CpuFault fault = new CpuFault();
  private final UndefinedLog undefinedLog = new UndefinedLog();

  private Runnable onSignal = () -> {};

  @SuppressWarnings("unused") // through SIGNALS
  private int signals;

  /** A processor with every register zero: not yet a state of power-on. */
  public Cpu(int index, BackendHost host) {
    this(index, host, new DecodedCode(host.memory().byteSize()));
  }

  /** The same, with decoded code that the vCPUs of its machine share. */
  public Cpu(int index, BackendHost host, DecodedCode code) {
    this(index, host, code, code.threads().add());
  }

  /** The same for a vCPU that other vCPUs know of. */
  public Cpu(int index, BackendHost host, DecodedCode code, VcpuThreads.Member member) {
    this.host = host;
    this.parallel = code.isParallel();
    this.member = member;
    this.apic = new LocalApic(this, index, host);
    for (int i = 0; i < seg.length; i++) {
      seg[i] = new Segment();
    }
    this.debugger = new DebuggerStops(this, index);
    this.mmu = new Mmu(this, host, code);
    this.system = new SystemUnit(this);
    member.of(this);
  }

  // ---- signals ----

  /** Sets signal bits. From any thread. */
  public void signal(int bits) {
    SIGNALS.getAndBitwiseOr(this, bits);
    onSignal.run();
  }

  /** Has something done after each {@link #signal}, on its thread; before the vCPU runs. */
  public void onSignal(Runnable action) {
    onSignal = action;
  }

  /** Clears signal bits. */
  public void clearSignal(int bits) {
    SIGNALS.getAndBitwiseAnd(this, ~bits);
  }

  /** The signals that are set. */
  public int signals() {
    return (int) SIGNALS.getAcquire(this);
  }

  /** Tells the clock of the instructions executed; before anything that looks at the time. */
  public void accountInstructions() {
    long total = instructions + blockIndex;
    if (total != accounted) {
      long count = total - accounted;
      accounted = total;
      host.instructionsExecuted(count);
    }
  }

  // ---- blocks ----

  /** Has the current block left behind the present instruction, so that the run loop looks anew. */
  public void leaveBlock(LeaveReason reason) {
    blockLimit = 0;
    lastLeave = reason;
  }

  /** Whether the present block, or the last one, was left before its limit. */
  public boolean blockWasLeft() {
    return blockLimit == 0;
  }

  /** Why a block was left last. */
  public LeaveReason lastLeave() {
    return lastLeave;
  }

  // ---- other vCPUs ----

  /** Has something done while no other vCPU accesses memory. */
  void alone(Runnable action) {
    member.alone(action);
  }

  // ---- faults ----

  /**
   * Raises an exception without error code. Declared to return so that callers can write {@code
   * throw cpu.raise(UD)}.
   */
  public CpuFault raise(int vector) {
    faultVector = vector;
    faultHasErrorCode = false;
    faultErrorCode = 0;
    faultNonCanonical = false;
    throw fault;
  }

  /** Raises an exception with an error code. */
  public CpuFault raise(int vector, int errorCode) {
    faultVector = vector;
    faultHasErrorCode = true;
    faultErrorCode = errorCode;
    faultNonCanonical = false;
    throw fault;
  }

  /** Raises #PF. */
  public CpuFault raisePageFault(long linear, int errorCode) {
    cr2 = linear;
    throw raise(PF, errorCode);
  }

  /** Raises #GP(0) for a non-canonical address, or #SS(0) if the operand is on the stack. */
  public CpuFault raiseNonCanonical() {
    faultVector = GP;
    faultHasErrorCode = true;
    faultErrorCode = 0;
    faultNonCanonical = true;
    throw fault;
  }

  /** #UD: logged once for each instruction that is not implemented. */
  public CpuFault undefined(Instruction in) {
    if (!in.illegal) {
      undefinedLog.report(this, in);
    }
    throw raise(UD);
  }

  // ---- flags ----

  /** RFLAGS. */
  public int eflags() {
    return systemFlags | Flags.arithmetic(flagResult, flagAux);
  }

  /**
   * Sets all of RFLAGS; reserved bits take their fixed values. Calls {@link #modeChanged} when AC
   * or VM changes.
   */
  public void setEflags(int value) {
    int before = systemFlags;
    systemFlags = (value & Flags.SYSTEM_MASK) | 2;
    setArithmeticFlags(value);
    if (((before ^ systemFlags) & (Flags.AC | Flags.VM)) != 0) {
      modeChanged();
    }
  }

  /** Sets CF, PF, AF, ZF, SF and OF from an EFLAGS image. */
  public void setArithmeticFlags(int bits) {
    flagResult = Flags.explicitResult(bits);
    flagAux = Flags.explicitAux(bits);
  }

  /** The carry flag, 0 or 1. */
  public int carry() {
    return (int) (flagAux >>> 63);
  }

  /** One of the 16 conditions of Jcc, SETcc and CMOVcc. */
  public boolean condition(int code) {
    return Flags.condition(code, flagResult, flagAux);
  }

  /**
   * Leaves a repeated string instruction between two iterations: RIP is on it again, and RF is set,
   * for the breakpoints on it have been passed (Intel SDM volume 3, 18.3.1.1). AMD's processors do
   * not set it for a trap.
   */
  public void leaveRepeat() {
    rip = currentRip;
    boolean trap = pendingDebug != 0 || (systemFlags & Flags.TF) != 0;
    if (!trap || !system.cpuid.isAmd()) {
      systemFlags |= Flags.RF;
    }
    leaveBlock(LeaveReason.REPEAT);
  }

  /** IOPL. */
  public int iopl() {
    return (systemFlags >> 12) & 3;
  }

  // ---- mode ----

  /** Recomputes what follows from CR0, CR4, EFER, CS, SS, CPL and EFLAGS. */
  public void modeChanged() {
    protectedMode = (cr0 & 1) != 0 && (systemFlags & Flags.VM) == 0;
    longMode = (efer & 0x400) != 0;
    Segment cs = seg[CS];
    if (longMode && cs.isLong()) {
      codeSize = 8;
      stackMask = -1;
    } else {
      codeSize = cs.big() ? 4 : 2;
      stackMask = seg[SS].big() ? 0xFFFFFFFFL : 0xFFFF;
    }
    for (int i = 0; i < 6; i++) {
      segBase[i] = codeSize == 8 && i < FS ? 0 : seg[i].base;
    }
    mmu.selectTlb();
    leaveBlock(LeaveReason.MODE);
  }

  /** Recomputes what follows from the segment registers other than CS and SS. */
  public void segmentChanged(int index) {
    segBase[index] = codeSize == 8 && index < FS ? 0 : seg[index].base;
  }

  /** Sets PKRU and IA32_PKRS. */
  public void setProtectionKeys(int user, int supervisor) {
    if (user != pkru || supervisor != pkrs) {
      pkru = user;
      pkrs = supervisor;
      mmu.flush();
      leaveBlock(LeaveReason.TRANSLATION);
    }
  }

  /**
   * Whether the next instruction may be executed without a look at anything: no signal, trap,
   * interrupt or single step waits, and the vCPU is not halted.
   */
  public boolean isUndisturbed() {
    return signals() == 0
        && pendingDebug == 0
        && acknowledgedInterrupt < 0
        && !(halted || shutdown || waitForStartup || shadowSti || shadowMovSs)
        && (systemFlags & (Flags.TF | Flags.RF)) == 0
        && ((systemFlags & Flags.IF) == 0 || !apic.hasInterrupt());
  }

  // ---- addresses ----

  /** An instruction pointer in the width of the code. */
  long wrap(long instructionPointer) {
    return switch (codeSize) {
      case 8 -> instructionPointer;
      case 4 -> instructionPointer & 0xFFFFFFFFL;
      default -> instructionPointer & 0xFFFF;
    };
  }

  /** The offset of an instruction's memory operand, before the segment. */
  public long effectiveAddress(Instruction in) {
    return (gpr[in.base] + (gpr[in.index] << in.scale) + in.displacement) & in.addressMask;
  }

  /**
   * The linear address of an instruction's memory operand; outside 64-bit mode the segment is
   * checked (#GP, #SS).
   *
   * @param size of the access in bytes
   * @param write whether it will be written
   */
  public long linearAddress(Instruction in, int size, boolean write) {
    long offset = effectiveAddress(in);
    if (in.codeSize == 8) {
      return offset + segBase[in.segment];
    }
    return linear(in.segment, offset, size, write);
  }

  /** The linear address of an offset into a segment, checked outside 64-bit mode. */
  public long linear(int segment, long offset, int size, boolean write) {
    if (codeSize == 8) {
      return offset + segBase[segment];
    }
    return SegmentCheck.linear(this, segment, offset, size, write);
  }

  // ---- registers by size ----

  /** A byte register in its encoding: AH to BH without REX. */
  public int reg8(int number, boolean rex) {
    if (number >= 4 && number < 8 && !rex) {
      return (int) (gpr[number - 4] >>> 8) & 0xFF;
    }
    return (int) gpr[number] & 0xFF;
  }

  /** Sets a byte register. */
  public void setReg8(int number, boolean rex, int value) {
    if (number >= 4 && number < 8 && !rex) {
      gpr[number - 4] = (gpr[number - 4] & ~0xFF00L) | (long) (value & 0xFF) << 8;
    } else {
      gpr[number] = (gpr[number] & ~0xFFL) | (value & 0xFF);
    }
  }

  /** Sets a register of 2, 4 (zero-extending) or 8 bytes. */
  public void setReg(int number, int size, long value) {
    switch (size) {
      case 8 -> gpr[number] = value;
      case 4 -> gpr[number] = value & 0xFFFFFFFFL;
      default -> gpr[number] = (gpr[number] & ~0xFFFFL) | (value & 0xFFFF);
    }
  }

  /** A register of 2, 4 or 8 bytes, zero-extended. */
  public long reg(int number, int size) {
    return switch (size) {
      case 8 -> gpr[number];
      case 4 -> gpr[number] & 0xFFFFFFFFL;
      default -> gpr[number] & 0xFFFF;
    };
  }

  // ---- the stack ----

  /** Sets the stack pointer in the width of the stack segment. */
  public void setStackPointer(long value) {
    gpr[RSP] = (gpr[RSP] & ~stackMask) | (value & stackMask);
    if (stackMask == 0xFFFFFFFFL) {
      gpr[RSP] &= 0xFFFFFFFFL;
    }
  }

  /** Pushes a value of 2, 4 or 8 bytes. */
  public void push(long value, int size) {
    long sp = (gpr[RSP] - size) & stackMask;
    long linear = linear(SS, sp, size, true);
    switch (size) {
      case 8 -> mmu.write64(linear, value);
      case 4 -> mmu.write32(linear, (int) value);
      default -> mmu.write16(linear, (int) value);
    }
    setStackPointer(sp);
  }

  /** The value on the stack, {@code depth} bytes above the stack pointer, zero-extended. */
  public long peek(int depth, int size) {
    long linear = linear(SS, (gpr[RSP] + depth) & stackMask, size, false);
    return switch (size) {
      case 8 -> mmu.read64(linear);
      case 4 -> mmu.read32(linear) & 0xFFFFFFFFL;
      default -> mmu.read16(linear);
    };
  }

  /** Pops a value of 2, 4 or 8 bytes, zero-extended. */
  public long pop(int size) {
    long value = peek(0, size);
    setStackPointer(gpr[RSP] + size);
    return value;
  }
}

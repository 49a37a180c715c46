package io.vmm4j.software.apic;

import io.vmm4j.api.backend.BackendHost;
import io.vmm4j.api.backend.LocalApicState;
import io.vmm4j.software.cpu.Cpu;
import java.util.Arrays;

/**
 * The local APIC of one vCPU (Intel SDM volume 3, chapter 11), as xAPIC and as x2APIC.
 *
 * <p>Its state is guarded by the machine lock: the vCPU's thread takes it for each access to a
 * register, device threads hold it when they deliver. {@link #hasInterrupt} alone needs no lock. A
 * new interrupt sets {@link Cpu#SIGNAL_INTERRUPT} (or the signal of NMI, INIT or start-up) and
 * calls the wake listener.
 */
public final class LocalApic {
  private static final int ID = 0x02;
  private static final int VERSION = 0x03;
  private static final int TPR = 0x08;
  private static final int APR = 0x09;
  private static final int PPR = 0x0A;
  private static final int EOI = 0x0B;
  private static final int LDR = 0x0D;
  private static final int DFR = 0x0E;
  private static final int SVR = 0x0F;
  private static final int ISR = 0x10;
  private static final int TMR = 0x18;
  private static final int IRR = 0x20;
  private static final int ESR = 0x28;
  private static final int ICR_LOW = 0x30;
  private static final int ICR_HIGH = 0x31;
  private static final int LVT_TIMER = 0x32;
  private static final int LVT_THERMAL = 0x33;
  private static final int LVT_LINT0 = 0x35;
  private static final int LVT_LINT1 = 0x36;
  private static final int LVT_ERROR = 0x37;
  private static final int INITIAL_COUNT = 0x38;
  private static final int CURRENT_COUNT = 0x39;
  private static final int DIVIDE = 0x3E;
  private static final int SELF_IPI = 0x3F;

  /** Integrated APIC, 6 LVT entries. */
  private static final int VERSION_VALUE = 0x0005_0014;

  private static final int MASKED = 1 << 16;
  private static final int SOFTWARE_ENABLED = 1 << 8;
  private static final int SPURIOUS_RESET = 0xFF;
  private static final int SVR_WRITABLE = 0x1FF;

  /** LINT0 takes the 8259s' INTR, LINT1 is NMI: as firmware leaves the bootstrap processor. */
  private static final int VIRTUAL_WIRE = ApicBus.EXTERNAL << 8;

  private static final int LINT1_NMI = ApicBus.NMI << 8;

  private static final int ERROR_SEND_ILLEGAL = 1 << 5;
  private static final int ERROR_RECEIVE_ILLEGAL = 1 << 6;
  private static final int ERROR_REGISTER = 1 << 7;

  private static final long BASE_ENABLE = 1 << 11;
  private static final long BASE_X2APIC = 1 << 10;
  private static final long BASE_BOOTSTRAP = 1 << 8;
  private static final long BASE_ADDRESS = 0xFEE0_0000L;
  private static final long ADDRESS_MASK = ~0xFFFL;

  private static final int MSR_BASE = 0x800;

  private final Cpu cpu;
  private final BackendHost host;
  private final int initialId;
  private final int[] registers = new int[64];
  private final Vectors inService = new Vectors(registers, ISR);
  private final Vectors levelTriggered = new Vectors(registers, TMR);
  private final Vectors requested = new Vectors(registers, IRR);
  private final ApicTimer timer;
  private volatile long base;
  private volatile boolean pending;
  private volatile Runnable wake = () -> {};
  private ApicBus bus;
  private boolean externalPin;
  private boolean externalMessage;
  private int newErrors;
  private volatile int startupVector;

  /** The APIC of the vCPU of an index, on a bus of its own until one is given. */
  public LocalApic(Cpu cpu, int index, BackendHost host) {
    this.cpu = cpu;
    this.host = host;
    this.initialId = index;
    this.timer = new ApicTimer(host, index, this::timerExpired);
    this.base = BASE_ADDRESS | BASE_ENABLE | (index == 0 ? BASE_BOOTSTRAP : 0);
    resetRegisters();
    this.bus = new ApicBus();
    bus.add(this);
  }

  void connect(ApicBus newBus) {
    bus = newBus;
  }

  /**
   * Registers what to call when an event arrives.
   *
   * @param listener called on any thread, with the machine lock held
   */
  public void onWake(Runnable listener) {
    wake = listener;
  }

  // ---- reset ----

  /** The state after power-on. */
  public void powerOn() {
    host.locked(() -> {
      base = BASE_ADDRESS | BASE_ENABLE | (initialId == 0 ? BASE_BOOTSTRAP : 0);
      resetRegisters();
      externalMessage = false;
      if (initialId == 0) {
        registers[LVT_LINT0] = VIRTUAL_WIRE;
        registers[LVT_LINT1] = LINT1_NMI;
      }
      update();
    });
  }

  /** The state after INIT: IA32_APIC_BASE stays, and x2APIC mode with it. */
  public void init() {
    host.locked(() -> {
      resetRegisters();
      update();
    });
  }

  private void resetRegisters() {
    Arrays.fill(registers, 0);
    registers[ID] = initialId << 24;
    registers[DFR] = -1;
    registers[SVR] = SPURIOUS_RESET;
    for (int i = LVT_TIMER; i <= LVT_ERROR; i++) {
      registers[i] = MASKED;
    }
    newErrors = 0;
    timer.reset();
  }

  // ---- IA32_APIC_BASE ----

  /** The initial APIC id, which CPUID tells. */
  public int id() {
    return initialId;
  }

  /** Whether this is the bootstrap processor's. */
  public boolean isBootstrap() {
    return (base & BASE_BOOTSTRAP) != 0;
  }

  /** Whether IA32_APIC_BASE enables it. */
  public boolean isEnabled() {
    return (base & BASE_ENABLE) != 0;
  }

  private boolean isX2() {
    return (base & BASE_X2APIC) != 0;
  }

  /** IA32_APIC_BASE. */
  public long base() {
    return base;
  }

  /**
   * WRMSR of IA32_APIC_BASE, whose reserved bits have been checked.
   *
   * @return false if the transition between modes is one that does not exist (SDM figure 11-24)
   */
  public boolean writeBase(long value) {
    boolean enable = (value & BASE_ENABLE) != 0;
    boolean x2 = (value & BASE_X2APIC) != 0;
    boolean invalid = x2 && !enable || isX2() && enable && !x2 || !isEnabled() && x2;
    if (invalid) {
      return false;
    }
    host.locked(() -> {
      boolean wasEnabled = isEnabled();
      base = value;
      if (wasEnabled && !enable) {
        resetRegisters();
      } else if (x2) {
        registers[ICR_HIGH] = 0;
      }
      update();
    });
    return true;
  }

  /** Takes on a saved IA32_APIC_BASE; false if it is impossible. */
  public boolean restoreBase(long value) {
    if ((value & (BASE_ENABLE | BASE_X2APIC)) == BASE_X2APIC) {
      return false;
    }
    base = value;
    return true;
  }

  // ---- what the run loop asks ----

  /**
   * Whether an interrupt can be acknowledged: one above the processor's priority, or the INTR pin.
   * From any thread.
   */
  public boolean hasInterrupt() {
    return pending;
  }

  /** The vector to deliver, or -1 if the interrupt has gone; for the vCPU's thread. */
  public int acknowledge() {
    int[] vector = {-1};
    host.locked(() -> vector[0] = acknowledgeLocked());
    return vector[0];
  }

  private int acknowledgeLocked() {
    int vector = isEnabled() ? requested.highest() : -1;
    if (vector >= 0 && acceptsFixed() && vector >> 4 > processorPriority() >> 4) {
      requested.remove(vector);
      inService.add(vector);
      update();
      return vector;
    }
    if (takesExternal()) {
      externalMessage = false;
      vector = host.acknowledgeExternalInterrupt();
      update();
      return vector;
    }
    update();
    return -1;
  }

  /** The page that the last start-up message named. */
  public int startupVector() {
    return startupVector;
  }

  /** Takes on a start-up message that had arrived and waits. */
  public void restoreStartup(int vector) {
    startupVector = vector;
    signal(Cpu.SIGNAL_STARTUP);
  }

  // ---- what devices call, with the machine lock held ----

  /** The INTR pin of the 8259s, which is LINT0. */
  public void setExternalInterrupt(boolean asserted) {
    boolean rises = asserted && !externalPin;
    externalPin = asserted;
    if (rises && isEnabled() && (registers[LVT_LINT0] & MASKED) == 0) {
      local(LVT_LINT0);
    }
    update();
  }

  /** The NMI pin, which is LINT1. */
  public void nonMaskableInterrupt() {
    if (!isEnabled()) {
      signal(Cpu.SIGNAL_NMI);
    } else {
      local(LVT_LINT1);
    }
  }

  private void local(int entry) {
    int value = registers[entry];
    int mode = value >> 8 & 7;
    if ((value & MASKED) != 0) {
      return;
    }
    if (mode == ApicBus.FIXED || mode == ApicBus.NMI) {
      receive(mode, value & 0xFF, false);
    }
  }

  private void timerExpired() {
    local(LVT_TIMER);
  }

  // ---- messages ----

  /** Whether a destination of a message means this APIC; all ones mean everybody. */
  boolean matches(int destination, boolean logical) {
    if (destination == -1) {
      return true;
    }
    if (isX2()) {
      if (!logical) {
        return destination == initialId;
      }
      int own = x2LogicalId();
      return destination >>> 16 == own >>> 16 && (destination & own & 0xFFFF) != 0;
    }
    if (!logical) {
      return destination == registers[ID] >>> 24;
    }
    int own = registers[LDR] >>> 24;
    if (registers[DFR] >>> 28 == 0xF) {
      return (own & destination) != 0;
    }
    return own >> 4 == (destination >> 4 & 0xF) && (own & destination & 0xF) != 0;
  }

  private int x2LogicalId() {
    return initialId >> 4 << 16 | 1 << (initialId & 15);
  }

  boolean acceptsFixed() {
    return isEnabled() && (registers[SVR] & SOFTWARE_ENABLED) != 0;
  }

  /** A message addressed to this APIC. */
  void receive(int mode, int vector, boolean level) {
    switch (mode) {
      case ApicBus.FIXED, ApicBus.LOWEST_PRIORITY -> request(vector, level);
      case ApicBus.NMI -> signal(Cpu.SIGNAL_NMI);
      case ApicBus.INIT -> {
        cpu.clearSignal(Cpu.SIGNAL_STARTUP); // INIT undoes a start-up that was not acted upon
        signal(Cpu.SIGNAL_INIT);
      }
      case ApicBus.STARTUP -> {
        startupVector = vector;
        signal(Cpu.SIGNAL_STARTUP);
      }
      case ApicBus.EXTERNAL -> {
        externalMessage = true;
        update();
      }
      default -> {} // SMI: there is no system management mode
    }
  }

  private void request(int vector, boolean level) {
    if (!acceptsFixed()) {
      return;
    }
    if (vector < 16) {
      error(ERROR_RECEIVE_ILLEGAL);
      return;
    }
    requested.add(vector);
    if (level) {
      levelTriggered.add(vector);
    } else {
      levelTriggered.remove(vector);
    }
    update();
  }

  private void error(int bit) {
    boolean first = (newErrors & bit) == 0;
    newErrors |= bit;
    int entry = registers[LVT_ERROR];
    if (first && (entry & MASKED) == 0 && (entry & 0xFF) >= 16) {
      request(entry & 0xFF, false);
    }
  }

  private void signal(int bit) {
    cpu.signal(bit);
    wake.run();
  }

  // ---- priorities ----

  int processorPriority() {
    int task = registers[TPR] & 0xFF;
    int serviced = Math.max(inService.highest(), 0) & 0xF0;
    return task >> 4 >= serviced >> 4 ? task : serviced;
  }

  private boolean takesExternal() {
    if (!isEnabled()) {
      return externalPin;
    }
    int lint0 = registers[LVT_LINT0];
    boolean wired = (lint0 & MASKED) == 0 && (lint0 >> 8 & 7) == ApicBus.EXTERNAL;
    return externalPin && wired || externalMessage;
  }

  /** Recomputes whether there is an interrupt for the processor. */
  private void update() {
    boolean now = takesExternal();
    if (!now && acceptsFixed()) {
      int vector = requested.highest();
      now = vector >= 0 && vector >> 4 > processorPriority() >> 4;
    }
    pending = now;
    if (now) {
      signal(Cpu.SIGNAL_INTERRUPT);
    }
  }

  // ---- TPR and CR8 ----

  /** The task priority, 0 to 255. */
  public int taskPriority() {
    return registers[TPR];
  }

  /** Sets the task priority: a write of CR8 shifted left by 4. */
  public void setTaskPriority(int priority) {
    host.locked(() -> {
      registers[TPR] = priority & 0xFF;
      update();
    });
  }

  // ---- the TSC deadline ----

  /** IA32_TSC_DEADLINE. */
  public long tscDeadline() {
    long[] value = new long[1];
    host.locked(() -> value[0] = timer.tscDeadline());
    return value[0];
  }

  /** WRMSR of IA32_TSC_DEADLINE. */
  public void setTscDeadline(long value) {
    host.locked(() -> timer.setTscDeadline(value));
  }

  /** Takes on a saved IA32_TSC_DEADLINE; when it is due comes with the rest of the state. */
  public void restoreTscDeadline(long value) {
    host.locked(() -> timer.restoreTscDeadline(value));
  }

  /** Notes by how much the time-stamp counter is ahead of the machine clock's ticks. */
  public void setTscOffset(long ticks) {
    host.locked(() -> timer.setTscOffset(ticks));
  }

  // ---- the xAPIC page ----

  /** Whether a guest physical address lies in the xAPIC page. */
  public boolean claims(long guestPhysicalAddress) {
    long b = base;
    return (guestPhysicalAddress & ADDRESS_MASK) == (b & ADDRESS_MASK)
        && (b & (BASE_ENABLE | BASE_X2APIC)) == BASE_ENABLE;
  }

  /** A load from the xAPIC page: 32 bits at multiples of 16 are defined. */
  public long readMmio(int offset, int size) {
    int[] value = new int[1];
    host.locked(() -> value[0] = read(offset >> 4));
    int shift = 8 * (offset & 3);
    boolean defined = (offset & 15) + Math.min(size, 4) <= 4;
    long word = defined ? (value[0] & 0xFFFFFFFFL) >>> shift : 0;
    return size >= 4 ? word : word & (1L << 8 * size) - 1;
  }

  /** A store to the xAPIC page: others than aligned ones of 32 bits are undefined and ignored. */
  public void writeMmio(int offset, int size, long value) {
    if ((offset & 15) == 0 && size >= 4) {
      host.locked(() -> writeX1(offset >> 4, (int) value));
    }
  }

  private void writeX1(int register, int value) {
    switch (register) {
      case ID -> registers[ID] = value & 0xFF000000;
      case LDR -> registers[LDR] = value & 0xFF000000;
      case DFR -> registers[DFR] = value | 0x0FFFFFFF;
      case ICR_HIGH -> registers[ICR_HIGH] = value & 0xFF000000;
      case ICR_LOW -> {
        int destination = registers[ICR_HIGH] >>> 24;
        registers[ICR_LOW] = value & 0xCCFFF & ~(1 << 12);
        command(registers[ICR_LOW], destination == 0xFF ? -1 : destination);
      }
      case TPR, EOI, SVR, ESR, INITIAL_COUNT, DIVIDE -> write(register, value);
      default -> {
        if (register >= LVT_TIMER && register <= LVT_ERROR) {
          write(register, value);
        } else if (!isReadOnly(register)) {
          error(ERROR_REGISTER);
        }
      }
    }
  }

  // ---- x2APIC ----

  /** RDMSR of 0x800 to 0x8FF; #GP(0) where there is no such register. */
  public long readMsr(int index) {
    int register = index - MSR_BASE;
    boolean exists = isReadable(register) && register != DFR && register != ICR_HIGH;
    if (!isX2() || !exists) {
      throw cpu.raise(Cpu.GP, 0);
    }
    long[] value = new long[1];
    host.locked(() -> {
      value[0] = read(register) & 0xFFFFFFFFL;
      if (register == ICR_LOW) {
        value[0] |= (long) registers[ICR_HIGH] << 32;
      }
    });
    return value[0];
  }

  /** WRMSR of 0x800 to 0x8FF; #GP(0) where there is no such register or reserved bits are set. */
  public void writeMsr(int index, long value) {
    int register = index - MSR_BASE;
    if (!isX2() || (value & ~writableBits(register)) != 0) {
      throw cpu.raise(Cpu.GP, 0);
    }
    host.locked(() -> {
      switch (register) {
        case ICR_LOW -> {
          registers[ICR_LOW] = (int) value & ~(1 << 12);
          registers[ICR_HIGH] = (int) (value >>> 32);
          command(registers[ICR_LOW], registers[ICR_HIGH]);
        }
        case SELF_IPI -> receive(ApicBus.FIXED, (int) value, false);
        default -> write(register, (int) value);
      }
    });
  }

  /** The bits that WRMSR takes; #GP(0) where it takes nothing. */
  private long writableBits(int register) {
    return switch (register) {
      case TPR, SELF_IPI -> 0xFF;
      case EOI, ESR -> 0;
      case SVR -> SVR_WRITABLE;
      case ICR_LOW -> 0xFFFF_FFFF_000C_DFFFL;
      case LVT_TIMER -> 0x7_10FFL;
      case LVT_THERMAL, LVT_THERMAL + 1 -> 0x1_17FFL;
      case LVT_LINT0, LVT_LINT1 -> 0x1_F7FFL;
      case LVT_ERROR -> 0x1_10FFL;
      case INITIAL_COUNT -> 0xFFFFFFFFL;
      case DIVIDE -> 0xB;
      default -> throw cpu.raise(Cpu.GP, 0);
    };
  }

  // ---- registers ----

  private static boolean isReadOnly(int register) {
    return register == VERSION
        || register == APR
        || register == PPR
        || register >= ISR && register < ESR
        || register == CURRENT_COUNT;
  }

  private static boolean isReadable(int register) {
    return switch (register) {
      case ID, VERSION, TPR, PPR, LDR, DFR, SVR, ESR, ICR_LOW, ICR_HIGH, INITIAL_COUNT, DIVIDE ->
          true;
      default ->
          isReadOnly(register) && register != APR || register >= LVT_TIMER && register <= LVT_ERROR;
    };
  }

  private int read(int register) {
    return switch (register) {
      case ID -> isX2() ? initialId : registers[ID];
      case LDR -> isX2() ? x2LogicalId() : registers[LDR];
      case VERSION -> VERSION_VALUE;
      case PPR -> processorPriority();
      case INITIAL_COUNT -> timer.initialCount();
      case CURRENT_COUNT -> (int) timer.currentCount();
      default -> {
        if (!isReadable(register)) {
          if (register != EOI && register != APR) {
            error(ERROR_REGISTER);
          }
          yield 0;
        }
        yield registers[register];
      }
    };
  }

  /** The registers that both modes write alike. */
  private void write(int register, int value) {
    switch (register) {
      case TPR -> registers[TPR] = value & 0xFF;
      case EOI -> endOfInterrupt();
      case SVR -> {
        registers[SVR] = value & SVR_WRITABLE;
        if ((value & SOFTWARE_ENABLED) == 0) {
          for (int i = LVT_TIMER; i <= LVT_ERROR; i++) {
            registers[i] |= MASKED;
          }
        }
      }
      case ESR -> {
        registers[ESR] = newErrors;
        newErrors = 0;
      }
      case INITIAL_COUNT -> timer.setInitialCount(value);
      case DIVIDE -> {
        registers[DIVIDE] = value & 0xB;
        timer.setDivide(value & 0xB);
      }
      default -> writeLocalVector(register, value);
    }
    update();
  }

  private void writeLocalVector(int register, int value) {
    int writable =
        switch (register) {
          case LVT_TIMER -> 0x7_00FF;
          case LVT_LINT0, LVT_LINT1 -> 0x1_A7FF;
          case LVT_ERROR -> 0x1_00FF;
          default -> 0x1_07FF;
        };
    boolean off = (registers[SVR] & SOFTWARE_ENABLED) == 0;
    if (register == LVT_TIMER) {
      timer.setMode(value >> 17 & 3); // which may expire as the register still stands
    }
    registers[register] = value & writable | (off ? MASKED : 0);
  }

  private void endOfInterrupt() {
    int vector = inService.highest();
    if (vector < 0) {
      return;
    }
    inService.remove(vector);
    if (levelTriggered.contains(vector)) {
      host.endOfInterrupt(vector);
    }
  }

  /** An interrupt command. */
  private void command(int low, int destination) {
    int mode = low >> 8 & 7;
    int vector = low & 0xFF;
    boolean level = (low & 1 << 15) != 0;
    boolean asserted = (low & 1 << 14) != 0;
    if (mode == ApicBus.INIT && level && !asserted) {
      return; // INIT level de-assert: synchronises arbitration ids of old
    }
    if ((mode == ApicBus.FIXED || mode == ApicBus.LOWEST_PRIORITY) && vector < 16) {
      error(ERROR_SEND_ILLEGAL);
      return;
    }
    // IPIs are edge-triggered whatever bit 15 says (SDM volume 3, 11.6.1).
    switch (low >> 18 & 3) {
      case 0 -> bus.send(destination, (low & 1 << 11) != 0, mode, vector, false);
      case 1 -> receive(mode, vector, false);
      case 2 -> bus.broadcast(this, true, mode, vector, false);
      default -> bus.broadcast(this, false, mode, vector, false);
    }
  }

  // ---- snapshots ----

  /** The state, in the form both backends share. */
  public LocalApicState save() {
    LocalApicState[] state = new LocalApicState[1];
    host.locked(() -> {
      int[] image = registers.clone();
      image[VERSION] = VERSION_VALUE;
      image[PPR] = processorPriority();
      image[INITIAL_COUNT] = timer.initialCount();
      image[CURRENT_COUNT] = 0;
      state[0] =
          new LocalApicState(
              initialId, image, timer.deadlineNanos(), externalPin, externalMessage, newErrors);
    });
    return state[0];
  }

  /** Takes on a state; IA32_APIC_BASE comes before, among the MSRs. */
  public void restore(LocalApicState state) {
    host.locked(() -> {
      int[] saved = state.registers();
      System.arraycopy(saved, 0, registers, 0, Math.min(saved.length, registers.length));
      newErrors = state.unreadErrors();
      externalMessage = state.externalInterruptMessage();
      externalPin = state.externalInterruptPin();
      timer.restore(
          registers[LVT_TIMER] >> 17 & 3,
          registers[DIVIDE],
          registers[INITIAL_COUNT],
          state.timerDeadlineNanos());
      update();
    });
  }
}

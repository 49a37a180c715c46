package io.vmm4j.software.system;

import static io.vmm4j.software.cpu.Cpu.CS;
import static io.vmm4j.software.cpu.Cpu.DB;
import static io.vmm4j.software.cpu.Cpu.DF;
import static io.vmm4j.software.cpu.Cpu.GP;
import static io.vmm4j.software.cpu.Cpu.NMI;
import static io.vmm4j.software.cpu.Cpu.NP;
import static io.vmm4j.software.cpu.Cpu.PF;
import static io.vmm4j.software.cpu.Cpu.RSP;
import static io.vmm4j.software.cpu.Cpu.SS;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.CpuFault;
import io.vmm4j.software.cpu.Flags;
import io.vmm4j.software.cpu.LeaveReason;
import io.vmm4j.software.cpu.Segment;

/**
 * Delivers exceptions and interrupts (Intel SDM volume 3, chapter 6): chooses between the forms of
 * real mode, protected mode and long mode, and turns a fault in the course of a delivery into a
 * double fault or a shutdown (tables 6-4 and 6-5).
 *
 * <p>RF in a frame (SDM volume 3, 18.3.1.1) is 1 for faults, except those of code breakpoints. For
 * interrupts, traps and INT n it is what EFLAGS has: 1 within a repeated string instruction ({@link
 * Cpu#leaveRepeat}), and 1 if what ran last has loaded it.
 *
 * <p>The {@code deliver…} methods never throw a guest's exception; {@link #softwareInterrupt} does,
 * as part of an instruction. All are for the vCPU's thread between two instructions.
 */
public final class Events {
  /** The bit of an error code that names an entry of the IDT. */
  static final int ERROR_IDT = 2;

  /** The bit of an error code that says that the cause is outside of the program. */
  static final int ERROR_EXTERNAL = 1;

  private Events() {}

  /**
   * Delivers the fault in {@link Cpu#faultVector} and its companions; {@link Cpu#rip} is at the
   * faulting instruction.
   */
  public static void deliverFault(Cpu cpu) {
    deliver(cpu, cpu.faultVector, cpu.faultHasErrorCode, cpu.faultErrorCode, true);
  }

  /** Delivers an interrupt that the local APIC or the INTR pin gave. */
  public static void deliverInterrupt(Cpu cpu, int vector) {
    deliverBenign(cpu, vector);
  }

  /** Delivers an NMI and blocks further ones until IRET. */
  public static void deliverNmi(Cpu cpu) {
    cpu.nmiBlocked = true;
    deliverBenign(cpu, NMI);
  }

  /**
   * Delivers a debug trap after an instruction.
   *
   * @param causes bits of DR6: breakpoints 0 to 3, BS (14), BT (15)
   */
  public static void deliverDebugTrap(Cpu cpu, int causes) {
    noteDebug(cpu, causes);
    deliver(cpu, DB, false, 0, false);
  }

  /**
   * Delivers the fault of a code breakpoint, before the instruction at {@link Cpu#rip}. RF is not
   * set in its frame: that is left to the handler (SDM volume 3, 18.3.1.1).
   */
  public static void deliverDebugFault(Cpu cpu, int causes) {
    noteDebug(cpu, causes);
    deliver(cpu, DB, false, 0, false);
  }

  /**
   * INT1 (ICEBP): a debug trap without a cause of its own in DR6, whose gate's DPL is not looked
   * at. Traps that MOV SS has held back are merged into it.
   */
  static void deliverInt1(Cpu cpu) {
    if (cpu.pendingDebug != 0) {
      noteDebug(cpu, cpu.pendingDebug);
      cpu.pendingDebug = 0;
    }
    deliver(cpu, DB, false, 0, false);
  }

  private static void noteDebug(Cpu cpu, int causes) {
    cpu.dr[4] = cpu.dr[4] & ~0xFL | causes;
  }

  /**
   * INT n, INT3 and INTO: the gate's DPL is checked. {@link Cpu#rip} is at the next instruction.
   *
   * @throws CpuFault if it can't be delivered; nothing has changed then
   */
  static void softwareInterrupt(Cpu cpu, int vector) {
    transfer(cpu, vector, false, 0, cpu.eflags(), true);
    settle(cpu);
  }

  // ---- one after another ----

  /** An interrupt: whatever its vector, a fault on its way is not a second exception. */
  private static void deliverBenign(Cpu cpu, int vector) {
    try {
      transfer(cpu, vector, false, 0, cpu.eflags(), false);
      settle(cpu);
    } catch (CpuFault e) {
      deliverFault(cpu);
    }
  }

  private static void deliver(
      Cpu cpu, int firstVector, boolean firstHasError, int firstError, boolean resumes) {
    int vector = firstVector;
    boolean hasError = firstHasError;
    int error = firstError;
    int flags = cpu.eflags() | (resumes ? Flags.RF : 0);
    boolean done = false;
    while (!done) {
      if (vector == DB) {
        cpu.dr[5] &= ~(1L << 13); // general detect is off in the handler
        cpu.mmu.breakpoints().changed();
      }
      try {
        transfer(cpu, vector, hasError, error, flags, false);
        done = true;
      } catch (CpuFault e) {
        if (vector == DF) {
          cpu.shutdown = true;
          done = true;
        } else if (doubles(vector, cpu.faultVector)) {
          vector = DF;
          hasError = true;
          error = 0;
        } else {
          vector = cpu.faultVector;
          hasError = cpu.faultHasErrorCode;
          error = cpu.faultErrorCode;
        }
        flags |= Flags.RF;
      }
    }
    settle(cpu);
  }

  private static void settle(Cpu cpu) {
    cpu.handlerEntered = true;
    cpu.halted = false;
    cpu.shadowSti = false;
    cpu.shadowMovSs = false;
    cpu.leaveBlock(LeaveReason.MODE);
  }

  /** Whether a second exception while delivering a first one is a double fault. */
  private static boolean doubles(int first, int second) {
    return isContributory(first) && isContributory(second)
        || first == PF && (second == PF || isContributory(second));
  }

  private static boolean isContributory(int vector) {
    return vector == Cpu.DE || vector >= Cpu.TS && vector <= GP;
  }

  // ---- by mode ----

  private static void transfer(
      Cpu cpu, int vector, boolean hasError, int error, int flags, boolean software) {
    if ((cpu.cr0 & 1) == 0) {
      real(cpu, vector, flags);
    } else if (cpu.longMode) {
      LongModeGate.enter(cpu, vector, hasError, error, flags, software);
    } else {
      gate(cpu, vector, hasError, error, flags, software);
    }
  }

  /** Real mode (SDM volume 3, 20.1.4): no error codes. */
  private static void real(Cpu cpu, int vector, int flags) {
    if (4 * vector + 3 > cpu.idtrLimit) {
      throw cpu.raise(GP, 0);
    }
    int entry = (int) cpu.mmu.systemRead(cpu.idtrBase + 4L * vector & 0xFFFFFFFFL, 4);
    InnerStack stack = new InnerStack(cpu, cpu.seg[SS], cpu.gpr[RSP], 0, 0);
    stack.push(flags, 2);
    stack.push(cpu.seg[CS].selector, 2);
    stack.push(cpu.rip, 2);
    cpu.gpr[RSP] = stack.pointer(cpu.gpr[RSP]);
    cpu.systemFlags &= ~(Flags.IF | Flags.TF | Flags.RF | Flags.AC);
    Segmentation.loadParagraph(cpu, CS, entry >>> 16);
    cpu.rip = entry & 0xFFFF;
    cpu.modeChanged();
  }

  /** Protected and virtual-8086 mode: the gates of 8 bytes. */
  private static void gate(
      Cpu cpu, int vector, boolean hasError, int error, int flags, boolean software) {
    int external = software ? 0 : ERROR_EXTERNAL;
    int idtError = vector << 3 | ERROR_IDT | external;
    if (8 * vector + 7 > cpu.idtrLimit) {
      throw cpu.raise(GP, idtError);
    }
    long gate = cpu.mmu.systemRead(cpu.idtrBase + 8L * vector & 0xFFFFFFFFL, 8);
    int type = Descriptor.type(gate);
    boolean known =
        type == Descriptor.TASK_GATE
            || (type & ~8) == Descriptor.INTERRUPT_GATE16
            || (type & ~8) == Descriptor.TRAP_GATE16;
    if (Descriptor.isSegment(gate) || !known || software && Descriptor.dpl(gate) < cpu.cpl) {
      throw cpu.raise(GP, idtError);
    }
    if (!Descriptor.present(gate)) {
      throw cpu.raise(NP, idtError);
    }
    if (type == Descriptor.TASK_GATE) {
      TaskSwitch.interrupt(cpu, gate, hasError, error, flags, external);
      return;
    }
    int selector = Descriptor.gateSelector(gate);
    if (Descriptor.isNull(selector)) {
      throw cpu.raise(GP, external);
    }
    int codeError = Descriptor.error(selector, external);
    long code = Descriptor.read(cpu, selector, GP, external);
    int dpl = Descriptor.dpl(code);
    if (!Descriptor.isCode(code) || dpl > cpu.cpl) {
      throw cpu.raise(GP, codeError);
    }
    if (!Descriptor.present(code)) {
      throw cpu.raise(NP, codeError);
    }
    boolean inner = !Descriptor.isConformingCode(code) && dpl < cpu.cpl;
    boolean fromV86 = (cpu.systemFlags & Flags.VM) != 0;
    if (fromV86 && (!inner || dpl != 0)) {
      throw cpu.raise(GP, codeError);
    }
    int size = type >= 8 ? 4 : 2;
    long target = size == 4 ? Descriptor.gateOffset(gate) : gate & 0xFFFF;
    Segment newStack = cpu.seg[SS];
    InnerStack stack;
    if (inner) {
      newStack = new Segment();
      long pointer = TaskState.stack(cpu, dpl, newStack, external);
      stack =
          new InnerStack(
              cpu, newStack, pointer, dpl, Descriptor.error(newStack.selector, external));
      if (fromV86) {
        stack.push(cpu.seg[Cpu.GS].selector, size);
        stack.push(cpu.seg[Cpu.FS].selector, size);
        stack.push(cpu.seg[Cpu.DS].selector, size);
        stack.push(cpu.seg[Cpu.ES].selector, size);
      }
      stack.push(cpu.seg[SS].selector, size);
      stack.push(cpu.gpr[RSP], size);
    } else {
      stack = new InnerStack(cpu, newStack, cpu.gpr[RSP], cpu.cpl, external);
    }
    stack.push(flags, size);
    stack.push(cpu.seg[CS].selector, size);
    stack.push(cpu.rip, size);
    if (hasError) {
      stack.push(error, size);
    }
    if (target > Descriptor.limit(code)) {
      throw cpu.raise(GP, external);
    }
    Descriptor.markAccessed(cpu, selector, code);
    if (inner) {
      cpu.cpl = dpl;
      Segment ss = cpu.seg[SS];
      ss.set(newStack.selector, newStack.base, newStack.limit, newStack.attributes);
      cpu.gpr[RSP] = stack.pointer(0);
    } else {
      cpu.gpr[RSP] = stack.pointer(cpu.gpr[RSP]);
    }
    enter(cpu, selector, code, target, (type & 1) == 0);
    if (fromV86) {
      for (int i = 0; i < 6; i++) {
        if (i != CS && i != SS) {
          Segmentation.setNull(cpu, i, 0);
          cpu.segmentChanged(i);
        }
      }
    }
  }

  /** Loads CS and RIP of a handler and clears what a gate clears. */
  static void enter(Cpu cpu, int selector, long code, long target, boolean interruptGate) {
    Descriptor.fill(cpu.seg[CS], selector & ~3 | cpu.cpl, code);
    cpu.rip = target;
    cpu.systemFlags &= ~(Flags.TF | Flags.NT | Flags.RF | Flags.VM);
    if (interruptGate) {
      cpu.systemFlags &= ~Flags.IF;
    }
    cpu.modeChanged();
  }
}

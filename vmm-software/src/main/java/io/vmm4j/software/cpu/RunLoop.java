package io.vmm4j.software.cpu;

import io.vmm4j.api.backend.VcpuRunner.StopReason;
import io.vmm4j.software.system.Events;

/**
 * What a vCPU does between instructions: signals, pending traps, interrupts, single steps and
 * breakpoints, and the delivery of faults. The instructions themselves are a {@link BlockRunner}'s.
 */
public final class RunLoop {
  private static final int DR6_SINGLE_STEP = 0x4000;

  private final Cpu cpu;
  private final BlockRunner runner;

  /**
   * The loop of a vCPU.
   *
   * @param runner what executes its instructions
   */
  public RunLoop(Cpu cpu, BlockRunner runner) {
    this.cpu = cpu;
    this.runner = runner;
  }

  /**
   * Runs until something asks for a return.
   *
   * @param budget the most instructions
   */
  public StopReason run(long budget) {
    long end = cpu.instructions + budget;
    if (end < 0) {
      end = Long.MAX_VALUE;
    }
    long stepEnd = cpu.debugger.stepping() ? cpu.instructions + 1 : Long.MAX_VALUE;
    end = Math.min(end, stepEnd);
    try {
      while (true) {
        // Before a kick is heard, or the step would be made twice.
        if (cpu.instructions >= stepEnd && cpu.debugger.hasStepped()) {
          return StopReason.DEBUG;
        }
        int signals = cpu.signals();
        if (signals != 0) {
          if ((signals & Cpu.SIGNAL_KICK) != 0) {
            cpu.clearSignal(Cpu.SIGNAL_KICK);
            return StopReason.KICKED;
          }
          handleSignals(signals);
          if ((signals & Cpu.SIGNAL_DEBUG) != 0) {
            cpu.clearSignal(Cpu.SIGNAL_DEBUG);
            if (cpu.debugger.wasTouched()) {
              return StopReason.DEBUG;
            }
          }
        }
        if (cpu.shutdown) {
          return StopReason.SHUTDOWN;
        }
        if (cpu.waitForStartup) {
          return StopReason.HALTED;
        }
        deliverPending();
        if (cpu.halted) {
          return StopReason.HALTED;
        }
        if (cpu.instructions >= end) {
          return StopReason.BUDGET;
        }
        boolean held = cpu.debugger.holdsInterrupts();
        if (cpu.debugger.onExecution() && cpu.debugger.standsHere()) {
          return StopReason.DEBUG;
        }
        execute(held ? cpu.instructions + 1 : end);
      }
    } finally {
      cpu.accountInstructions();
    }
  }

  private void handleSignals(int signals) {
    cpu.clearSignal(signals & (Cpu.SIGNAL_INTERRUPT | Cpu.SIGNAL_MEMORY));
    if ((signals & Cpu.SIGNAL_MEMORY) != 0) {
      if (cpu.parallel) {
        cpu.member.pass(); // behind the clearing: who wants it to pass signals afterwards
      }
      cpu.mmu.applyChanges();
    }
    if ((signals & Cpu.SIGNAL_INIT) != 0) {
      cpu.clearSignal(Cpu.SIGNAL_INIT);
      cpu.system.init();
    }
    if ((signals & Cpu.SIGNAL_STARTUP) != 0) {
      cpu.clearSignal(Cpu.SIGNAL_STARTUP);
      cpu.system.startup(cpu.apic.startupVector());
    }
  }

  /** Traps, NMI and interrupts between two instructions, by priority (SDM volume 3, 6.9). */
  private void deliverPending() {
    if (cpu.acknowledgedInterrupt >= 0) {
      int vector = cpu.acknowledgedInterrupt;
      cpu.acknowledgedInterrupt = -1;
      cpu.halted = false;
      Events.deliverInterrupt(cpu, vector);
      return;
    }
    if (cpu.pendingDebug != 0 && !cpu.shadowMovSs) {
      int causes = cpu.pendingDebug;
      cpu.pendingDebug = 0;
      Events.deliverDebugTrap(cpu, causes);
      return;
    }
    if (cpu.shadowMovSs || cpu.shadowSti) {
      return;
    }
    if ((cpu.signals() & Cpu.SIGNAL_NMI) != 0 && !cpu.nmiBlocked) {
      cpu.clearSignal(Cpu.SIGNAL_NMI);
      cpu.halted = false;
      Events.deliverNmi(cpu);
      return;
    }
    if ((cpu.systemFlags & Flags.IF) != 0
        && cpu.apic.hasInterrupt()
        && !cpu.debugger.holdsInterrupts()) {
      cpu.accountInstructions();
      int vector = cpu.apic.acknowledge();
      if (vector >= 0) {
        cpu.halted = false;
        Events.deliverInterrupt(cpu, vector);
      }
    }
  }

  private boolean steps() {
    return cpu.shadowSti
        || cpu.shadowMovSs
        || (cpu.systemFlags & (Flags.TF | Flags.RF)) != 0
        || cpu.mmu.breakpoints().onExecution();
  }

  private void execute(long end) {
    try {
      if (steps()) {
        step();
      } else {
        runner.run(end);
      }
    } catch (CpuFault e) {
      fault();
    }
  }

  /** One instruction, with what belongs before and after it. */
  private void step() {
    boolean trap = (cpu.systemFlags & Flags.TF) != 0;
    boolean resume = (cpu.systemFlags & Flags.RF) != 0;
    if (!resume && !cpu.shadowMovSs && cpu.mmu.breakpoints().onExecution()) {
      long linear = cpu.codeSize == 8 ? cpu.rip : cpu.seg[Cpu.CS].base + cpu.rip & 0xFFFFFFFFL;
      int hits = cpu.mmu.breakpoints().onExecution(linear);
      if (hits != 0) {
        Events.deliverDebugFault(cpu, hits);
        return;
      }
    }
    boolean sti = cpu.shadowSti;
    boolean movSs = cpu.shadowMovSs;
    cpu.shadowSti = false;
    cpu.shadowMovSs = false;
    cpu.systemFlags &= ~Flags.RF;
    cpu.handlerEntered = false;
    try {
      runner.run(cpu.instructions + 1);
    } catch (CpuFault e) {
      cpu.systemFlags |= resume ? Flags.RF : 0;
      throw e;
    }
    if (sti && cpu.shadowSti) {
      cpu.shadowSti = false; // STI after STI casts no new shadow
    }
    if (movSs && cpu.shadowMovSs) {
      cpu.shadowMovSs = false;
    }
    // MOV SS loses its own single step, and an instruction that enters a handler clears TF first.
    if (trap && !cpu.shadowMovSs && !cpu.handlerEntered) {
      cpu.pendingDebug |= DR6_SINGLE_STEP;
    }
  }

  /** A fault of the instruction at {@link Cpu#blockIndex}, or of the fetch of the next block. */
  private void fault() {
    Instruction in = runner.current();
    if (in != null) {
      cpu.rip = cpu.wrap(cpu.gpr[Instruction.BLOCK_RIP] + in.offset);
      cpu.instructions += cpu.blockIndex + 1;
      if (cpu.faultNonCanonical && onStack(in)) {
        cpu.faultVector = Cpu.SS_FAULT;
      }
    } else {
      cpu.instructions++;
    }
    cpu.blockIndex = 0;
    cpu.halted = false;
    Events.deliverFault(cpu);
  }

  /** Whether the non-canonical address that an instruction has used is one of the stack. */
  private boolean onStack(Instruction in) {
    boolean usesStack = in.form.usesStack;
    if (!in.isMemory) {
      return usesStack;
    }
    if (in.segment == Cpu.SS) {
      return true;
    }
    // Two accesses: POP begins with that to the stack, the others with that to the operand.
    return usesStack
        && (isCanonical(cpu.effectiveAddress(in))
            || in.mnemonic == Mnemonic.POP && !isCanonical(cpu.gpr[Cpu.RSP]));
  }

  private static boolean isCanonical(long address) {
    return address << 16 >> 16 == address;
  }
}

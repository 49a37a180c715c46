package io.vmm4j.software;

import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.backend.ActivityState;
import io.vmm4j.api.backend.BackendHost;
import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.backend.PendingEvents;
import io.vmm4j.api.backend.SegmentState;
import io.vmm4j.api.backend.TableState;
import io.vmm4j.api.backend.Vcpu;
import io.vmm4j.api.backend.VcpuDebug;
import io.vmm4j.software.apic.LocalApic;
import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.DecodedCode;
import io.vmm4j.software.cpu.Flags;
import io.vmm4j.software.cpu.Interpreter;
import io.vmm4j.software.cpu.RunLoop;
import io.vmm4j.software.cpu.VcpuThreads;
import io.vmm4j.software.machinecode.MachineCode;
import io.vmm4j.x86.XsaveLayout;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One software processor, as the machine sees it. */
final class SoftwareVcpu implements Vcpu {
  private static final int SIGNALS_THAT_WAKE = Cpu.SIGNAL_INIT | Cpu.SIGNAL_STARTUP;

  private final int index;
  private final Cpu cpu;
  private final RunLoop loop;

  SoftwareVcpu(int index, BackendHost host, DecodedCode code, @Nullable MachineCode machineCode) {
    this.index = index;
    VcpuThreads.Member member = code.threads().add();
    this.cpu = new Cpu(index, code.isParallel() ? new VcpuHost(host, member) : host, code, member);
    this.loop =
        new RunLoop(cpu, machineCode == null ? new Interpreter(cpu) : machineCode.runner(cpu));
    cpu.system.powerOn();
  }

  LocalApic apic() {
    return cpu.apic;
  }

  void memoryMapChanged() {
    cpu.mmu.mapChanged();
  }

  void harvestWrites() {
    cpu.mmu.forgetWritable();
  }

  /** Whether it can execute an instruction now. On the thread that runs it. */
  boolean isRunnable() {
    return !cpu.debugger.standsStill() && (!cpu.halted && !cpu.waitForStartup || hasEvent());
  }

  @Override
  public StopReason run(long instructionBudget) {
    return cpu.parallel ? runInParallel(instructionBudget) : loop.run(instructionBudget);
  }

  private StopReason runInParallel(long instructionBudget) {
    if (cpu.debugger.standsStill()) {
      // No later than the thread asks for its next turn it sees a kick's reason.
      cpu.clearSignal(Cpu.SIGNAL_KICK);
      return StopReason.HALTED;
    }
    cpu.member.begin();
    try {
      return loop.run(instructionBudget);
    } finally {
      cpu.member.end();
    }
  }

  @Override
  public void kick() {
    cpu.signal(Cpu.SIGNAL_KICK);
  }

  @Override
  public boolean hasWork() {
    // One of several may have stood still for a debugger, and be allowed to run by now.
    return (cpu.signals() & Cpu.SIGNAL_KICK) != 0 || (cpu.parallel ? isRunnable() : hasEvent());
  }

  private boolean hasEvent() {
    if (cpu.debugger.standsStill()) {
      return false;
    }
    int signals = cpu.signals();
    return (signals & SIGNALS_THAT_WAKE) != 0
        || (signals & Cpu.SIGNAL_NMI) != 0 && !cpu.nmiBlocked && !cpu.waitForStartup
        || takesInterrupts() && cpu.apic.hasInterrupt();
  }

  @Override
  public boolean takesInterrupts() {
    return (cpu.systemFlags & Flags.IF) != 0 && !cpu.waitForStartup && !cpu.debugger.standsStill();
  }

  @Override
  public void onWake(Runnable listener) {
    cpu.apic.onWake(listener);
  }

  @Override
  public int lastVcpu() {
    return index;
  }

  @Override
  public long instructionsExecuted() {
    return cpu.instructions;
  }

  @Override
  public Optional<VcpuDebug> debug() {
    return Optional.of(cpu.debugger);
  }

  @Override
  public CpuState save() {
    XsaveLayout layout = cpu.system.cpuid.xsave();
    byte[] xsave = new byte[layout.bytes()];
    cpu.fpu.toXsave(xsave, layout);
    layout.putPkru(xsave, cpu.pkru);
    long[] gpr = new long[16];
    System.arraycopy(cpu.gpr, 0, gpr, 0, 16);
    return new CpuState(
        gpr,
        cpu.rip,
        cpu.eflags() & 0xFFFFFFFFL,
        segment(Cpu.ES),
        segment(Cpu.CS),
        segment(Cpu.SS),
        segment(Cpu.DS),
        segment(Cpu.FS),
        segment(Cpu.GS),
        segment(Cpu.LDTR),
        segment(Cpu.TR),
        new TableState(cpu.gdtrBase, cpu.gdtrLimit),
        new TableState(cpu.idtrBase, cpu.idtrLimit),
        cpu.cr0,
        cpu.cr2,
        cpu.cr3,
        cpu.cr4,
        cpu.dr.clone(),
        cpu.xcr0,
        xsave,
        cpu.system.msrs.save(),
        events(),
        activity(),
        cpu.apic.save(),
        cpu.system.msrs.tsc());
  }

  private SegmentState segment(int index) {
    return cpu.seg[index].state();
  }

  private PendingEvents events() {
    boolean debug = cpu.pendingDebug != 0;
    int signals = cpu.signals();
    return new PendingEvents(
        debug ? Cpu.DB : -1,
        false,
        cpu.pendingDebug,
        cpu.acknowledgedInterrupt,
        (signals & Cpu.SIGNAL_NMI) != 0,
        cpu.nmiBlocked,
        cpu.shadowSti,
        cpu.shadowMovSs,
        (signals & Cpu.SIGNAL_INIT) != 0,
        (signals & Cpu.SIGNAL_STARTUP) != 0 ? cpu.apic.startupVector() : -1);
  }

  private ActivityState activity() {
    if (cpu.shutdown) {
      return ActivityState.SHUTDOWN;
    }
    if (cpu.waitForStartup) {
      return ActivityState.WAIT_FOR_STARTUP;
    }
    return cpu.halted ? ActivityState.HALTED : ActivityState.RUNNING;
  }

  @Override
  public void restore(CpuState state) {
    if (state.gpr().length != 16 || state.dr().length != 6) {
      throw new SnapshotException.Incompatible(
          "vCPU registers", "16 general and 6 debug registers");
    }
    System.arraycopy(state.gpr(), 0, cpu.gpr, 0, 16);
    cpu.rip = state.rip();
    cpu.seg[Cpu.ES].set(state.es());
    cpu.seg[Cpu.CS].set(state.cs());
    cpu.seg[Cpu.SS].set(state.ss());
    cpu.seg[Cpu.DS].set(state.ds());
    cpu.seg[Cpu.FS].set(state.fs());
    cpu.seg[Cpu.GS].set(state.gs());
    cpu.seg[Cpu.LDTR].set(state.ldtr());
    cpu.seg[Cpu.TR].set(state.tr());
    cpu.gdtrBase = state.gdtr().base();
    cpu.gdtrLimit = state.gdtr().limit() & 0xFFFF;
    cpu.idtrBase = state.idtr().base();
    cpu.idtrLimit = state.idtr().limit() & 0xFFFF;
    cpu.cr0 = state.cr0();
    cpu.cr2 = state.cr2();
    cpu.cr3 = state.cr3();
    cpu.cr4 = state.cr4();
    System.arraycopy(state.dr(), 0, cpu.dr, 0, 6);
    cpu.xcr0 = state.xcr0();
    try {
      cpu.fpu.fromXsave(state.xsave(), cpu.system.cpuid.xsave());
    } catch (IllegalArgumentException e) {
      throw new SnapshotException.Incompatible("XSAVE area", String.valueOf(e.getMessage()));
    }
    cpu.setProtectionKeys(cpu.system.cpuid.xsave().pkru(state.xsave()), 0);
    cpu.setEflags((int) state.rflags());
    cpu.system.msrs.restore(state.msrs());
    // In real mode SS.DPL means nothing; in v86 mode it is 3.
    cpu.cpl = (cpu.cr0 & 1) == 0 ? 0 : (state.rflags() & Flags.VM) != 0 ? 3 : cpu.seg[Cpu.SS].dpl();
    cpu.apic.restore(state.apic());
    cpu.system.msrs.setTsc(state.tsc());
    restoreEvents(state);
    cpu.mmu.breakpoints().changed();
    cpu.mmu.mapChanged();
    cpu.modeChanged();
  }

  private void restoreEvents(CpuState state) {
    PendingEvents events = state.events();
    cpu.pendingDebug = events.exceptionVector() == Cpu.DB ? events.exceptionErrorCode() : 0;
    int vector = events.interruptVector();
    cpu.acknowledgedInterrupt = vector < 0 ? -1 : vector & 0xFF;
    cpu.nmiBlocked = events.nmiBlocked();
    cpu.shadowSti = events.shadowSti();
    cpu.shadowMovSs = events.shadowMovSs();
    cpu.halted = state.activity() == ActivityState.HALTED;
    cpu.waitForStartup = state.activity() == ActivityState.WAIT_FOR_STARTUP;
    cpu.shutdown = state.activity() == ActivityState.SHUTDOWN;
    cpu.clearSignal(Cpu.SIGNAL_NMI | Cpu.SIGNAL_INIT | Cpu.SIGNAL_STARTUP);
    if (events.nmiPending()) {
      cpu.signal(Cpu.SIGNAL_NMI);
    }
    if (events.initPending()) {
      cpu.signal(Cpu.SIGNAL_INIT);
    }
    if (events.startupVector() >= 0) {
      cpu.apic.restoreStartup(events.startupVector() & 0xFF);
    }
  }
}

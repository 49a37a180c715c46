package io.vmm4j.engine.software.system;

import io.vmm4j.engine.software.cpu.Cpu;
import io.vmm4j.engine.software.cpu.Segment;
import java.util.Arrays;

/**
 * The part of one vCPU that the system instructions keep: its MSRs and CPUID, and its reset states
 * (Intel SDM volume 3, 9.1). For the vCPU's thread.
 */
public final class SystemUnit {
  private static final long RESET_CR0 = 0x6000_0010L;
  private static final long RESET_DR6 = 0xFFFF0FF0L;
  private static final long RESET_DR7 = 0x400;

  /** The model-specific registers. */
  public final Msrs msrs;

  /** What CPUID says. */
  public final Cpuid cpuid;

  private final Cpu cpu;

  /** The unit of a vCPU, whose local APIC has been made; its MSRs are those of {@link #powerOn}. */
  public SystemUnit(Cpu cpu) {
    this.cpu = cpu;
    this.cpuid = new Cpuid(cpu, cpu.host.cpuid());
    this.msrs = new Msrs(cpu);
  }

  /** The state after power-on: at the reset vector, 0xFFFFFFF0. */
  public void powerOn() {
    cpu.apic.powerOn();
    msrs.powerOn();
    cpu.xcr0 = 1;
    cpu.fpu.reset();
    cpu.cr0 = RESET_CR0;
    reset();
  }

  /** The state after INIT: MSRs, the x87 and SSE registers, and CR0.CD and NW stay. */
  public void init() {
    cpu.cr0 = cpu.cr0 & (ControlRegisters.CR0_CD | ControlRegisters.CR0_NW) | 0x10;
    cpu.apic.init();
    reset();
    cpu.waitForStartup = !cpu.apic.isBootstrap();
  }

  private void reset() {
    Arrays.fill(cpu.gpr, 0);
    cpu.gpr[Cpu.RDX] = cpuid.find(1, 0).eax() & 0xFFFFFFFFL;
    cpu.cr2 = 0;
    cpu.cr3 = 0;
    cpu.cr4 = 0;
    cpu.efer = 0;
    cpu.cpl = 0;
    Arrays.fill(cpu.dr, 0);
    cpu.dr[4] = RESET_DR6;
    cpu.dr[5] = RESET_DR7;
    for (int i = 0; i < 6; i++) {
      cpu.seg[i].set(0, 0, 0xFFFF, Segmentation.REAL_MODE_DATA);
    }
    cpu.seg[Cpu.CS].set(0xF000, 0xFFFF0000L, 0xFFFF, 0x9B);
    cpu.seg[Cpu.LDTR].set(0, 0, 0xFFFF, 0x82);
    cpu.seg[Cpu.TR].set(0, 0, 0xFFFF, 0x8B);
    cpu.gdtrBase = 0;
    cpu.gdtrLimit = 0xFFFF;
    cpu.idtrBase = 0;
    cpu.idtrLimit = 0xFFFF;
    cpu.rip = 0xFFF0;
    cpu.setEflags(2);
    cpu.pendingDebug = 0;
    cpu.shadowSti = false;
    cpu.shadowMovSs = false;
    cpu.nmiBlocked = false;
    cpu.halted = false;
    cpu.waitForStartup = false;
    cpu.shutdown = false;
    cpu.mmu.breakpoints().changed();
    cpu.mmu.flush();
    cpu.modeChanged();
  }

  /** A start-up message: real mode at page {@code vector}, if the processor waits for one. */
  public void startup(int vector) {
    if (!cpu.waitForStartup) {
      return;
    }
    cpu.waitForStartup = false;
    Segment cs = cpu.seg[Cpu.CS];
    cs.set(vector << 8, (long) vector << 12, 0xFFFF, 0x9B);
    cpu.rip = 0;
    cpu.modeChanged();
  }
}

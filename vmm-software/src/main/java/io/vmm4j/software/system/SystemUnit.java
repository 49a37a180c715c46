package io.vmm4j.software.system;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Segment;
import io.vmm4j.x86.ControlBits;
import io.vmm4j.x86.SegmentAttributes;
import java.util.Arrays;

/**
 * The part of one vCPU that the system instructions keep: its MSRs and CPUID, and its reset states
 * (Intel SDM volume 3, 9.1). For the vCPU's thread.
 */
public final class SystemUnit {

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

  /**
   * The state after power-on: the bootstrap processor at the reset vector, 0xFFFFFFF0, others
   * waiting for a start-up message.
   */
  public void powerOn() {
    cpu.apic.powerOn();
    msrs.powerOn();
    cpu.xcr0 = 1;
    cpu.setProtectionKeys(0, 0);
    cpu.fpu.reset();
    cpu.cr0 = ControlBits.CR0_RESET;
    reset();
    cpu.waitForStartup = !cpu.apic.isBootstrap();
  }

  /** The state after INIT: MSRs, the x87 and SSE registers, PKRU, and CR0.CD and NW stay. */
  public void init() {
    cpu.cr0 = cpu.cr0 & (ControlBits.CR0_CD | ControlBits.CR0_NW) | ControlBits.CR0_ET;
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
    cpu.dr[4] = ControlBits.DR6_RESET;
    cpu.dr[5] = ControlBits.DR7_RESET;
    for (int i = 0; i < 6; i++) {
      cpu.seg[i].set(0, 0, 0xFFFF, SegmentAttributes.REAL_MODE_DATA);
    }
    cpu.seg[Cpu.CS].set(0xF000, 0xFFFF0000L, 0xFFFF, SegmentAttributes.REAL_MODE_CODE);
    cpu.seg[Cpu.LDTR].set(0, 0, 0xFFFF, SegmentAttributes.LDT);
    cpu.seg[Cpu.TR].set(0, 0, 0xFFFF, SegmentAttributes.BUSY_TSS);
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
    cs.set(vector << 8, (long) vector << 12, 0xFFFF, SegmentAttributes.REAL_MODE_CODE);
    cpu.rip = 0;
    cpu.modeChanged();
  }
}

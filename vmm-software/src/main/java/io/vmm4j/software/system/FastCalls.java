package io.vmm4j.software.system;

import static io.vmm4j.software.cpu.Cpu.CS;
import static io.vmm4j.software.cpu.Cpu.GP;
import static io.vmm4j.software.cpu.Cpu.RCX;
import static io.vmm4j.software.cpu.Cpu.RDX;
import static io.vmm4j.software.cpu.Cpu.RSP;
import static io.vmm4j.software.cpu.Cpu.SS;
import static io.vmm4j.software.cpu.Cpu.UD;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Flags;
import io.vmm4j.software.cpu.Segment;
import io.vmm4j.x86.ControlBits;

/**
 * SYSCALL, SYSRET, SYSENTER and SYSEXIT (Intel SDM volume 2; volume 3, 5.8.7 and 5.8.8; AMD APM
 * volume 3): flat segments without a look at the descriptor tables.
 *
 * <p>The vendors differ. Intel's processors have SYSCALL and SYSRET in 64-bit mode only, AMD's in
 * every mode. Intel's have SYSENTER and SYSEXIT in every mode but real mode, AMD's not in long
 * mode. On AMD SYSRET changes the selector of SS and not its hidden part, and leaves a target that
 * is not canonical to the fetch in ring 3.
 */
final class FastCalls {
  private static final int R11 = 11;
  private static final long LIMIT = 0xFFFFFFFFL;
  private static final int CODE = 0x809B;
  private static final int LONG = 0x2000;
  private static final int BIG = 0x4000;
  private static final int DATA = 0xC093;
  private static final int DPL_3 = 0x60;

  /** What SYSRET takes from R11. */
  private static final int SYSRET_FLAGS = 0x3C7FD7;

  private FastCalls() {}

  private static void enter(Cpu cpu, int code, int stack, boolean long64, int cpl) {
    int dpl = cpl == 3 ? DPL_3 : 0;
    cpu.seg[CS].set(code & 0xFFFC | cpl, 0, LIMIT, CODE | dpl | (long64 ? LONG : BIG));
    cpu.seg[SS].set(stack & 0xFFFC | cpl, 0, LIMIT, DATA | dpl);
    cpu.cpl = cpl;
    cpu.modeChanged();
  }

  private static boolean systemCallsOff(Cpu cpu) {
    return (cpu.efer & ControlBits.EFER_SCE) == 0 || cpu.codeSize != 8 && !cpu.system.cpuid.isAmd();
  }

  static void sysCall(Cpu cpu) {
    if (systemCallsOff(cpu)) {
      throw cpu.raise(UD);
    }
    Msrs msrs = cpu.system.msrs;
    int flags = cpu.eflags();
    int cleared = Flags.RF;
    cpu.gpr[RCX] = cpu.rip;
    if (cpu.longMode) {
      cpu.gpr[R11] = flags;
      cpu.rip = cpu.codeSize == 8 ? msrs.lstar : msrs.cstar;
      cleared |= (int) msrs.sfmask;
    } else {
      cpu.rip = msrs.star & 0xFFFFFFFFL;
      cleared |= Flags.VM | Flags.IF;
    }
    cpu.setEflags(flags & ~cleared);
    cpu.handlerEntered = (cpu.systemFlags & Flags.TF) == 0;
    int selector = (int) (msrs.star >>> 32) & 0xFFFC;
    enter(cpu, selector, selector + 8, cpu.longMode, 0);
  }

  static void sysReturn(Cpu cpu, int size) {
    if (systemCallsOff(cpu)) {
      throw cpu.raise(UD);
    }
    boolean amd = cpu.system.cpuid.isAmd();
    long target = cpu.gpr[RCX];
    if (cpu.cpl != 0
        || !cpu.protectedMode
        || !amd && size == 8 && !Descriptor.isCanonical(target)) {
      throw cpu.raise(GP, 0);
    }
    int selector = (int) (cpu.system.msrs.star >>> 48);
    cpu.rip = size == 8 ? target : target & 0xFFFFFFFFL;
    if (cpu.codeSize == 8) {
      cpu.setEflags((int) cpu.gpr[R11] & SYSRET_FLAGS);
    } else {
      cpu.systemFlags |= Flags.IF;
    }
    Segment ss = cpu.seg[SS];
    long base = ss.base;
    long limit = ss.limit;
    int attributes = ss.attributes;
    enter(cpu, size == 8 ? selector + 16 : selector, selector + 8, size == 8, 3);
    if (amd) {
      ss.set(ss.selector, base, limit, attributes | DPL_3);
      cpu.modeChanged();
    }
  }

  /** #UD on AMD's processors in long mode. */
  private static void requireSysEnter(Cpu cpu) {
    if (cpu.longMode && cpu.system.cpuid.isAmd()) {
      throw cpu.raise(UD);
    }
  }

  static void sysEnter(Cpu cpu) {
    requireSysEnter(cpu);
    Msrs msrs = cpu.system.msrs;
    int selector = (int) msrs.sysenterCs & 0xFFFC;
    if ((cpu.cr0 & 1) == 0 || selector == 0) {
      throw cpu.raise(GP, 0);
    }
    long mask = cpu.longMode ? -1 : 0xFFFFFFFFL;
    cpu.systemFlags &= ~(Flags.VM | Flags.IF | Flags.RF);
    cpu.gpr[RSP] = msrs.sysenterEsp & mask;
    cpu.rip = msrs.sysenterEip & mask;
    enter(cpu, selector, selector + 8, cpu.longMode, 0);
  }

  static void sysExit(Cpu cpu, int size) {
    requireSysEnter(cpu);
    int selector = (int) cpu.system.msrs.sysenterCs & 0xFFFC;
    if (!cpu.protectedMode || selector == 0 || cpu.cpl != 0) {
      throw cpu.raise(GP, 0);
    }
    long stack = cpu.gpr[RCX];
    long target = cpu.gpr[RDX];
    boolean long64 = size == 8;
    if (long64 && !(Descriptor.isCanonical(stack) && Descriptor.isCanonical(target))) {
      throw cpu.raise(GP, 0);
    }
    cpu.gpr[RSP] = long64 ? stack : stack & 0xFFFFFFFFL;
    cpu.rip = long64 ? target : target & 0xFFFFFFFFL;
    int code = selector + (long64 ? 32 : 16);
    enter(cpu, code, code + 8, long64, 3);
  }
}

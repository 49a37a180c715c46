package io.vmm4j.software.system;

import static io.vmm4j.software.cpu.Cpu.GP;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Flags;
import io.vmm4j.software.cpu.LeaveReason;

/** PUSHF, POPF, CLI and STI (Intel SDM volume 2). */
final class FlagOps {
  private static final int PUSHED = 0xFCFFFF;
  private static final int POPPED =
      Flags.ARITHMETIC | Flags.TF | Flags.DF | Flags.NT | Flags.AC | Flags.ID;

  private FlagOps() {}

  private static boolean v86(Cpu cpu) {
    return (cpu.systemFlags & Flags.VM) != 0;
  }

  static void push(Cpu cpu, int size) {
    if (v86(cpu) && cpu.iopl() < 3) {
      throw cpu.raise(GP, 0);
    }
    cpu.push(cpu.eflags() & PUSHED, size);
  }

  static void pop(Cpu cpu, int size) {
    if (v86(cpu) && cpu.iopl() < 3) {
      throw cpu.raise(GP, 0);
    }
    int image = (int) cpu.pop(size);
    int mask = POPPED;
    int cleared = Flags.RF;
    if (cpu.cpl == 0) {
      mask |= Flags.IOPL;
    }
    if (cpu.cpl <= cpu.iopl()) {
      mask |= Flags.IF;
    }
    if (!v86(cpu)) {
      cleared |= Flags.VIF | Flags.VIP;
    }
    if (size == 2) {
      mask &= 0xFFFF;
      cleared = 0;
    }
    cpu.setEflags(cpu.eflags() & ~mask & ~cleared | image & mask);
    cpu.leaveBlock(LeaveReason.INTERRUPTS);
  }

  private static void checkInterruptFlag(Cpu cpu) {
    if (cpu.cpl > cpu.iopl() && (cpu.cr0 & 1) != 0) {
      throw cpu.raise(GP, 0);
    }
  }

  static void clearInterrupt(Cpu cpu) {
    checkInterruptFlag(cpu);
    cpu.systemFlags &= ~Flags.IF;
  }

  static void setInterrupt(Cpu cpu) {
    checkInterruptFlag(cpu);
    if ((cpu.systemFlags & Flags.IF) == 0) {
      cpu.systemFlags |= Flags.IF;
      cpu.shadowSti = true;
      cpu.leaveBlock(LeaveReason.INTERRUPTS);
    }
  }
}

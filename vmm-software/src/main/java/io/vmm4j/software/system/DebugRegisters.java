package io.vmm4j.software.system;

import static io.vmm4j.software.cpu.Cpu.DB;
import static io.vmm4j.software.cpu.Cpu.GP;
import static io.vmm4j.software.cpu.Cpu.UD;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.x86.ControlBits;

/** MOV to and from the debug registers (Intel SDM volume 3, 17.2). */
final class DebugRegisters {
  private static final long DR6_FIXED_ONES = 0xFFFF0FF0L;
  private static final long DR6_WRITABLE = 0xE00FL;
  private static final long DR7_FIXED_ONES = 0x400;
  private static final long DR7_WRITABLE = 0xFFFF23FFL;
  private static final long GENERAL_DETECT = 1 << 13;

  private DebugRegisters() {}

  static long read(Cpu cpu, int number) {
    return cpu.dr[slot(cpu, number)];
  }

  static void write(Cpu cpu, int number, long value) {
    int slot = slot(cpu, number);
    if (slot >= 4 && value >>> 32 != 0) {
      throw cpu.raise(GP, 0);
    }
    cpu.dr[slot] =
        switch (slot) {
          case 4 -> value & DR6_WRITABLE | DR6_FIXED_ONES;
          case 5 -> value & DR7_WRITABLE | DR7_FIXED_ONES;
          default -> value;
        };
    cpu.mmu.breakpoints().changed();
  }

  /** Where a register is in {@link Cpu#dr}, after the checks that reads and writes share. */
  private static int slot(Cpu cpu, int number) {
    if (number > 7 || (number & 6) == 4 && (cpu.cr4 & ControlBits.CR4_DE) != 0) {
      throw cpu.raise(UD);
    }
    if (cpu.cpl != 0) {
      throw cpu.raise(GP, 0);
    }
    if ((cpu.dr[5] & GENERAL_DETECT) != 0) {
      cpu.dr[4] |= GENERAL_DETECT;
      throw cpu.raise(DB);
    }
    return number < 4 ? number : number == 4 || number == 6 ? 4 : 5;
  }
}

package io.vmm4j.software.system;

import static io.vmm4j.software.cpu.Cpu.CS;
import static io.vmm4j.software.cpu.Cpu.GP;
import static io.vmm4j.software.cpu.Cpu.UD;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.LeaveReason;
import io.vmm4j.x86.ControlBits;

/** CR0, CR2, CR3, CR4 and CR8 with their checks (Intel SDM volume 3, 2.5 and 4.1). */
public final class ControlRegisters {
  private static final long CR0_DEFINED =
      ControlBits.CR0_PE
          | ControlBits.CR0_MP
          | ControlBits.CR0_EM
          | ControlBits.CR0_TS
          | ControlBits.CR0_ET
          | ControlBits.CR0_NE
          | ControlBits.CR0_WP
          | ControlBits.CR0_AM
          | ControlBits.CR0_NW
          | ControlBits.CR0_CD
          | ControlBits.CR0_PG;

  private static final long CR3_NO_FLUSH = 1L << 63;

  private ControlRegisters() {}

  /** MOV from a control register. */
  static long read(Cpu cpu, int number) {
    return switch (number) {
      case 0 -> cpu.cr0;
      case 2 -> cpu.cr2;
      case 3 -> cpu.cr3;
      case 4 -> cpu.cr4;
      case 8 -> cpu.apic.taskPriority() >> 4;
      default -> throw cpu.raise(UD);
    };
  }

  /** MOV to a control register. */
  static void write(Cpu cpu, int number, long value) {
    switch (number) {
      case 0 -> writeCr0(cpu, value);
      case 2 -> cpu.cr2 = value;
      case 3 -> writeCr3(cpu, value);
      case 4 -> writeCr4(cpu, value);
      case 8 -> {
        if ((value & ~15L) != 0) {
          throw cpu.raise(GP, 0);
        }
        cpu.apic.setTaskPriority((int) value << 4);
      }
      default -> throw cpu.raise(UD);
    }
    cpu.leaveBlock(LeaveReason.MODE);
  }

  /** MOV to CR0. */
  static void writeCr0(Cpu cpu, long requested) {
    boolean paging = (requested & ControlBits.CR0_PG) != 0;
    if (requested >>> 32 != 0
        || paging && (requested & ControlBits.CR0_PE) == 0
        || (requested & (ControlBits.CR0_NW | ControlBits.CR0_CD)) == ControlBits.CR0_NW) {
      throw cpu.raise(GP, 0);
    }
    long value = requested & CR0_DEFINED | ControlBits.CR0_ET;
    long changed = value ^ cpu.cr0;
    if ((changed & ControlBits.CR0_PG) != 0) {
      switchPaging(cpu, paging);
    } else if (paging
        && !cpu.longMode
        && (cpu.cr4 & ControlBits.CR4_PAE) != 0
        && (changed & (ControlBits.CR0_CD | ControlBits.CR0_NW)) != 0) {
      checkPointers(cpu, cpu.cr3);
    }
    if ((changed & ControlBits.CR0_PE) != 0) {
      cpu.cpl = 0;
    }
    cpu.cr0 = value;
    if ((changed & (ControlBits.CR0_PG | ControlBits.CR0_WP | ControlBits.CR0_PE)) != 0) {
      cpu.mmu.flush();
    }
    cpu.modeChanged();
  }

  /** Turns paging on or off, and with it long mode where EFER.LME is set. */
  private static void switchPaging(Cpu cpu, boolean on) {
    if (!on) {
      boolean code64 = cpu.longMode && cpu.seg[CS].isLong();
      if (code64 || (cpu.cr4 & ControlBits.CR4_PCIDE) != 0) {
        throw cpu.raise(GP, 0);
      }
      cpu.efer &= ~ControlBits.EFER_LMA;
    } else if ((cpu.efer & ControlBits.EFER_LME) != 0) {
      if ((cpu.cr4 & ControlBits.CR4_PAE) == 0 || cpu.seg[CS].isLong()) {
        throw cpu.raise(GP, 0);
      }
      cpu.efer |= ControlBits.EFER_LMA;
    } else if ((cpu.cr4 & ControlBits.CR4_PAE) != 0) {
      checkPointers(cpu, cpu.cr3);
    }
  }

  private static void writeCr3(Cpu cpu, long requested) {
    long value = requested;
    if (cpu.longMode) {
      boolean pcid = (cpu.cr4 & ControlBits.CR4_PCIDE) != 0;
      long reserved = -1L << cpu.system.cpuid.physicalBits();
      if (pcid) {
        reserved &= ~CR3_NO_FLUSH;
      }
      if ((value & reserved) != 0) {
        throw cpu.raise(GP, 0);
      }
      value &= ~CR3_NO_FLUSH;
    } else if ((cpu.cr0 & ControlBits.CR0_PG) != 0 && (cpu.cr4 & ControlBits.CR4_PAE) != 0) {
      checkPointers(cpu, value);
    }
    cpu.mmu.setRoot(value);
  }

  private static void writeCr4(Cpu cpu, long value) {
    long changed = value ^ cpu.cr4;
    boolean paging = (cpu.cr0 & ControlBits.CR0_PG) != 0;
    boolean pcidOn = (changed & value & ControlBits.CR4_PCIDE) != 0;
    if ((value & ~cpu.system.cpuid.cr4Bits()) != 0
        || cpu.longMode && (value & ControlBits.CR4_PAE) == 0
        || pcidOn && (!cpu.longMode || (cpu.cr3 & 0xFFF) != 0)) {
      throw cpu.raise(GP, 0);
    }
    long pointers =
        ControlBits.CR4_PAE | ControlBits.CR4_PSE | ControlBits.CR4_PGE | ControlBits.CR4_SMEP;
    if (paging
        && !cpu.longMode
        && (value & ControlBits.CR4_PAE) != 0
        && (changed & pointers) != 0) {
      checkPointers(cpu, cpu.cr3);
    }
    cpu.cr4 = value;
    cpu.mmu.flush();
    if ((changed & ControlBits.CR4_DE) != 0) {
      cpu.mmu.breakpoints().changed();
    }
    cpu.modeChanged();
  }

  /**
   * The check of the four PDPTEs that PAE paging makes when it loads them (SDM volume 3, 4.4.1).
   */
  private static void checkPointers(Cpu cpu, long cr3) {
    long reserved = 0x1E6 | -1L << cpu.system.cpuid.physicalBits();
    for (int i = 0; i < 4; i++) {
      long entry = cpu.mmu.physical().read((cr3 & 0xFFFFFFE0L) + 8 * i, 8);
      if ((entry & 1) != 0 && (entry & reserved) != 0) {
        throw cpu.raise(GP, 0);
      }
    }
  }

  /** LMSW: the low four bits of CR0; it can set PE and not clear it. */
  static void loadStatusWord(Cpu cpu, int value) {
    long low = value & 15 | cpu.cr0 & ControlBits.CR0_PE;
    writeCr0(cpu, cpu.cr0 & ~15L | low);
    cpu.leaveBlock(LeaveReason.MODE);
  }

  /** WRMSR of EFER. */
  static void writeEfer(Cpu cpu, long requested) {
    long allowed = ControlBits.EFER_SCE | ControlBits.EFER_LME | ControlBits.EFER_LMA;
    if (cpu.system.cpuid.hasNoExecute()) {
      allowed |= ControlBits.EFER_NXE;
    }
    boolean paging = (cpu.cr0 & ControlBits.CR0_PG) != 0;
    if ((requested & ~allowed) != 0
        || paging && ((requested ^ cpu.efer) & ControlBits.EFER_LME) != 0) {
      throw cpu.raise(GP, 0);
    }
    long before = cpu.efer;
    cpu.efer = requested & ~ControlBits.EFER_LMA | before & ControlBits.EFER_LMA;
    if (((before ^ cpu.efer) & ControlBits.EFER_NXE) != 0) {
      cpu.mmu.flush();
    }
    cpu.modeChanged();
  }
}

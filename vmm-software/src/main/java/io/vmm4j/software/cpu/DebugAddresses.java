package io.vmm4j.software.cpu;

/** The breakpoints of DR0 to DR3 as DR7 enables them (Intel SDM volume 3, 17.2). */
public final class DebugAddresses {
  private static final int EXECUTE = 0;
  private static final int WRITE_ONLY = 1;
  private static final int READ_WRITE = 3;

  private final Cpu cpu;
  private boolean data;
  private boolean execute;

  DebugAddresses(Cpu cpu) {
    this.cpu = cpu;
  }

  /** To be called when a debug register or CR4.DE has changed. */
  public void changed() {
    data = false;
    execute = false;
    for (int i = 0; i < 4; i++) {
      if (enabled(i)) {
        if (kind(i) == EXECUTE) {
          execute = true;
        } else {
          data = true;
        }
      }
    }
    cpu.mmu.flush();
    cpu.leaveBlock(LeaveReason.BREAKPOINT);
  }

  private boolean enabled(int i) {
    return (cpu.dr[5] >>> 2 * i & 3) != 0;
  }

  private int kind(int i) {
    return (int) (cpu.dr[5] >>> 16 + 4 * i) & 3;
  }

  private int length(int i) {
    return switch ((int) (cpu.dr[5] >>> 18 + 4 * i) & 3) {
      case 0 -> 1;
      case 1 -> 2;
      case 2 -> 8;
      default -> 4;
    };
  }

  /** Whether there is any breakpoint on execution. */
  public boolean onExecution() {
    return execute;
  }

  /** Whether a data breakpoint lies in a page, whose accesses must then be looked at. */
  boolean watches(long page) {
    if (!data) {
      return false;
    }
    for (int i = 0; i < 4; i++) {
      if (enabled(i) && kind(i) != EXECUTE && (cpu.dr[i] & ~0xFFFL) == page) {
        return true;
      }
    }
    return false;
  }

  /** Notes the breakpoints that a data access hits, for a trap after the instruction. */
  void check(long linear, int size, int access) {
    if (!data) {
      return;
    }
    int hits = 0;
    for (int i = 0; i < 4; i++) {
      int kind = kind(i);
      boolean fits = kind == READ_WRITE || kind == WRITE_ONLY && access == Mmu.WRITE;
      if (enabled(i) && fits) {
        long first = cpu.dr[i] & -(long) length(i);
        if (linear < first + length(i) && first < linear + size) {
          hits |= 1 << i;
        }
      }
    }
    if (hits != 0) {
      cpu.pendingDebug |= hits;
      cpu.leaveBlock(LeaveReason.BREAKPOINT);
    }
  }

  /** The DR6 bits of the execution breakpoints at a linear address. */
  int onExecution(long linear) {
    int hits = 0;
    for (int i = 0; i < 4; i++) {
      if (enabled(i) && kind(i) == EXECUTE && cpu.dr[i] == linear) {
        hits |= 1 << i;
      }
    }
    return hits;
  }
}

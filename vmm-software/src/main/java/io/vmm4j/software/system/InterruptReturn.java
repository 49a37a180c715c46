package io.vmm4j.software.system;

import static io.vmm4j.software.cpu.Cpu.CS;
import static io.vmm4j.software.cpu.Cpu.GP;
import static io.vmm4j.software.cpu.Cpu.RSP;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Flags;
import io.vmm4j.software.cpu.LeaveReason;

/** IRET in every mode (Intel SDM volume 2, IRET). */
final class InterruptReturn {
  /** What real mode changes: bits 19 to 21 stay. */
  private static final int REAL_MODE_FLAGS = 0x257FD5;

  private static final int USER_FLAGS = Flags.ARITHMETIC | Flags.TF | Flags.DF | Flags.NT;

  private InterruptReturn() {}

  static void execute(Cpu cpu, int size) {
    if (Segmentation.paragraphs(cpu)) {
      paragraphs(cpu, size);
    } else if ((cpu.systemFlags & Flags.NT) != 0) {
      if (cpu.longMode) {
        throw cpu.raise(GP, 0);
      }
      TaskSwitch.ret(cpu);
    } else {
      protectedReturn(cpu, size);
    }
    cpu.nmiBlocked = false;
    cpu.leaveBlock(LeaveReason.MODE);
  }

  private static void paragraphs(Cpu cpu, int size) {
    boolean v86 = (cpu.systemFlags & Flags.VM) != 0;
    if (v86 && cpu.iopl() != 3) {
      throw cpu.raise(GP, 0);
    }
    long offset = cpu.peek(0, size);
    int selector = (int) cpu.peek(size, size) & 0xFFFF;
    int flags = (int) cpu.peek(2 * size, size);
    FarTransfers.checkLimit(cpu, offset, cpu.seg[CS].limit, false);
    int mask = size == 4 ? REAL_MODE_FLAGS : REAL_MODE_FLAGS & 0xFFFF;
    if (v86) {
      mask &= ~Flags.IOPL;
    }
    cpu.setStackPointer(cpu.gpr[RSP] + 3 * size);
    Segmentation.loadParagraph(cpu, CS, selector);
    cpu.rip = offset;
    cpu.setEflags(cpu.eflags() & ~mask | flags & mask);
    cpu.modeChanged();
  }

  private static void protectedReturn(Cpu cpu, int size) {
    long offset = cpu.peek(0, size);
    int selector = (int) cpu.peek(size, size) & 0xFFFF;
    int flags = (int) cpu.peek(2 * size, size);
    if (size == 4 && (flags & Flags.VM) != 0 && cpu.cpl == 0 && !cpu.longMode) {
      toV86(cpu, offset, selector, flags);
      return;
    }
    long code = FarTransfers.checkReturn(cpu, selector);
    boolean code64 = cpu.longMode && Descriptor.isLong(code);
    int image = flags(cpu, flags, size);
    if (cpu.codeSize == 8 || Descriptor.rpl(selector) != cpu.cpl) {
      long pointer = cpu.peek(3 * size, size);
      int stackSelector = (int) cpu.peek(4 * size, size) & 0xFFFF;
      FarTransfers.checkLimit(cpu, offset, Descriptor.limit(code), code64);
      FarTransfers.returnOuter(cpu, selector, code, offset, stackSelector, pointer, 0);
    } else {
      FarTransfers.checkLimit(cpu, offset, Descriptor.limit(code), code64);
      Descriptor.markAccessed(cpu, selector, code);
      cpu.setStackPointer(cpu.gpr[RSP] + 3 * size);
      FarTransfers.enter(cpu, selector, code, offset);
    }
    cpu.setEflags(image);
  }

  /** The flags after the return: which of them it may change depends on the privilege before. */
  private static int flags(Cpu cpu, int image, int size) {
    int mask = USER_FLAGS;
    if (size != 2) {
      mask |= Flags.RF | Flags.AC | Flags.ID;
    }
    if (cpu.cpl <= cpu.iopl()) {
      mask |= Flags.IF;
    }
    if (cpu.cpl == 0) {
      mask |= Flags.IOPL;
      if (size != 2) {
        mask |= Flags.VIF | Flags.VIP;
      }
    }
    return cpu.eflags() & ~mask | image & mask;
  }

  private static void toV86(Cpu cpu, long offset, int selector, int flags) {
    long pointer = cpu.peek(12, 4);
    int[] selectors = new int[6];
    int[] order = {Cpu.SS, Cpu.ES, Cpu.DS, Cpu.FS, Cpu.GS};
    for (int i = 0; i < order.length; i++) {
      selectors[order[i]] = (int) cpu.peek(16 + 4 * i, 4) & 0xFFFF;
    }
    selectors[CS] = selector;
    FarTransfers.checkLimit(cpu, offset, 0xFFFF, false);
    cpu.cpl = 3;
    cpu.setEflags(flags);
    for (int i = 0; i < selectors.length; i++) {
      Segmentation.loadParagraph(cpu, i, selectors[i]);
    }
    cpu.rip = offset;
    cpu.gpr[RSP] = pointer;
    cpu.modeChanged();
  }
}

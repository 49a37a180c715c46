package io.vmm4j.software.system;

import static io.vmm4j.software.cpu.Cpu.CS;
import static io.vmm4j.software.cpu.Cpu.GP;
import static io.vmm4j.software.cpu.Cpu.LDTR;
import static io.vmm4j.software.cpu.Cpu.NP;
import static io.vmm4j.software.cpu.Cpu.SS;
import static io.vmm4j.software.cpu.Cpu.TR;
import static io.vmm4j.software.cpu.Cpu.TS;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.CpuFault;
import io.vmm4j.software.cpu.Flags;
import io.vmm4j.software.cpu.LeaveReason;
import io.vmm4j.software.cpu.Mmu;
import io.vmm4j.software.cpu.Segment;
import io.vmm4j.x86.ControlBits;

/**
 * Hardware task switches (Intel SDM volume 3, 7.3), by JMP, CALL, IRET, exceptions and interrupts,
 * between task state segments of 16 and 32 bits.
 *
 * <p>What is checked before the old task is saved is a fault of the old task. From then on a fault
 * is one of the new task, at its first instruction; it is delivered here, as the run loop would
 * take it for one of the instruction that switched.
 */
final class TaskSwitch {
  /** The order of segment registers in a TSS, and in which they are loaded. */
  private static final int[] SEGMENTS = {Cpu.ES, CS, SS, Cpu.DS, Cpu.FS, Cpu.GS};

  private static final int[] DATA_SEGMENTS = {Cpu.DS, Cpu.ES, Cpu.FS, Cpu.GS};

  private static final int LIMIT_32 = 0x67;
  private static final int LIMIT_16 = 0x2B;
  private static final int CR3_32 = 0x1C;
  private static final int TRAP_32 = 0x64;

  /** What the upper halves of registers become that a 16-bit TSS does not have. */
  private static final long UPPER_HALF_16 = 0xFFFF_0000L;

  private static final int DEBUG_TASK_SWITCH = 1 << 15;

  private enum Cause {
    JUMP,
    CALL,
    RETURN
  }

  private TaskSwitch() {}

  /** JMP or CALL to a TSS descriptor or a task gate, whose privilege has been checked. */
  static void transfer(Cpu cpu, int selector, long descriptor, boolean call) {
    int task = selector;
    long raw = descriptor;
    if (Descriptor.type(descriptor) == Descriptor.TASK_GATE) {
      task = Descriptor.gateSelector(descriptor);
      raw = ofGate(cpu, task, 0);
    }
    start(cpu, task, raw, call ? Cause.CALL : Cause.JUMP, cpu.eflags(), 0, false, 0);
  }

  /** An exception or interrupt through a task gate. */
  static void interrupt(Cpu cpu, long gate, boolean hasError, int error, int flags, int external) {
    int task = Descriptor.gateSelector(gate);
    long raw = ofGate(cpu, task, external);
    start(cpu, task, raw, Cause.CALL, flags, external, hasError, error);
  }

  /** The TSS descriptor that a task gate names. */
  private static long ofGate(Cpu cpu, int task, int external) {
    int code = Descriptor.error(task, external);
    if (Descriptor.isNull(task) || (task & 4) != 0) {
      throw cpu.raise(GP, code);
    }
    long raw = Descriptor.read(cpu, task, GP, external);
    if (Descriptor.isSegment(raw) || (Descriptor.type(raw) & ~8) != Descriptor.TSS16_AVAILABLE) {
      throw cpu.raise(GP, code);
    }
    if (!Descriptor.present(raw)) {
      throw cpu.raise(NP, code);
    }
    return raw;
  }

  /** IRET with NT set: back to the task that the link names. */
  static void ret(Cpu cpu) {
    Segment tr = cpu.seg[TR];
    int task = (int) cpu.mmu.systemRead(tr.base & 0xFFFFFFFFL, 2);
    int code = Descriptor.error(task, 0);
    if (Descriptor.isNull(task) || (task & 4) != 0) {
      throw cpu.raise(TS, code);
    }
    long raw = Descriptor.read(cpu, task, TS, 0);
    if (Descriptor.isSegment(raw) || (Descriptor.type(raw) & ~8) != Descriptor.TSS16_BUSY) {
      throw cpu.raise(TS, code);
    }
    if (!Descriptor.present(raw)) {
      throw cpu.raise(NP, code);
    }
    start(cpu, task, raw, Cause.RETURN, cpu.eflags() & ~Flags.NT, 0, false, 0);
  }

  private static void start(
      Cpu cpu,
      int task,
      long raw,
      Cause cause,
      int flags,
      int external,
      boolean hasError,
      int error) {
    boolean wide = (Descriptor.type(raw) & 8) != 0;
    long limit = Descriptor.limit(raw);
    if (limit < (wide ? LIMIT_32 : LIMIT_16)) {
      throw cpu.raise(TS, Descriptor.error(task, external));
    }
    Segment tr = cpu.seg[TR];
    boolean oldWide = (tr.type() & 8) != 0;
    long base = Descriptor.base(raw);
    cpu.mmu.systemProbe(base, (wide ? LIMIT_32 : LIMIT_16) + 1, Mmu.WRITE);
    cpu.mmu.systemProbe(tr.base, (oldWide ? LIMIT_32 : LIMIT_16) + 1, Mmu.WRITE);
    save(cpu, tr.base, oldWide, flags);
    Image image = new Image(cpu, base, wide);
    if (cause != Cause.CALL) {
      long old = Descriptor.read(cpu, tr.selector, GP, external);
      Descriptor.clearType(cpu, tr.selector, old, 2);
    } else {
      cpu.mmu.systemWrite(base, 2, tr.selector);
      image.flags |= Flags.NT;
    }
    if (cause != Cause.RETURN) {
      Descriptor.setType(cpu, task, raw, 2);
    }
    tr.set(task, base, limit, Descriptor.attributes(raw) | 2);
    cpu.cr0 |= ControlBits.CR0_TS;
    try {
      load(cpu, image, wide);
      if (hasError) {
        cpu.push(error, wide ? 4 : 2);
      }
      if ((image.trap & 1) != 0) {
        cpu.pendingDebug |= DEBUG_TASK_SWITCH;
      }
    } catch (CpuFault e) {
      cpu.modeChanged();
      Events.deliverFault(cpu);
    }
    cpu.leaveBlock(LeaveReason.MODE);
  }

  // ---- the state in memory ----

  /** What a TSS holds of a task. */
  private static final class Image {
    private final long cr3;
    private final long rip;
    private int flags;
    private final long[] registers = new long[8];
    private final int[] selectors = new int[8];
    private final int trap;

    Image(Cpu cpu, long base, boolean wide) {
      Mmu mmu = cpu.mmu;
      int size = wide ? 4 : 2;
      int at = wide ? 0x20 : 0x0E;
      cr3 = wide ? mmu.systemRead(base + CR3_32, 4) : cpu.cr3;
      rip = mmu.systemRead(base + at, size);
      flags = (int) mmu.systemRead(base + at + size, size);
      for (int i = 0; i < 8; i++) {
        long value = mmu.systemRead(base + at + (2 + i) * size, size);
        registers[i] = wide ? value : value | UPPER_HALF_16;
      }
      int count = wide ? 6 : 4;
      for (int i = 0; i < count; i++) {
        selectors[SEGMENTS[i]] = (int) mmu.systemRead(base + at + (10 + i) * size, 2);
      }
      selectors[LDTR] = (int) mmu.systemRead(base + at + (10 + count) * size, 2);
      trap = wide ? (int) mmu.systemRead(base + TRAP_32, 2) : 0;
    }
  }

  private static void save(Cpu cpu, long base, boolean wide, int flags) {
    Mmu mmu = cpu.mmu;
    int size = wide ? 4 : 2;
    int at = wide ? 0x20 : 0x0E;
    mmu.systemWrite(base + at, size, cpu.rip);
    mmu.systemWrite(base + at + size, size, flags);
    for (int i = 0; i < 8; i++) {
      mmu.systemWrite(base + at + (2 + i) * size, size, cpu.gpr[i]);
    }
    for (int i = 0; i < (wide ? 6 : 4); i++) {
      mmu.systemWrite(base + at + (10 + i) * size, 2, cpu.seg[SEGMENTS[i]].selector);
    }
  }

  // ---- the new task ----

  private static void load(Cpu cpu, Image image, boolean wide) {
    if (wide && (cpu.cr0 & ControlBits.CR0_PG) != 0) {
      ControlRegisters.write(cpu, 3, image.cr3);
    }
    cpu.rip = image.rip;
    System.arraycopy(image.registers, 0, cpu.gpr, 0, 8);
    for (int index : SEGMENTS) {
      cpu.seg[index].set(image.selectors[index], 0, 0, Segment.UNUSABLE);
    }
    cpu.seg[LDTR].set(image.selectors[LDTR], 0, 0, Segment.UNUSABLE);
    boolean v86 = (image.flags & Flags.VM) != 0;
    cpu.cpl = v86 ? 3 : Descriptor.rpl(image.selectors[CS]);
    cpu.setEflags(image.flags);
    cpu.dr[5] &= ~0x155L; // local breakpoints are the old task's
    cpu.mmu.breakpoints().changed();
    loadLocalTable(cpu, image.selectors[LDTR]);
    if (v86) {
      for (int index : SEGMENTS) {
        Segmentation.loadParagraph(cpu, index, image.selectors[index]);
      }
    } else {
      loadCode(cpu, image.selectors[CS]);
      loadStack(cpu, image.selectors[SS]);
      cpu.modeChanged();
      for (int index : DATA_SEGMENTS) {
        loadData(cpu, index, image.selectors[index]);
      }
    }
    cpu.modeChanged();
    FarTransfers.checkLimit(cpu, cpu.rip, cpu.seg[CS].limit, false);
  }

  private static void loadLocalTable(Cpu cpu, int selector) {
    if (Descriptor.isNull(selector)) {
      return;
    }
    int code = Descriptor.error(selector, 0);
    if ((selector & 4) != 0) {
      throw cpu.raise(TS, code);
    }
    long raw = Descriptor.read(cpu, selector, TS, 0);
    boolean table = !Descriptor.isSegment(raw) && Descriptor.type(raw) == Descriptor.LDT;
    if (!table || !Descriptor.present(raw)) {
      throw cpu.raise(TS, code);
    }
    cpu.seg[LDTR].set(
        selector, Descriptor.base(raw), Descriptor.limit(raw), Descriptor.attributes(raw));
  }

  private static void loadCode(Cpu cpu, int selector) {
    int code = Descriptor.error(selector, 0);
    if (Descriptor.isNull(selector)) {
      throw cpu.raise(TS, code);
    }
    long raw = Descriptor.read(cpu, selector, TS, 0);
    int rpl = Descriptor.rpl(selector);
    int dpl = Descriptor.dpl(raw);
    boolean allowed = Descriptor.isConformingCode(raw) ? dpl <= rpl : dpl == rpl;
    if (!Descriptor.isCode(raw) || !allowed) {
      throw cpu.raise(TS, code);
    }
    if (!Descriptor.present(raw)) {
      throw cpu.raise(NP, code);
    }
    Descriptor.markAccessed(cpu, selector, raw);
    Descriptor.fill(cpu.seg[CS], selector, raw);
  }

  private static void loadStack(Cpu cpu, int selector) {
    if (Descriptor.isNull(selector)) {
      throw cpu.raise(TS, Descriptor.error(selector, 0));
    }
    long raw = Segmentation.checkStack(cpu, selector, cpu.cpl, TS, 0);
    Descriptor.markAccessed(cpu, selector, raw);
    Descriptor.fill(cpu.seg[SS], selector, raw);
  }

  private static void loadData(Cpu cpu, int index, int selector) {
    try {
      Segmentation.load(cpu, index, selector);
    } catch (CpuFault e) {
      if (cpu.faultVector == GP) {
        throw cpu.raise(TS, cpu.faultErrorCode);
      }
      throw e;
    }
  }
}

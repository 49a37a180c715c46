package io.vmm4j.software.system;

import static io.vmm4j.software.cpu.Cpu.CS;
import static io.vmm4j.software.cpu.Cpu.GP;
import static io.vmm4j.software.cpu.Cpu.NP;
import static io.vmm4j.software.cpu.Cpu.RSP;
import static io.vmm4j.software.cpu.Cpu.SS;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Segment;

/**
 * Far JMP, CALL and RET (Intel SDM volume 2, and volume 3, 5.8): between code segments, conforming
 * or not, through call gates with their change of stack, and through task gates and TSS
 * descriptors.
 */
final class FarTransfers {
  private FarTransfers() {}

  // ---- JMP and CALL ----

  /** Far JMP. */
  static void jump(Cpu cpu, int selector, long offset, int size) {
    if (Segmentation.paragraphs(cpu)) {
      checkLimit(cpu, offset, cpu.seg[CS].limit, false);
      Segmentation.loadParagraph(cpu, CS, selector);
      cpu.rip = offset;
      cpu.modeChanged();
      return;
    }
    transfer(cpu, selector, offset, size, false);
  }

  /** Far CALL. */
  static void call(Cpu cpu, int selector, long offset, int size) {
    if (Segmentation.paragraphs(cpu)) {
      checkLimit(cpu, offset, cpu.seg[CS].limit, false);
      InnerStack stack = present(cpu);
      stack.push(cpu.seg[CS].selector, size);
      stack.push(cpu.rip, size);
      cpu.gpr[RSP] = stack.pointer(cpu.gpr[RSP]);
      Segmentation.loadParagraph(cpu, CS, selector);
      cpu.rip = offset;
      cpu.modeChanged();
      return;
    }
    transfer(cpu, selector, offset, size, true);
  }

  private static void transfer(Cpu cpu, int selector, long offset, int size, boolean call) {
    if (Descriptor.isNull(selector)) {
      throw cpu.raise(GP, 0);
    }
    long raw = Descriptor.read(cpu, selector, GP, 0);
    if (Descriptor.isSegment(raw)) {
      direct(cpu, selector, raw, offset, size, call);
      return;
    }
    int error = Descriptor.error(selector, 0);
    int type = Descriptor.type(raw);
    boolean gate = type == Descriptor.CALL_GATE || !cpu.longMode && type == Descriptor.CALL_GATE16;
    boolean task =
        !cpu.longMode
            && (type == Descriptor.TASK_GATE
                || type == Descriptor.TSS_AVAILABLE
                || type == Descriptor.TSS16_AVAILABLE);
    int dpl = Descriptor.dpl(raw);
    if (!gate && !task || dpl < cpu.cpl || dpl < Descriptor.rpl(selector)) {
      throw cpu.raise(GP, error);
    }
    if (!Descriptor.present(raw)) {
      throw cpu.raise(NP, error);
    }
    if (gate) {
      throughGate(cpu, selector, raw, call);
    } else {
      TaskSwitch.transfer(cpu, selector, raw, call);
    }
  }

  /** Checks a code segment as the direct target of JMP or CALL. */
  private static void direct(
      Cpu cpu, int selector, long code, long offset, int size, boolean call) {
    int error = Descriptor.error(selector, 0);
    int dpl = Descriptor.dpl(code);
    boolean allowed =
        Descriptor.isConformingCode(code)
            ? dpl <= cpu.cpl
            : dpl == cpu.cpl && Descriptor.rpl(selector) <= cpu.cpl;
    if (!Descriptor.isCode(code) || !allowed || invalidLong(cpu, code)) {
      throw cpu.raise(GP, error);
    }
    if (!Descriptor.present(code)) {
      throw cpu.raise(NP, error);
    }
    boolean code64 = cpu.longMode && Descriptor.isLong(code);
    if (call) {
      InnerStack stack = present(cpu);
      stack.push(cpu.seg[CS].selector, size);
      stack.push(cpu.rip, size);
      checkLimit(cpu, offset, Descriptor.limit(code), code64);
      Descriptor.markAccessed(cpu, selector, code);
      cpu.gpr[RSP] = stack.pointer(cpu.gpr[RSP]);
    } else {
      checkLimit(cpu, offset, Descriptor.limit(code), code64);
      Descriptor.markAccessed(cpu, selector, code);
    }
    enter(cpu, selector, code, offset);
  }

  private static void throughGate(Cpu cpu, int gateSelector, long gate, boolean call) {
    int size = cpu.longMode ? 8 : Descriptor.type(gate) == Descriptor.CALL_GATE ? 4 : 2;
    long target = size == 2 ? gate & 0xFFFF : Descriptor.gateOffset(gate);
    if (size == 8) {
      long high = Descriptor.readHigh(cpu, gateSelector, GP, 0);
      if ((high >>> 40 & 0x1F) != 0) {
        throw cpu.raise(GP, Descriptor.error(gateSelector, 0));
      }
      target |= high << 32;
    }
    int selector = Descriptor.gateSelector(gate);
    if (Descriptor.isNull(selector)) {
      throw cpu.raise(GP, 0);
    }
    int error = Descriptor.error(selector, 0);
    long code = Descriptor.read(cpu, selector, GP, 0);
    int dpl = Descriptor.dpl(code);
    boolean conforming = Descriptor.isConformingCode(code);
    boolean allowed = call || conforming ? dpl <= cpu.cpl : dpl == cpu.cpl;
    boolean code64 = Descriptor.isLong(code) && !Descriptor.isBig(code);
    if (!Descriptor.isCode(code) || !allowed || size == 8 && !code64) {
      throw cpu.raise(GP, error);
    }
    if (!Descriptor.present(code)) {
      throw cpu.raise(NP, error);
    }
    if (!call) {
      checkLimit(cpu, target, Descriptor.limit(code), size == 8);
      Descriptor.markAccessed(cpu, selector, code);
    } else if (!conforming && dpl < cpu.cpl) {
      switchStack(cpu, gate, dpl, size, target, code);
      Descriptor.markAccessed(cpu, selector, code);
      cpu.cpl = dpl;
    } else {
      InnerStack stack = present(cpu);
      stack.push(cpu.seg[CS].selector, size);
      stack.push(cpu.rip, size);
      checkLimit(cpu, target, Descriptor.limit(code), size == 8);
      Descriptor.markAccessed(cpu, selector, code);
      cpu.gpr[RSP] = stack.pointer(cpu.gpr[RSP]);
    }
    enter(cpu, selector, code, target);
  }

  /** Pushes onto the stack of an inner level, with the parameters, and loads SS and RSP. */
  private static void switchStack(Cpu cpu, long gate, int dpl, int size, long target, long code) {
    InnerStack stack;
    Segment newStack = new Segment();
    if (size == 8) {
      stack = new InnerStack(cpu, TaskState.stack64(cpu, dpl, 0), dpl, 0);
    } else {
      long pointer = TaskState.stack(cpu, dpl, newStack, 0);
      int error = Descriptor.error(newStack.selector, 0);
      stack = new InnerStack(cpu, newStack, pointer, dpl, error);
    }
    stack.push(cpu.seg[SS].selector, size);
    stack.push(cpu.gpr[RSP], size);
    if (size != 8) {
      int parameters = (int) (gate >>> 32) & 31;
      for (int i = parameters - 1; i >= 0; i--) {
        stack.push(cpu.peek(i * size, size), size);
      }
    }
    stack.push(cpu.seg[CS].selector, size);
    stack.push(cpu.rip, size);
    checkLimit(cpu, target, Descriptor.limit(code), size == 8);
    if (size == 8) {
      cpu.seg[SS].set(dpl, 0, cpu.seg[SS].limit, Segment.UNUSABLE | dpl << 5);
    } else {
      cpu.seg[SS].set(newStack.selector, newStack.base, newStack.limit, newStack.attributes);
    }
    cpu.gpr[RSP] = stack.pointer(0);
  }

  // ---- RET ----

  /** Far RET, dropping {@code drop} bytes of parameters. */
  static void ret(Cpu cpu, int size, int drop) {
    long offset = cpu.peek(0, size);
    int selector = (int) cpu.peek(size, size) & 0xFFFF;
    if (Segmentation.paragraphs(cpu)) {
      checkLimit(cpu, offset, cpu.seg[CS].limit, false);
      cpu.setStackPointer(cpu.gpr[RSP] + 2 * size + drop);
      Segmentation.loadParagraph(cpu, CS, selector);
      cpu.rip = offset;
      cpu.modeChanged();
      return;
    }
    long code = checkReturn(cpu, selector);
    boolean code64 = cpu.longMode && Descriptor.isLong(code);
    if (Descriptor.rpl(selector) == cpu.cpl) {
      checkLimit(cpu, offset, Descriptor.limit(code), code64);
      Descriptor.markAccessed(cpu, selector, code);
      cpu.setStackPointer(cpu.gpr[RSP] + 2 * size + drop);
      enter(cpu, selector, code, offset);
      return;
    }
    long pointer = cpu.peek(2 * size + drop, size);
    int stackSelector = (int) cpu.peek(3 * size + drop, size) & 0xFFFF;
    checkLimit(cpu, offset, Descriptor.limit(code), code64);
    returnOuter(cpu, selector, code, offset, stackSelector, pointer, drop);
  }

  /** The checks of a code segment that RET and IRET return to. */
  static long checkReturn(Cpu cpu, int selector) {
    if (Descriptor.isNull(selector)) {
      throw cpu.raise(GP, 0);
    }
    int error = Descriptor.error(selector, 0);
    long code = Descriptor.read(cpu, selector, GP, 0);
    int rpl = Descriptor.rpl(selector);
    int dpl = Descriptor.dpl(code);
    boolean allowed = Descriptor.isConformingCode(code) ? dpl <= rpl : dpl == rpl;
    if (!Descriptor.isCode(code) || rpl < cpu.cpl || !allowed || invalidLong(cpu, code)) {
      throw cpu.raise(GP, error);
    }
    if (!Descriptor.present(code)) {
      throw cpu.raise(NP, error);
    }
    return code;
  }

  /**
   * Loads CS, RIP, SS and RSP of a return whose code segment has been checked; SS is checked here.
   * It may be of the same privilege (IRET in 64-bit mode).
   */
  static void returnOuter(
      Cpu cpu, int selector, long code, long offset, int stackSelector, long pointer, int drop) {
    int rpl = Descriptor.rpl(selector);
    boolean code64 = cpu.longMode && Descriptor.isLong(code);
    Segment ss = cpu.seg[SS];
    boolean outer = rpl != cpu.cpl;
    if (Descriptor.isNull(stackSelector)) {
      if (!code64 || rpl == 3 || Descriptor.rpl(stackSelector) != rpl) {
        throw cpu.raise(GP, 0);
      }
      Descriptor.markAccessed(cpu, selector, code);
      ss.set(stackSelector, 0, ss.limit, Segment.UNUSABLE | rpl << 5);
    } else {
      long raw = Segmentation.checkStack(cpu, stackSelector, rpl, GP, 0);
      Descriptor.markAccessed(cpu, stackSelector, raw);
      Descriptor.markAccessed(cpu, selector, code);
      Descriptor.fill(ss, stackSelector, raw);
    }
    cpu.cpl = rpl;
    enter(cpu, selector, code, offset);
    cpu.setStackPointer(pointer + drop);
    if (outer) {
      Segmentation.dropPrivileged(cpu);
    }
  }

  // ---- common ----

  /** Whether a code descriptor has both L and D in long mode, which is reserved. */
  private static boolean invalidLong(Cpu cpu, long code) {
    return cpu.longMode && Descriptor.isLong(code) && Descriptor.isBig(code);
  }

  /** #GP(0) if an offset lies outside of the code segment. */
  static void checkLimit(Cpu cpu, long offset, long limit, boolean code64) {
    boolean inside =
        code64 ? Descriptor.isCanonical(offset) : Long.compareUnsigned(offset, limit) <= 0;
    if (!inside) {
      throw cpu.raise(GP, 0);
    }
  }

  private static InnerStack present(Cpu cpu) {
    return cpu.codeSize == 8
        ? new InnerStack(cpu, cpu.gpr[RSP], cpu.cpl, 0)
        : new InnerStack(cpu, cpu.seg[SS], cpu.gpr[RSP], cpu.cpl, 0);
  }

  /** Loads CS, with the current privilege in its selector, and RIP. */
  static void enter(Cpu cpu, int selector, long code, long offset) {
    Descriptor.fill(cpu.seg[CS], selector & ~3 | cpu.cpl, code);
    cpu.rip = offset;
    cpu.modeChanged();
  }
}

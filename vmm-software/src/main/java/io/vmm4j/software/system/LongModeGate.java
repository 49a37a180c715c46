package io.vmm4j.software.system;

import static io.vmm4j.software.cpu.Cpu.CS;
import static io.vmm4j.software.cpu.Cpu.GP;
import static io.vmm4j.software.cpu.Cpu.NP;
import static io.vmm4j.software.cpu.Cpu.RSP;
import static io.vmm4j.software.cpu.Cpu.SS;

import io.vmm4j.software.cpu.Cpu;

/** Exceptions and interrupts in long mode (Intel SDM volume 3, 6.14). */
final class LongModeGate {
  private LongModeGate() {}

  static void enter(Cpu cpu, int vector, boolean hasError, int error, int flags, boolean software) {
    int external = software ? 0 : Events.ERROR_EXTERNAL;
    int idtError = vector << 3 | Events.ERROR_IDT | external;
    if (16 * vector + 15 > cpu.idtrLimit) {
      throw cpu.raise(GP, idtError);
    }
    long gate = cpu.mmu.systemRead(cpu.idtrBase + 16L * vector, 8);
    long high = cpu.mmu.systemRead(cpu.idtrBase + 16L * vector + 8, 8);
    int type = Descriptor.type(gate);
    boolean known = type == Descriptor.INTERRUPT_GATE || type == Descriptor.TRAP_GATE;
    if (Descriptor.isSegment(gate) || !known || software && Descriptor.dpl(gate) < cpu.cpl) {
      throw cpu.raise(GP, idtError);
    }
    if (!Descriptor.present(gate)) {
      throw cpu.raise(NP, idtError);
    }
    int selector = Descriptor.gateSelector(gate);
    if (Descriptor.isNull(selector)) {
      throw cpu.raise(GP, external);
    }
    int codeError = Descriptor.error(selector, external);
    long code = Descriptor.read(cpu, selector, GP, external);
    int dpl = Descriptor.dpl(code);
    boolean code64 = Descriptor.isLong(code) && !Descriptor.isBig(code);
    if (!Descriptor.isCode(code) || dpl > cpu.cpl || !code64) {
      throw cpu.raise(GP, codeError);
    }
    if (!Descriptor.present(code)) {
      throw cpu.raise(NP, codeError);
    }
    boolean inner = !Descriptor.isConformingCode(code) && dpl < cpu.cpl;
    int newCpl = inner ? dpl : cpu.cpl;
    int ist = (int) (gate >>> 32) & 7;
    long pointer = cpu.gpr[RSP];
    if (ist != 0) {
      pointer = TaskState.interruptStack(cpu, ist, external);
    } else if (inner) {
      pointer = TaskState.stack64(cpu, newCpl, external);
    }
    long target = Descriptor.gateOffset(gate) | high << 32;
    if (!Descriptor.isCanonical(target)) {
      throw cpu.raise(GP, external);
    }
    InnerStack stack = new InnerStack(cpu, pointer & ~0xFL, newCpl, external);
    stack.push(cpu.seg[SS].selector, 8);
    stack.push(cpu.gpr[RSP], 8);
    stack.push(flags & 0xFFFFFFFFL, 8);
    stack.push(cpu.seg[CS].selector, 8);
    stack.push(cpu.rip, 8);
    if (hasError) {
      stack.push(error, 8);
    }
    Descriptor.markAccessed(cpu, selector, code);
    cpu.cpl = newCpl;
    if (inner) {
      Segmentation.setNull(cpu, SS, newCpl);
    }
    cpu.gpr[RSP] = stack.pointer(0);
    Events.enter(cpu, selector, code, target, type == Descriptor.INTERRUPT_GATE);
  }
}

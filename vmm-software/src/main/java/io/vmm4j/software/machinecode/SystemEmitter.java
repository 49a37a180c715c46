package io.vmm4j.software.machinecode;

import static io.vmm4j.software.machinecode.HostRegisters.ADDRESS;
import static io.vmm4j.software.machinecode.HostRegisters.BASE;
import static io.vmm4j.software.machinecode.HostRegisters.VALUE;

import io.vmm4j.software.cpu.Flags;
import io.vmm4j.software.cpu.Instruction;

/**
 * Emits the few instructions of kernels that are frequent and need no look around: those that
 * change IF to 0, DF, AC or the base of GS, PUSHF, and moves from segment registers. Where they are
 * privileged the code is for CPL 0.
 */
final class SystemEmitter {
  private static final int AND = 4;
  private static final int OR = 1;
  private static final int CMP = 7;

  /** What PUSHF pushes of the system flags: not RF and VM. */
  private static final int PUSHED = ~(Flags.RF | Flags.VM);

  private final BlockCode code;
  private final Assembler asm;

  SystemEmitter(BlockCode code) {
    this.code = code;
    this.asm = code.asm;
  }

  /** CLI, CLD, STD, CLAC, STAC: a bit of the system flags. */
  void changeFlag(int flag, boolean set) {
    code.clobberHost();
    if (set) {
      asm.operateMemory(4, OR, BASE, StateBlock.SYSTEM_FLAGS, flag);
    } else {
      asm.operateMemory(4, AND, BASE, StateBlock.SYSTEM_FLAGS, ~flag);
    }
  }

  /**
   * STI: where an interrupt waits, or the run ends behind it, the interpreter executes it and casts
   * its shadow.
   */
  void setInterrupt() {
    code.clobberHost();
    asm.operateMemory(4, CMP, BASE, StateBlock.ATTENTION, 0);
    code.leaveAt(Exit.INTERPRET, asm.jumpIf(Assembler.NOT_EQUAL));
    asm.rr(4, 0x85, HostRegisters.BUDGET, HostRegisters.BUDGET);
    code.leaveAt(Exit.INTERPRET, asm.jumpIf(Assembler.EQUAL));
    asm.operateMemory(4, OR, BASE, StateBlock.SYSTEM_FLAGS, Flags.IF);
  }

  /** SWAPGS. */
  void swapGs() {
    asm.load(8, ADDRESS, BASE, StateBlock.GS_BASE);
    asm.load(8, VALUE, BASE, StateBlock.KERNEL_GS_BASE);
    asm.store(8, VALUE, BASE, StateBlock.GS_BASE);
    asm.store(8, ADDRESS, BASE, StateBlock.KERNEL_GS_BASE);
  }

  /** The image of RFLAGS that PUSHF pushes, into a temporary place. */
  void flagsImage() {
    code.requireSaved();
    asm.rm(0, 4, 0x0FB6, VALUE, BASE, StateBlock.FLAGS, false);
    code.clobberHost();
    asm.shift(4, 4, VALUE, 11);
    asm.rm(0, 4, 0x0FB6, ADDRESS, BASE, StateBlock.FLAGS_HIGH, false);
    asm.operate(4, AND, ADDRESS, 0xD5);
    asm.rr(4, 0x0B, VALUE, ADDRESS);
    asm.load(4, ADDRESS, BASE, StateBlock.SYSTEM_FLAGS);
    asm.operate(4, AND, ADDRESS, PUSHED);
    asm.rr(4, 0x0B, VALUE, ADDRESS);
    asm.store(8, VALUE, BASE, StateBlock.TEMPORARY);
  }

  /** MOV from a segment register. */
  void moveFromSegment(Instruction in) {
    int selector = StateBlock.SELECTORS + 4 * in.extension();
    if (in.isMemory) {
      code.address(in);
      code.access(2, true, 1);
      asm.load(4, VALUE, BASE, selector);
      asm.store(2, VALUE, ADDRESS, 0);
      return;
    }
    code.aboutToWrite(in.rm);
    if (in.operandSize == 2) {
      int host = code.value(in.rm, VALUE);
      asm.rm(2, 0x8B, host, BASE, selector);
    } else {
      asm.load(4, code.destination(in.rm, VALUE), BASE, selector);
    }
    code.changed(in.rm, VALUE);
  }

  /** LFENCE, MFENCE, SFENCE. */
  void fence(Instruction in) {
    asm.byte8(0x0F);
    asm.byte8(0xAE);
    asm.byte8(in.modrm & 0xF8); // ModRM.rm says nothing
  }
}

package io.vmm4j.software.machinecode;

import static io.vmm4j.software.machinecode.HostRegisters.ADDRESS;
import static io.vmm4j.software.machinecode.HostRegisters.BASE;
import static io.vmm4j.software.machinecode.HostRegisters.VALUE;

import io.vmm4j.software.cpu.Flags;
import io.vmm4j.software.cpu.Instruction;
import io.vmm4j.software.translate.Effects;

/**
 * Emits shifts, rotates and bit instructions. Flags that the manuals leave undefined become what
 * the interpreter gives, whatever the host does, unless nobody reads them.
 */
final class ShiftEmitter {
  private static final int ROTATE_OR_CARRY = 4;
  private static final int ZERO_FLAG = 6;
  private static final int CARRY_FLAG = 0;
  private static final int AND = 4;

  private final BlockCode code;
  private final Assembler asm;

  ShiftEmitter(BlockCode code) {
    this.code = code;
    this.asm = code.asm;
  }

  /** Groups C0, C1, D0 and D1. */
  void byConstant(Instruction in, int liveAfter) {
    int size = in.operandSize;
    int operation = in.extension();
    int count = Effects.shiftCount(in);
    boolean rotates = operation < ROTATE_OR_CARRY;
    if (in.isMemory) {
      code.address(in);
      code.access(size, true, 1);
      asm.rm(0, size, size == 1 ? 0xC0 : 0xC1, operation, ADDRESS, 0, false);
      asm.byte8(count);
      code.flagsWrittenButAuxiliary(liveAfter);
      return;
    }
    if (count == 0) {
      code.aboutToWrite(in.rm);
      int host = code.value(in.rm, VALUE);
      if (size == 4) {
        asm.move(4, host, host);
        code.changed(in.rm, VALUE);
      }
      return;
    }
    if (rotates) {
      int kept = liveAfter & ~(Flags.CF | Flags.OF);
      if (kept != 0) {
        code.requireExactHost();
      } else if (operation >= 2) {
        code.requireCarry();
      }
    }
    int host = code.value(in.rm, VALUE);
    asm.shift(size, operation, host, count);
    code.changed(in.rm, VALUE);
    if (rotates) {
      code.flagsWritten(liveAfter, null);
    } else {
      code.flagsWrittenButAuxiliary(liveAfter);
    }
  }

  /** Shifts by CL, SHLD and SHRD too: the flags stay where the count is zero. */
  void byCount(Instruction in, int liveAfter) {
    int size = in.operandSize;
    boolean doubles = in.opcode >= 0x100;
    if (liveAfter != 0) {
      code.requireSaved();
    }
    code.clobberHost();
    code.aboutToWrite(in.rm);
    int host = code.value(in.rm, VALUE);
    if (liveAfter != 0) {
      asm.store(4, Assembler.RCX, BASE, StateBlock.TEMPORARY);
    }
    if (doubles) {
      asm.rr(size, 0x0F00 | in.opcode & 0xFF, code.value(in.reg, ADDRESS), host);
    } else {
      asm.rr(0, size, size == 1 ? 0xD2 : 0xD3, in.extension(), host, size == 1 ? 2 : 0);
    }
    code.changed(in.rm, VALUE);
    if (liveAfter == 0) {
      code.flagsWritten(0, null);
      return;
    }
    asm.move(8, ADDRESS, Assembler.RAX);
    asm.byte8(0x9F);
    asm.rr(0, 1, 0x0F90, 0, Assembler.RAX, 0);
    asm.rr(0, 1, 0x80, 4, Assembler.HIGH + 4, 2); // AND AH, ~AF
    asm.byte8(~0x10);
    asm.rm(0, 1, 0xF6, 0, BASE, StateBlock.TEMPORARY, false);
    asm.byte8(size == 8 ? 63 : 31);
    asm.rm(2, 0x0F44, Assembler.RAX, BASE, StateBlock.FLAGS); // CMOVE
    asm.store(2, Assembler.RAX, BASE, StateBlock.FLAGS);
    asm.move(8, Assembler.RAX, ADDRESS);
    code.flagsInMemory();
  }

  /** SHLD and SHRD of registers by a constant. */
  void doubleByConstant(Instruction in, int liveAfter) {
    int size = in.operandSize;
    int host = code.value(in.rm, VALUE);
    int source = code.value(in.reg, ADDRESS);
    asm.rr(size, 0x0F00 | in.opcode & 0xFF, source, host);
    asm.byte8((int) in.imm);
    code.changed(in.rm, VALUE);
    code.flagsWrittenButAuxiliary(liveAfter);
  }

  /** BT, BTS, BTR and BTC; with memory by a constant. CF alone changes. */
  void bitTest(Instruction in, int liveAfter) {
    int size = in.operandSize;
    boolean immediate = in.opcode == 0x1BA;
    int operation = immediate ? in.extension() - 4 : in.opcode >> 3 & 3;
    boolean keeps = (liveAfter & ~Flags.CF) != 0;
    if (keeps) {
      code.requireSaved();
    }
    if (in.isMemory) {
      if (immediate) {
        code.address(in);
      } else {
        code.clobberHost();
        bitAddress(in, size);
      }
      code.access(size, operation != 0, in.lock ? size : 1);
      if (!immediate) {
        asm.move(4, VALUE, code.value(in.reg, VALUE));
        asm.operate(4, AND, VALUE, 8 * size - 1);
      }
      if (in.lock) {
        asm.byte8(0xF0);
      }
      if (immediate) {
        asm.rm(size, 0x0FBA, 4 + operation, ADDRESS, 0);
        asm.byte8((int) in.imm & 8 * size - 1);
      } else {
        asm.rm(size, 0x0FA3 | operation << 3, VALUE, ADDRESS, 0);
      }
    } else {
      if (operation != 0) {
        code.aboutToWrite(in.rm);
      }
      int host = code.value(in.rm, VALUE);
      if (immediate) {
        asm.rr(size, 0x0FBA, 4 + operation, host);
        asm.byte8((int) in.imm & 8 * size - 1);
      } else {
        asm.rr(size, 0x0FA3 | operation << 3, code.value(in.reg, ADDRESS), host);
      }
      if (operation != 0) {
        code.changed(in.rm, VALUE);
      }
    }
    if (keeps) {
      asm.rr(0, 1, 0x0F92, 0, VALUE, 2);
      asm.zeroExtendByte(VALUE);
      code.replaceSaved(CARRY_FLAG);
    } else {
      code.flagsWritten(liveAfter, null);
    }
  }

  /** The linear address of the operand that holds a bit, which lies any distance away. */
  private void bitAddress(Instruction in, int size) {
    code.effectiveAddress(in, in.addressSize, ADDRESS);
    int index = code.value(in.reg, VALUE);
    if (size == 4) {
      asm.rr(8, 0x63, VALUE, index); // MOVSXD
    } else if (index != VALUE) {
      asm.move(8, VALUE, index);
    }
    asm.shift(8, 7, VALUE, size == 4 ? 5 : 6);
    asm.rmx(in.addressSize, 0x8D, ADDRESS, ADDRESS, VALUE, size == 4 ? 2 : 3, 0);
    code.segment(in.segment);
  }

  /** BSF and BSR: ZF alone changes, and the destination stays where the source is zero. */
  void bitScan(Instruction in, int liveAfter) {
    int size = in.operandSize;
    code.requireSaved();
    code.aboutToWrite(in.reg);
    if (in.isMemory) {
      code.address(in);
      code.access(size, false, 1);
    } else {
      code.clobberHost();
    }
    int host = code.value(in.reg, VALUE);
    int opcode = 0x0F00 | in.opcode & 0xFF;
    if (in.isMemory) {
      asm.rm(size, opcode, host, ADDRESS, 0);
    } else {
      asm.rr(size, opcode, host, code.value(in.rm, ADDRESS));
    }
    code.changed(in.reg, VALUE);
    if (liveAfter == 0) {
      code.flagsWritten(0, null);
      return;
    }
    asm.rr(0, 1, 0x0F94, 0, VALUE, 2);
    asm.zeroExtendByte(VALUE);
    code.replaceSaved(ZERO_FLAG);
  }

  /** POPCNT: every flag is defined. */
  void populationCount(Instruction in, int liveAfter) {
    int size = in.operandSize;
    if (in.isMemory) {
      code.address(in);
      code.access(size, false, 1);
    }
    int host = size == 2 ? code.value(in.reg, VALUE) : code.destination(in.reg, VALUE);
    if (in.isMemory) {
      asm.rm(0xF3, size, 0x0FB8, host, ADDRESS, 0, false);
    } else {
      asm.rr(0xF3, size, 0x0FB8, host, code.value(in.rm, ADDRESS), 0);
    }
    code.changed(in.reg, VALUE);
    code.flagsWritten(liveAfter, null);
  }
}

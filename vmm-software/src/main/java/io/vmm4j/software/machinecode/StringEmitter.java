package io.vmm4j.software.machinecode;

import static io.vmm4j.software.machinecode.HostRegisters.ADDRESS;
import static io.vmm4j.software.machinecode.HostRegisters.BASE;
import static io.vmm4j.software.machinecode.HostRegisters.VALUE;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Flags;
import io.vmm4j.software.cpu.Instruction;

/**
 * Emits MOVS, STOS and LODS, upwards. A repeated one is the host's own where source and destination
 * lie within a page each; any other is for the interpreter, as is the downward direction.
 */
final class StringEmitter {
  private static final int PAGE_BYTES = 0x1000;
  private static final int CMP = 7;

  private final BlockCode code;
  private final Assembler asm;

  StringEmitter(BlockCode code) {
    this.code = code;
    this.asm = code.asm;
  }

  void emit(Instruction in) {
    code.aboutToWrite(Cpu.RSI);
    code.aboutToWrite(Cpu.RDI);
    code.aboutToWrite(Cpu.RAX);
    code.aboutToWrite(Cpu.RCX);
    code.clobberHost();
    asm.rm(0, 4, 0xF7, 0, BASE, StateBlock.SYSTEM_FLAGS, false);
    asm.immediate(4, Flags.DF);
    code.leaveAt(Exit.INTERPRET, asm.jumpIf(Assembler.NOT_EQUAL));
    boolean moves = (in.opcode & 0xFE) == 0xA4;
    if (in.repeat != 0) {
      repeat(in, moves);
    } else if (moves) {
      moveOne(in);
    } else if ((in.opcode & 0xFE) == 0xAA) {
      storeOne(in);
    } else {
      loadOne(in);
    }
  }

  private void point(int register) {
    asm.move(code.pointerSize(), ADDRESS, register);
  }

  private void advance(int register, int bytes) {
    asm.lea(code.pointerSize(), register, register, bytes);
  }

  private void moveOne(Instruction in) {
    int size = in.operandSize;
    point(Assembler.RSI);
    code.access(size, false, 1);
    asm.rm(size, size == 1 ? 0x8A : 0x8B, VALUE, ADDRESS, 0);
    asm.store(8, VALUE, BASE, StateBlock.TEMPORARY);
    point(Assembler.RDI);
    code.access(size, true, 1);
    asm.load(8, VALUE, BASE, StateBlock.TEMPORARY);
    asm.store(size, VALUE, ADDRESS, 0);
    advance(Assembler.RSI, size);
    advance(Assembler.RDI, size);
  }

  private void storeOne(Instruction in) {
    int size = in.operandSize;
    point(Assembler.RDI);
    code.access(size, true, 1);
    asm.store(size, Assembler.RAX, ADDRESS, 0);
    advance(Assembler.RDI, size);
  }

  private void loadOne(Instruction in) {
    int size = in.operandSize;
    point(Assembler.RSI);
    code.access(size, false, 1);
    asm.rm(size, size == 1 ? 0x8A : 0x8B, Assembler.RAX, ADDRESS, 0);
    advance(Assembler.RSI, size);
  }

  /**
   * The host's own repeated instruction. Its pointers are the host's while it runs; the guest's are
   * what they were and the distance they have moved.
   */
  private void repeat(Instruction in, boolean moves) {
    int size = in.operandSize;
    int pointer = code.pointerSize();
    asm.operate(pointer, CMP, Assembler.RCX, PAGE_BYTES / size);
    code.leaveAt(Exit.INTERPRET, asm.jumpIf(Assembler.ABOVE));
    if (moves) {
      point(Assembler.RSI);
      code.accessCounted(size, false);
      asm.store(8, ADDRESS, BASE, StateBlock.SECOND_TEMPORARY);
    }
    point(Assembler.RDI);
    code.accessCounted(size, true);
    asm.store(8, Assembler.RDI, BASE, StateBlock.TEMPORARY);
    asm.move(8, Assembler.RDI, ADDRESS);
    if (moves) {
      asm.store(8, Assembler.RSI, BASE, StateBlock.THIRD_TEMPORARY);
      asm.load(8, Assembler.RSI, BASE, StateBlock.SECOND_TEMPORARY);
    }
    asm.byte8(0xF3);
    if (size == 2) {
      asm.byte8(0x66);
    } else if (size == 8) {
      asm.byte8(0x48);
    }
    asm.byte8(in.opcode);
    asm.rr(8, 0x2B, Assembler.RDI, ADDRESS);
    if (moves) {
      asm.move(8, Assembler.RSI, Assembler.RDI);
      add(pointer, Assembler.RSI, StateBlock.THIRD_TEMPORARY);
    }
    add(pointer, Assembler.RDI, StateBlock.TEMPORARY);
  }

  private void add(int size, int to, int offset) {
    asm.rm(size, 0x03, to, BASE, offset);
  }
}

package io.vmm4j.software.machinecode;

import static io.vmm4j.software.machinecode.HostRegisters.ADDRESS;
import static io.vmm4j.software.machinecode.HostRegisters.VALUE;

import io.vmm4j.software.cpu.Instruction;
import io.vmm4j.software.cpu.Mnemonic;
import io.vmm4j.software.cpu.OperandPlace;
import io.vmm4j.software.translate.VexEffects;

/** Emits BMI1 and BMI2, LZCNT, MOVBE and CRC32. */
final class BitEmitter {
  private static final int CRC32_BYTE = 0x2F0;

  private final BlockCode code;
  private final Assembler asm;

  BitEmitter(BlockCode code) {
    this.code = code;
    this.asm = code.asm;
  }

  /** Those with VEX. */
  void vex(Instruction in, int liveAfter) {
    int size = in.rexW ? 8 : 4;
    boolean multiplies = in.mnemonic == Mnemonic.MULX;
    boolean first = in.form.first == OperandPlace.VEX_REGISTER;
    boolean flags = VexEffects.writesFlags(in.form);
    int destination = first ? in.vexRegister : in.reg;
    if (!flags) {
      code.aboutToWrite(destination);
      if (multiplies) {
        code.aboutToWrite(in.vexRegister);
      }
    }
    if (in.isMemory) {
      code.address(in);
      code.access(size, false, 1);
    }
    int source = in.isMemory ? ADDRESS : code.value(in.rm, ADDRESS);
    int host = code.destination(destination, VALUE);
    int reg = first ? in.extension() : host;
    int other;
    if (first) {
      other = host;
    } else if (multiplies) {
      other = code.destination(in.vexRegister, ADDRESS);
    } else {
      boolean named = in.form.hasOperand(OperandPlace.VEX_REGISTER);
      other = named ? code.value(in.vexRegister, VALUE) : 0;
    }
    Assembler.Vex vex = VexEmitter.vex(in, other);
    if (in.isMemory) {
      asm.vexMemory(vex, reg, source, 0);
    } else {
      asm.vexRegisters(vex, reg, source);
    }
    if (in.form.hasImmediateByte()) {
      asm.byte8((int) in.imm);
    }
    if (multiplies) {
      code.changed(in.vexRegister, ADDRESS);
    }
    code.changed(destination, VALUE);
    if (flags) {
      flags(in, size, host, liveAfter);
    }
  }

  /** The flags that the manual leaves undefined are those of the result, AF clear. */
  private void flags(Instruction in, int size, int result, int liveAfter) {
    if (liveAfter == 0) {
      code.flagsWritten(0, null);
      return;
    }
    switch (in.mnemonic) {
      case Mnemonic.ANDN, Mnemonic.BEXTR -> {
        asm.rr(size, 0x85, result, result);
        code.flagsWrittenButAuxiliary(liveAfter);
      }
      default -> code.saveFromResult(result, size, false);
    }
  }

  /** TZCNT and LZCNT. */
  void count(Instruction in, int liveAfter) {
    int size = in.operandSize;
    if (in.isMemory) {
      code.address(in);
      code.access(size, false, 1);
    }
    int host = size == 2 ? code.value(in.reg, VALUE) : code.destination(in.reg, VALUE);
    int opcode = 0x0F00 | in.opcode & 0xFF;
    if (in.isMemory) {
      asm.rm(0xF3, size, opcode, host, ADDRESS, 0, false);
    } else {
      asm.rr(0xF3, size, opcode, host, code.value(in.rm, ADDRESS), 0);
    }
    code.changed(in.reg, VALUE);
    flags(in, size, host, liveAfter);
  }

  /** MOVBE and CRC32, which leave the flags. */
  void emit(Instruction in) {
    boolean store = in.form.first == OperandPlace.RM;
    int bytes = in.form.operandBytes(in);
    if (!store) {
      code.aboutToWrite(in.reg);
    }
    if (in.isMemory) {
      code.address(in);
      code.access(bytes, store, 1);
    }
    int host = code.value(in.reg, VALUE);
    int opcode = 0x0F3800 | in.opcode & 0xFF;
    if (in.mnemonic == Mnemonic.MOVBE) {
      asm.rm(0, in.operandSize, opcode, host, ADDRESS, 0, false);
    } else {
      int size = in.opcode == CRC32_BYTE ? in.rexW ? 8 : 4 : in.operandSize;
      if (in.isMemory) {
        asm.rm(0xF2, size, opcode, host, ADDRESS, 0, false);
      } else {
        int source = code.value(in.rm, ADDRESS);
        asm.rr(0xF2, size, opcode, host, source, in.opcode == CRC32_BYTE ? 2 : 0);
      }
    }
    if (!store) {
      code.changed(in.reg, VALUE);
    }
  }
}

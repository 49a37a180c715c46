package io.vmm4j.software.machinecode;

import static io.vmm4j.software.machinecode.HostRegisters.ADDRESS;
import static io.vmm4j.software.machinecode.HostRegisters.VALUE;

import io.vmm4j.software.cpu.Instruction;
import io.vmm4j.software.cpu.InstructionForm;
import io.vmm4j.software.cpu.Mnemonic;
import io.vmm4j.software.cpu.OperandPlace;
import io.vmm4j.software.translate.VexEffects;

/**
 * Emits vector instructions with VEX: the same ones, for the guest's YMM registers are the host's.
 * For MXCSR see {@link VectorEmitter}.
 */
final class VexEmitter {
  private final BlockCode code;
  private final Assembler asm;

  VexEmitter(BlockCode code) {
    this.code = code;
    this.asm = code.asm;
  }

  /** The prefix and opcode of an instruction, with a register in vvvv. */
  static Assembler.Vex vex(Instruction in, int register) {
    InstructionForm form = in.form;
    return new Assembler.Vex(
        in.opcode >> 8,
        in.mandatoryPrefix,
        in.opcode & 0xFF,
        form.vexW(in),
        form.vexL(in),
        register);
  }

  void emit(Instruction in, int liveAfter) {
    InstructionForm form = in.form;
    if (form.first == OperandPlace.NONE) {
      asm.vexZero(in.vexL);
      return;
    }
    boolean store = VexEffects.isStore(form);
    boolean generalReg = form.hasOperand(OperandPlace.REG);
    boolean generalRm = form.hasOperand(OperandPlace.RM) && !in.isMemory;
    if (generalReg) {
      code.aboutToWrite(in.reg);
    }
    if (generalRm && store) {
      code.aboutToWrite(in.rm);
    }
    int reg = in.reg;
    if (form.first == OperandPlace.VEX_XMM) {
      reg = in.extension();
    } else if (generalReg) {
      reg = code.destination(in.reg, VALUE);
    }
    Assembler.Vex vex = vex(in, form.hasOperand(OperandPlace.VEX_XMM) ? in.vexRegister : 0);
    if (in.isMemory) {
      code.address(in);
      code.access(form.operandBytes(in), store, VexEffects.alignment(in));
      asm.vexMemory(vex, reg, ADDRESS, 0);
    } else {
      int rm = in.rm;
      if (generalRm) {
        rm = store ? code.destination(in.rm, VALUE) : code.value(in.rm, VALUE);
      }
      asm.vexRegisters(vex, reg, rm);
    }
    if (form.hasImmediateByte()) {
      asm.byte8(immediate(in));
    }
    if (generalReg) {
      code.changed(in.reg, VALUE);
    }
    if (generalRm && store) {
      code.changed(in.rm, VALUE);
    }
    if (VexEffects.writesFlags(form)) {
      code.flagsWritten(liveAfter, null);
    }
  }

  /** The immediate; where it names a register, that is one of eight in 32-bit code. */
  private static int immediate(Instruction in) {
    boolean register =
        switch (in.mnemonic) {
          case Mnemonic.BLENDVPS, Mnemonic.BLENDVPD, Mnemonic.PBLENDVB -> true;
          default -> false;
        };
    return register && in.codeSize != 8 ? (int) in.imm & 0x7F : (int) in.imm;
  }
}

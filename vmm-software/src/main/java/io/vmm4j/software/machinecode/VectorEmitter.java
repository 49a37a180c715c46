package io.vmm4j.software.machinecode;

import static io.vmm4j.software.machinecode.HostRegisters.ADDRESS;
import static io.vmm4j.software.machinecode.HostRegisters.VALUE;

import io.vmm4j.software.cpu.Instruction;
import io.vmm4j.software.translate.VectorEffects;

/**
 * Emits SSE instructions: the same ones, for the guest's XMM registers are the host's. MXCSR is the
 * guest's, with every exception masked: where one is not, no machine code runs.
 */
final class VectorEmitter {
  private static final int[] PREFIXES = {0, 0x66, 0xF3, 0xF2};

  private final BlockCode code;
  private final Assembler asm;

  VectorEmitter(BlockCode code) {
    this.code = code;
    this.asm = code.asm;
  }

  private static int opcode(Instruction in) {
    int low = in.opcode & 0xFF;
    return switch (in.opcode >> 8) {
      case 1 -> 0x0F00 | low;
      case 2 -> 0x0F3800 | low;
      default -> 0x0F3A00 | low;
    };
  }

  void emit(Instruction in, int liveAfter) {
    int form = VectorEffects.form(in);
    int prefix = PREFIXES[in.mandatoryPrefix];
    int size = in.rexW ? 8 : 4;
    boolean generalReg = VectorEffects.hasGeneralReg(form);
    boolean generalRm = VectorEffects.hasGeneralRm(form);
    boolean store = VectorEffects.isStore(form);
    boolean flags = VectorEffects.writesFlags(form);
    if (generalReg && !flags) {
      code.aboutToWrite(in.reg);
    }
    if (generalRm && store && !in.isMemory) {
      code.aboutToWrite(in.rm);
    }
    if (in.isMemory) {
      code.address(in);
      code.access(VectorEffects.bytes(form), store, VectorEffects.isAligned(form) ? 16 : 1);
    }
    int reg = generalReg ? code.destination(in.reg, VALUE) : in.reg;
    if (in.isMemory) {
      asm.rm(prefix, size, opcode(in), reg, ADDRESS, 0, false);
    } else {
      int rm = in.rm;
      if (generalRm) {
        rm = store ? code.destination(in.rm, VALUE) : code.value(in.rm, VALUE);
      }
      asm.rr(prefix, size, opcode(in), reg, rm, 0);
    }
    if (VectorEffects.hasImmediate(form)) {
      asm.byte8((int) in.imm);
    }
    if (generalReg) {
      code.changed(in.reg, VALUE);
    }
    if (generalRm && store && !in.isMemory) {
      code.changed(in.rm, VALUE);
    }
    if (flags) {
      code.flagsWritten(liveAfter, null);
    }
  }
}

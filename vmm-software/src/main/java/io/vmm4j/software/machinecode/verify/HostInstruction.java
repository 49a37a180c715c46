package io.vmm4j.software.machinecode.verify;

import io.vmm4j.software.machinecode.verify.HostForm.Operand;

/** An instruction that was decoded. The decoder fills the same one again and again. */
final class HostInstruction {
  /** No base or index register. */
  static final int NONE = -1;

  /** The instruction pointer as base. */
  static final int RIP = -2;

  HostForm form = HostForms.NOTHING;
  int offset;
  int length;

  /** Bytes of an operand whose size is the operand size. */
  int operandSize;

  boolean wide;

  /** Whether VEX is there, and its L. */
  boolean vex;

  boolean vexL;

  /** The register in VEX.vvvv. */
  int vexRegister;

  boolean rex;
  boolean lock;

  /** The numbers in ModRM and the opcode, extended by REX. */
  int reg;

  int rm;
  int low;

  /** The opcode's low four bits: a condition where there is one. */
  int condition;

  boolean memory;
  int base;
  int index;
  int scale;
  int displacement;
  long immediate;

  /** The bytes of a size as tables write it. */
  int bytes(char size) {
    return switch (size) {
      case 'b' -> 1;
      case 'w' -> 2;
      case 'd' -> 4;
      case 'q' -> 8;
      case 'v' -> operandSize;
      case 'y' -> wide ? 8 : 4;
      case 'z' -> Math.min(4, operandSize);
      case 'x', 'a' -> vexL ? 32 : 16;
      case 'h' -> vexL ? 16 : 8;
      case 'f' -> vexL ? 8 : 4;
      case 'e' -> vexL ? 4 : 2;
      case 'u' -> vexL ? 32 : 8;
      case 'o' -> 16;
      case '2' -> wide ? 16 : 8;
      default -> 0;
    };
  }

  /**
   * The bytes of the general registers that it works with; REX.W makes no byte instruction wider.
   */
  int width() {
    Operand operand = form.reg() != null ? form.reg() : form.rm();
    return operand == null || operand.vector() ? 0 : bytes(operand.size());
  }

  /** The general register that a number says, where AH to BH are the register they are part of. */
  int general(int number, Operand operand) {
    return operand.size() == 'b' && !rex && !vex && number >= 4 ? number - 4 : number;
  }

  /** Whether the operand of ModRM.rm is this register. */
  boolean rmIs(int register) {
    return !memory && rm == register && form.rm() != null && !isHigh(rm, form.rm());
  }

  /** Whether the operand of ModRM.reg is this register. */
  boolean regIs(int register) {
    return form.reg() != null && reg == register && !isHigh(reg, form.reg());
  }

  private boolean isHigh(int number, Operand operand) {
    return operand.vector() || general(number, operand) != number;
  }

  /** Whether the operand is memory at a register plus displacement. */
  boolean isAt(int register) {
    return memory && base == register && index == NONE;
  }

  /** Whether the operand is memory at a register plus another plus displacement. */
  boolean isAt(int register, int other) {
    return memory && base == register && index == other && scale == 0;
  }
}

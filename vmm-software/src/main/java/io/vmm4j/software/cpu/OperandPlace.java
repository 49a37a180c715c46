package io.vmm4j.software.cpu;

/**
 * Where an operand is, with the letters of the manual (Intel SDM volume 2, appendix A.2.1) and of
 * {@link InstructionRows}.
 */
public enum OperandPlace {
  /** No such operand. */
  NONE,

  /** E, M, R: memory or the general register in ModRM.rm. */
  RM,

  /** G: the general register in ModRM.reg. */
  REG,

  /** Z: the general register in the low bits of the opcode. */
  OPCODE_REGISTER,

  /** B: the general register in VEX.vvvv. */
  VEX_REGISTER,

  /** H: the XMM or YMM register in VEX.vvvv. */
  VEX_XMM,

  /** L: the XMM or YMM register in the high bits of the immediate byte. */
  IMMEDIATE_XMM,

  /** AL, AX, rAX. */
  ACCUMULATOR,

  /** CL. */
  CL,

  /** DX. */
  DX,

  /** The number 1. */
  ONE,

  /** I: an immediate. */
  IMMEDIATE,

  /** J: a displacement from the next instruction. */
  RELATIVE,

  /** O: memory at an offset that is in the instruction. */
  OFFSET,

  /** A: a far pointer that is in the instruction. */
  FAR_POINTER,

  /** X: memory at DS:rSI, where no other segment is given. */
  STRING_SOURCE,

  /** Y: memory at ES:rDI. */
  STRING_DESTINATION,

  /** ES, CS, SS, DS, FS, GS: {@link InstructionForm#segment}. */
  FIXED_SEGMENT,

  /** S: the segment register in ModRM.reg. */
  SEGMENT_REGISTER,

  /** C: the control register in ModRM.reg. */
  CONTROL_REGISTER,

  /** D: the debug register in ModRM.reg. */
  DEBUG_REGISTER,

  /** ST(0). */
  ST0,

  /** ST(i), i in ModRM.rm. */
  STI,

  /** V: the XMM or YMM register in ModRM.reg. */
  XMM_REG,

  /** W, U: memory or the XMM or YMM register in ModRM.rm. */
  XMM_RM,

  /** P: the MMX register in ModRM.reg. */
  MMX_REG,

  /** Q, N: memory or the MMX register in ModRM.rm. */
  MMX_RM;

  /** The place of an operand that a row gives by name. */
  static OperandPlace byName(String operand) {
    return switch (operand) {
      case "AL", "AX", "rAX" -> ACCUMULATOR;
      case "CL" -> CL;
      case "DX" -> DX;
      case "1" -> ONE;
      case "ST0" -> ST0;
      case "STi" -> STI;
      case "ES", "CS", "SS", "DS", "FS", "GS" -> FIXED_SEGMENT;
      default -> throw new IllegalStateException("no such operand: " + operand);
    };
  }

  /** The place of an operand that a row gives by letter. */
  static OperandPlace byLetter(char letter) {
    return switch (letter) {
      case 'E', 'M', 'R' -> RM;
      case 'G' -> REG;
      case 'Z' -> OPCODE_REGISTER;
      case 'B' -> VEX_REGISTER;
      case 'H' -> VEX_XMM;
      case 'L' -> IMMEDIATE_XMM;
      case 'I' -> IMMEDIATE;
      case 'J' -> RELATIVE;
      case 'O' -> OFFSET;
      case 'A' -> FAR_POINTER;
      case 'X' -> STRING_SOURCE;
      case 'Y' -> STRING_DESTINATION;
      case 'S' -> SEGMENT_REGISTER;
      case 'C' -> CONTROL_REGISTER;
      case 'D' -> DEBUG_REGISTER;
      case 'V' -> XMM_REG;
      case 'W', 'U' -> XMM_RM;
      case 'P' -> MMX_REG;
      case 'Q', 'N' -> MMX_RM;
      default -> throw new IllegalStateException("no such operand: " + letter);
    };
  }

  /** Whether it is given by a ModRM byte. */
  boolean isInModrm() {
    return switch (this) {
      case RM, REG, SEGMENT_REGISTER, CONTROL_REGISTER, DEBUG_REGISTER -> true;
      case XMM_REG, XMM_RM, MMX_REG, MMX_RM -> true;
      default -> false;
    };
  }

  /** Whether it is the register in VEX.vvvv. */
  boolean isInVex() {
    return this == VEX_REGISTER || this == VEX_XMM;
  }

  boolean isMmx() {
    return this == MMX_REG || this == MMX_RM;
  }

  /** Whether it is memory that is not given by ModRM. */
  boolean isImplicitMemory() {
    return this == OFFSET || this == STRING_SOURCE || this == STRING_DESTINATION;
  }
}

package io.vmm4j.engine.software.cpu;

/**
 * A decoded instruction: everything its execution needs, so that bytes are looked at once. Fields
 * are plain because the interpreter reads several of them for each instruction executed.
 */
public final class Instruction {
  /** The value of {@link #base} and {@link #index} for "none": a register that is always zero. */
  public static final int NO_REGISTER = 16;

  /** The value of {@link #base} for RIP-relative addresses: holds the block's first RIP. */
  public static final int BLOCK_RIP = 17;

  /** No mandatory prefix. */
  public static final int PREFIX_NONE = 0;

  /** 66 is the mandatory prefix. */
  public static final int PREFIX_66 = 1;

  /** F3 is the mandatory prefix. */
  public static final int PREFIX_F3 = 2;

  /** F2 is the mandatory prefix. */
  public static final int PREFIX_F2 = 3;

  /** What the interpreter dispatches on: see {@link Op}. */
  public int op;

  /** Whether the manual says #UD: not an instruction that is missing here. */
  public boolean illegal;

  /** The opcode: map (0 one byte, 1 0F, 2 0F38, 3 0F3A) in bits 8-9, the byte in bits 0-7. */
  public int opcode;

  /** The mandatory prefix: F2 and F3 win over 66. */
  public int mandatoryPrefix;

  /** Whether 66 was present, whatever else was. */
  public boolean operandPrefix;

  /** The repeat prefix: 0 none, 0xF3, 0xF2: the last one present. */
  public int repeat;

  /** Whether LOCK was present. */
  public boolean lock;

  /** Whether VEX was present, whose W is {@link #rexW}. */
  public boolean vex;

  /** VEX.vvvv, 0 to 15. */
  public int vexRegister;

  /** Whether any REX was present: SPL, BPL, SIL, DIL instead of AH, CH, DH, BH. */
  public boolean rex;

  /** The REX.W bit. */
  public boolean rexW;

  /** The ModRM byte, or 0. */
  public int modrm;

  /** ModRM.reg with REX.R, 0 to 15; {@code (modrm >> 3) & 7} is the opcode extension. */
  public int reg;

  /** ModRM.rm with REX.B, or the register in the opcode's low bits with REX.B, 0 to 15. */
  public int rm;

  /** Whether the ModRM operand is in memory. */
  public boolean isMemory;

  /** The operand size in bytes: 1, 2, 4 or 8, after prefixes and defaults. */
  public int operandSize;

  /** The address size in bytes: 2, 4 or 8. */
  public int addressSize;

  /** The code size in bytes the instruction was decoded for: 2, 4 or 8. */
  public int codeSize;

  /** The base register, {@link #NO_REGISTER} or {@link #BLOCK_RIP}. */
  public int base = NO_REGISTER;

  /** The index register or {@link #NO_REGISTER}. */
  public int index = NO_REGISTER;

  /** The index is shifted left by so much, 0 to 3. */
  public int scale;

  /** The displacement, sign-extended; with {@link #BLOCK_RIP} from the block's first RIP. */
  public long displacement;

  /** What the sum is masked with: 0xFFFF, 0xFFFFFFFF or all ones. */
  public long addressMask = -1;

  /** The segment of the memory operand, {@link Cpu#ES} to {@link Cpu#GS}, overrides applied. */
  public int segment = Cpu.DS;

  /** The segment override, or -1. */
  public int segmentOverride = -1;

  /**
   * The immediate, sign-extended to 64 bits; a branch's displacement; a far pointer's offset; a
   * moffs address.
   */
  public long imm;

  /** The second immediate: a far pointer's selector, ENTER's level. */
  public int imm2;

  /** The length in bytes, 1 to 15. */
  public int length;

  /** Where it begins, in bytes from the beginning of its block. */
  public int offset;

  /** The opcode extension: ModRM bits 3 to 5. */
  public int extension() {
    return (modrm >> 3) & 7;
  }

  /** Whether {@link #reg} and {@link #rm} are not as encoded, but exchanged for the interpreter. */
  public boolean isSwapped() {
    if (op <= Op.VECTOR || isMemory) {
      return false;
    }
    return switch (opcode) {
      case 0x01, 0x09, 0x11, 0x21, 0x29, 0x31, 0x39, 0x89 -> true;
      default -> false;
    };
  }

  /** Whether it reads or writes XMM registers or MXCSR. */
  public boolean usesVectors() {
    return op == Op.VECTOR;
  }

  /** Whether it is an instruction at all: otherwise it is #UD. */
  public boolean exists() {
    return op != Op.UNDEFINED;
  }

  @Override
  public String toString() {
    return "op %d opcode %x modrm %x length %d".formatted(op, opcode, modrm, length);
  }
}

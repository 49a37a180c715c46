package io.vmm4j.software.cpu;

/**
 * A decoded instruction: everything its execution needs, so that bytes are looked at once. It is
 * the architecture's alone: what an interpreter or a translator makes of it is kept elsewhere.
 * Fields are plain because executors read several of them for each instruction.
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

  /** Its row of the instruction table. */
  public final InstructionForm form;

  /** {@link InstructionForm#mnemonic}, at hand because executors dispatch on it. */
  public final int mnemonic;

  /** Whether the manual says #UD: not an instruction that is missing here. */
  public final boolean illegal;

  /** The opcode: map (0 one byte, 1 0F, 2 0F38, 3 0F3A) in bits 8-9, the byte in bits 0-7. */
  public final int opcode;

  /** The mandatory prefix: F2 and F3 win over 66. */
  public final int mandatoryPrefix;

  /** Whether 66 was present, whatever else was. */
  public final boolean operandPrefix;

  /** The repeat prefix: 0 none, 0xF3, 0xF2: the last one present. */
  public final int repeat;

  /** Whether LOCK was present. */
  public final boolean lock;

  /** Whether VEX was present, whose W is {@link #rexW} too. */
  public final boolean vex;

  /** VEX.L: 256 bits, where there are such. */
  public final boolean vexL;

  /** VEX.W, in every mode: {@link #rexW} is set in 64-bit mode only. */
  public final boolean vexW;

  /** VEX.vvvv, 0 to 15. */
  public final int vexRegister;

  /** Whether any REX was present: SPL, BPL, SIL, DIL instead of AH, CH, DH, BH. */
  public final boolean rex;

  /** The REX.W bit. */
  public final boolean rexW;

  /** The ModRM byte, or 0. */
  public final int modrm;

  /** ModRM.reg with REX.R, 0 to 15; {@code (modrm >> 3) & 7} is the opcode extension. */
  public final int reg;

  /** ModRM.rm with REX.B, or the register in the opcode's low bits with REX.B, 0 to 15. */
  public final int rm;

  /** Whether the ModRM operand is in memory. */
  public final boolean isMemory;

  /** The operand size in bytes: 1, 2, 4 or 8, after prefixes and defaults. */
  public final int operandSize;

  /** The address size in bytes: 2, 4 or 8. */
  public final int addressSize;

  /** The code size in bytes the instruction was decoded for: 2, 4 or 8. */
  public final int codeSize;

  /** The base register, {@link #NO_REGISTER} or {@link #BLOCK_RIP}. */
  public final int base;

  /** The index register or {@link #NO_REGISTER}. */
  public final int index;

  /** The index of SIB as a vector register, 0 to 15, which {@link #index} then is not; or -1. */
  public final int vectorIndex;

  /** The index is shifted left by so much, 0 to 3. */
  public final int scale;

  /** The displacement, sign-extended; with {@link #BLOCK_RIP} from the block's first RIP. */
  public final long displacement;

  /** What the sum is masked with: 0xFFFF, 0xFFFFFFFF or all ones. */
  public final long addressMask;

  /** The segment of the memory operand, {@link Cpu#ES} to {@link Cpu#GS}, overrides applied. */
  public final int segment;

  /** The segment override, or -1. */
  public final int segmentOverride;

  /**
   * The immediate, sign-extended to 64 bits; a branch's displacement; a far pointer's offset; a
   * moffs address.
   */
  public final long imm;

  /** The second immediate: a far pointer's selector, ENTER's level. */
  public final int imm2;

  /** The length in bytes, 1 to 15. */
  public final int length;

  /** Where it begins, in bytes from the beginning of its block. */
  public final int offset;

  Instruction(InstructionBuilder from, InstructionForm form) {
    this.form = form;
    this.mnemonic = form.mnemonic;
    this.illegal = from.illegal;
    this.opcode = from.opcode;
    this.mandatoryPrefix = from.mandatoryPrefix;
    this.operandPrefix = from.operandPrefix;
    this.repeat = from.repeat;
    this.lock = from.lock;
    this.vex = from.vex;
    this.vexL = from.vexL;
    this.vexW = from.vexW;
    this.vexRegister = from.vexRegister;
    this.rex = from.rex;
    this.rexW = from.rexW;
    this.modrm = from.modrm;
    this.reg = from.reg;
    this.rm = from.rm;
    this.isMemory = from.isMemory;
    this.operandSize = from.operandSize;
    this.addressSize = from.addressSize;
    this.codeSize = from.codeSize;
    this.base = from.base;
    this.index = from.index;
    this.vectorIndex = from.vectorIndex;
    this.scale = from.scale;
    this.displacement = from.displacement;
    this.addressMask = from.addressMask;
    this.segment = from.segment;
    this.segmentOverride = from.segmentOverride;
    this.imm = from.imm;
    this.imm2 = from.imm2;
    this.length = from.length;
    this.offset = from.offset;
  }

  /** The opcode extension: ModRM bits 3 to 5. */
  public int extension() {
    return (modrm >> 3) & 7;
  }

  /** Whether it reads or writes XMM registers or MXCSR. */
  public boolean usesVectors() {
    return switch (form.executor) {
      case STATE, SIMD_MOVE, SIMD_INTEGER, SIMD_FLOAT, SIMD_CONVERT, SIMD_38, SIMD_3A -> true;
      case AVX, AVX_PERMUTE, AVX_MASKED, F16C, FMA -> true;
      default -> false;
    };
  }

  /** Whether it is an instruction at all: otherwise it is #UD. */
  public boolean exists() {
    return form.executor != Executor.UNDEFINED;
  }

  /** The condition of Jcc, SETcc and CMOVcc, 0 to 15. */
  public int condition() {
    return opcode & 15;
  }

  /** Whether it accesses memory. */
  public boolean accessesMemory() {
    return form.accessesImplicitMemory || isMemory && form.accessesOperand;
  }

  /** Whether it may fault. */
  public boolean mayFault() {
    return form.mayFault || accessesMemory();
  }

  @Override
  public String toString() {
    return "%s opcode %x modrm %x length %d".formatted(form.name(), opcode, modrm, length);
  }
}

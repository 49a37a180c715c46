package io.vmm4j.software.translate;

import io.vmm4j.software.cpu.Flags;
import io.vmm4j.software.cpu.Instruction;

/**
 * The operands of the SSE to SSE4.2 instructions that machine code is made of (Intel SDM volume 2):
 * the size of a memory operand, whether it has to be aligned, whether it is written, and which
 * operands are general registers. What is missing here is left to the interpreter: MMX, the
 * approximations RCPPS and RSQRTPS, which differ between processors, and the state instructions.
 */
public final class VectorEffects {
  static final int VECTOR = 1 << 26;
  private static final int TRANSLATED = 1 << 25;
  private static final int MAY_EXIT = 1 << 24;
  private static final int WRITES_SHIFT = 12;
  private static final int INTERPRETED =
      MAY_EXIT | VECTOR | Flags.ARITHMETIC | Flags.ARITHMETIC << WRITES_SHIFT;

  /** In a form: the memory operand must lie at a multiple of 16. */
  private static final int ALIGNED = 1 << 8;

  /** In a form: the operand in ModRM.rm is the destination. */
  private static final int STORE = 1 << 9;

  /** In a form: ModRM.reg is a general register. */
  private static final int GENERAL_REG = 1 << 10;

  /** In a form: ModRM.rm is a general register, or memory. */
  private static final int GENERAL_RM = 1 << 11;

  /** In a form: an immediate byte follows. */
  private static final int IMMEDIATE = 1 << 12;

  /** In a form: all arithmetic flags are written. */
  private static final int FLAGS = 1 << 13;

  /** In a form: ModRM.reg is part of the opcode. */
  private static final int EXTENSION = 1 << 14;

  /** In a form: ECX is written. */
  private static final int WRITES_COUNT = 1 << 15;

  private static final int PACKED = 16 | ALIGNED;

  private static final int NONE = Instruction.PREFIX_NONE;
  private static final int P66 = Instruction.PREFIX_66;
  private static final int F3 = Instruction.PREFIX_F3;
  private static final int F2 = Instruction.PREFIX_F2;

  private VectorEffects() {}

  /** Whether effects are those of a vector instruction. */
  public static boolean isVector(int effects) {
    return (effects & VECTOR) != 0;
  }

  /** The bytes of a form's memory operand. */
  public static int bytes(int form) {
    return form & 0xFF;
  }

  /** Whether a form's memory operand has to be aligned. */
  public static boolean isAligned(int form) {
    return (form & ALIGNED) != 0;
  }

  /** Whether a form's destination is ModRM.rm. */
  public static boolean isStore(int form) {
    return (form & STORE) != 0;
  }

  /** Whether a form's ModRM.reg is a general register. */
  public static boolean hasGeneralReg(int form) {
    return (form & GENERAL_REG) != 0;
  }

  /** Whether a form's ModRM.rm is a general register where it is not memory. */
  public static boolean hasGeneralRm(int form) {
    return (form & GENERAL_RM) != 0;
  }

  /** Whether a form has an immediate. */
  public static boolean hasImmediate(int form) {
    return (form & IMMEDIATE) != 0;
  }

  /** Whether a form writes the arithmetic flags. */
  public static boolean writesFlags(int form) {
    return (form & FLAGS) != 0;
  }

  /** Whether a form writes ECX. */
  public static boolean writesCount(int form) {
    return (form & WRITES_COUNT) != 0;
  }

  static int of(Instruction in) {
    int form = form(in);
    if (form == 0) {
      return INTERPRETED;
    }
    int writes = writesFlags(form) ? Flags.ARITHMETIC << WRITES_SHIFT : 0;
    return VECTOR | TRANSLATED | (in.isMemory ? MAY_EXIT : 0) | writes;
  }

  /** The form of an instruction, or 0 if it is not translated. */
  public static int form(Instruction in) {
    int low = in.opcode & 0xFF;
    return switch (in.opcode >> 8) {
      case 1 -> low < 0x60 ? floats(in, low) : integers(in, low);
      case 2 -> in.mandatoryPrefix == P66 ? map38(low) : 0;
      case 3 -> in.mandatoryPrefix == P66 ? map3a(in, low) : 0;
      default -> 0;
    };
  }

  /** Packed without or with 66, one single with F3, one double with F2. */
  private static int arithmetic(int prefix) {
    return prefix <= P66 ? PACKED : prefix == F3 ? 4 : 8;
  }

  private static int only(boolean condition, int form) {
    return condition ? form : 0;
  }

  private static int floats(Instruction in, int low) {
    int prefix = in.mandatoryPrefix;
    boolean packed = prefix <= P66;
    boolean memory = in.isMemory;
    int wide = in.rexW ? 8 : 4;
    return switch (low) {
      case 0x10 -> packed ? 16 : arithmetic(prefix);
      case 0x11 -> STORE | (packed ? 16 : arithmetic(prefix));
      case 0x12, 0x16 ->
          prefix == NONE
              ? 8
              : prefix == P66 ? only(memory, 8) : prefix == F3 ? PACKED : only(low == 0x12, 8);
      case 0x13, 0x17 -> only(packed && memory, STORE | 8);
      case 0x14, 0x15, 0x28, 0x54, 0x55, 0x56, 0x57 -> only(packed, PACKED);
      case 0x29 -> only(packed, STORE | PACKED);
      case 0x2B -> only(packed && memory, STORE | PACKED);
      case 0x2A -> only(!packed, GENERAL_RM | wide);
      case 0x2C, 0x2D -> only(!packed, GENERAL_REG | arithmetic(prefix));
      case 0x2E, 0x2F -> only(packed, FLAGS | (prefix == NONE ? 4 : 8));
      case 0x50 -> only(packed && !memory, GENERAL_REG | 16);
      case 0x51, 0x58, 0x59, 0x5C, 0x5D, 0x5E, 0x5F -> arithmetic(prefix);
      case 0x5A -> prefix == NONE ? 8 : arithmetic(prefix);
      case 0x5B -> only(prefix != F2, PACKED);
      default -> 0;
    };
  }

  private static int integers(Instruction in, int low) {
    int prefix = in.mandatoryPrefix;
    boolean memory = in.isMemory;
    int wide = in.rexW ? 8 : 4;
    switch (low) {
      case 0x6E:
        return only(prefix == P66, GENERAL_RM | wide);
      case 0x6F:
        return prefix == P66 ? PACKED : only(prefix == F3, 16);
      case 0x70:
        return only(prefix != NONE, PACKED | IMMEDIATE);
      case 0x71, 0x72, 0x73:
        return only(prefix == P66 && !memory, EXTENSION | IMMEDIATE | 16);
      case 0x7C, 0x7D, 0xD0:
        return only(prefix == P66 || prefix == F2, PACKED);
      case 0x7E:
        return prefix == P66 ? STORE | GENERAL_RM | wide : only(prefix == F3, 8);
      case 0x7F:
        return prefix == P66 ? STORE | PACKED : only(prefix == F3, STORE | 16);
      case 0xC2:
        return IMMEDIATE | arithmetic(prefix);
      case 0xC4:
        return only(prefix == P66, GENERAL_RM | IMMEDIATE | 2);
      case 0xC5:
        return only(prefix == P66 && !memory, GENERAL_REG | IMMEDIATE | 16);
      case 0xC6:
        return only(prefix <= P66, PACKED | IMMEDIATE);
      case 0xD6:
        return only(prefix == P66, STORE | 8);
      case 0xD7:
        return only(prefix == P66 && !memory, GENERAL_REG | 16);
      case 0xE6:
        return prefix == F3 ? 8 : only(prefix != NONE, PACKED);
      case 0xE7:
        return only(prefix == P66 && memory, STORE | PACKED);
      case 0xF0:
        return only(prefix == F2 && memory, 16);
      case 0x77, 0x78, 0x79, 0x7A, 0x7B, 0xAE, 0xB8, 0xC3, 0xF7, 0xFF:
        return 0;
      default:
        boolean listed = low >= 0x60 && low < 0x78 || low > 0xD0;
        return only(listed && prefix == P66, PACKED);
    }
  }

  private static int map38(int low) {
    return switch (low) {
      case 0x20, 0x23, 0x25, 0x30, 0x33, 0x35 -> 8;
      case 0x21, 0x24, 0x31, 0x34 -> 4;
      case 0x22, 0x32 -> 2;
      case 0x17 -> PACKED | FLAGS;
      case 0x10, 0x14, 0x15, 0x1C, 0x1D, 0x1E, 0x28, 0x29, 0x2A, 0x2B -> PACKED;
      default -> low < 0x0C || low >= 0x37 && low <= 0x41 ? PACKED : 0;
    };
  }

  private static int map3a(Instruction in, int low) {
    int wide = in.rexW ? 8 : 4;
    return switch (low) {
      case 0x08, 0x09, 0x0C, 0x0D, 0x0E, 0x0F, 0x40, 0x41, 0x42 -> PACKED | IMMEDIATE;
      case 0x0A -> 4 | IMMEDIATE;
      case 0x0B -> 8 | IMMEDIATE;
      case 0x14 -> STORE | GENERAL_RM | IMMEDIATE | 1;
      case 0x15 -> STORE | GENERAL_RM | IMMEDIATE | 2;
      case 0x16 -> STORE | GENERAL_RM | IMMEDIATE | wide;
      case 0x17 -> STORE | GENERAL_RM | IMMEDIATE | 4;
      case 0x20 -> GENERAL_RM | IMMEDIATE | 1;
      case 0x21 -> IMMEDIATE | 4;
      case 0x22 -> GENERAL_RM | IMMEDIATE | wide;
      case 0x60, 0x62 -> 16 | IMMEDIATE | FLAGS;
      case 0x61, 0x63 -> 16 | IMMEDIATE | FLAGS | WRITES_COUNT;
      default -> 0;
    };
  }
}

package io.vmm4j.software.translate;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Flags;
import io.vmm4j.software.cpu.Instruction;
import io.vmm4j.software.cpu.Mnemonic;

/**
 * What a translator has to know of an instruction of 64-bit code, or of 32-bit code in flat
 * segments, before it is translated: whether it can be, which arithmetic flags it reads and writes,
 * whether it may leave machine code before it is done. Packed in an int: see the accessors.
 */
public final class Effects {
  private static final int ALL = Flags.ARITHMETIC;
  private static final int WRITES_SHIFT = 12;
  private static final int MAY_EXIT = 1 << 24;
  private static final int TRANSLATED = 1 << 25;
  private static final int NONE = TRANSLATED;
  private static final int SUPERVISOR = 1 << 27;

  private static final int LFENCE = 0xE8;
  private static final int CRC32_BYTE = 0x2F0;

  /** The flags that each pair of conditions reads. */
  private static final int[] CONDITION_READS = {
    Flags.OF,
    Flags.CF,
    Flags.ZF,
    Flags.CF | Flags.ZF,
    Flags.SF,
    Flags.PF,
    Flags.SF | Flags.OF,
    Flags.SF | Flags.OF | Flags.ZF
  };

  /** The effects of what the interpreter executes. */
  public static final int INTERPRETED = MAY_EXIT | ALL | ALL << WRITES_SHIFT;

  private Effects() {}

  /** Whether machine code is made of it; else the interpreter executes it. */
  public static boolean isTranslated(int effects) {
    return (effects & TRANSLATED) != 0;
  }

  /** Whether machine code may be left before the instruction has done anything. */
  public static boolean mayExit(int effects) {
    return (effects & MAY_EXIT) != 0;
  }

  /** The arithmetic flags it reads, or keeps where it does not write them in every case. */
  public static int reads(int effects) {
    return effects & ALL;
  }

  /** The arithmetic flags it writes in every case. */
  public static int writes(int effects) {
    return effects >> WRITES_SHIFT & ALL;
  }

  /** Whether it is translated for CPL 0 alone. */
  public static boolean isForSupervisor(int effects) {
    return (effects & SUPERVISOR) != 0;
  }

  /** The flags that a condition reads. */
  public static int readBy(int condition) {
    return CONDITION_READS[condition >> 1 & 7];
  }

  static int effects(Instruction in, int reads, int writes) {
    return TRANSLATED | (in.isMemory ? MAY_EXIT : 0) | reads | writes << WRITES_SHIFT;
  }

  private static int translatedIf(boolean condition, int effects) {
    return condition ? effects : INTERPRETED;
  }

  /** The effects of an instruction of 64-bit or 32-bit code. */
  public static int of(Instruction in) {
    if (in.illegal || in.addressSize == 2 || in.codeSize == 2) {
      return INTERPRETED;
    }
    if (in.vex) {
      return VexEffects.of(in);
    }
    if (in.lock && !in.isMemory) {
      return INTERPRETED;
    }
    int opcode = in.opcode;
    if (opcode < 0x40) {
      return (opcode & 7) < 6 ? arithmetic(in, opcode >> 3) : INTERPRETED;
    }
    if (opcode < 0x100) {
      return opcode < 0xC0 ? oneByteLow(in) : oneByteHigh(in);
    }
    if (opcode < 0x200) {
      return twoByte(in);
    }
    return switch (in.mnemonic) {
      case Mnemonic.MOVBE -> effects(in, 0, 0);
      case Mnemonic.CRC32 -> translatedIf(!hasHighSource(in), effects(in, 0, 0));
      default -> VectorEffects.of(in);
    };
  }

  private static boolean hasHighSource(Instruction in) {
    return in.opcode == CRC32_BYTE && !in.isMemory && isHigh(in, in.rm);
  }

  /** Whether it is made of instructions that only processors with AVX2 and BMI have. */
  public static boolean needsVex(Instruction in) {
    return in.vex
        || in.mnemonic == Mnemonic.MOVBE
        || in.mnemonic == Mnemonic.TZCNT
        || in.mnemonic == Mnemonic.LZCNT;
  }

  /** A near branch, whose target has the size of the code. */
  private static int branch(Instruction in, int others) {
    return translatedIf(in.operandSize == in.codeSize, NONE | others);
  }

  private static boolean isHigh(Instruction in, int number) {
    return !in.rex && number >= 4 && number < 8;
  }

  /** AH to BH together with what no instruction without REX can name here. */
  private static boolean awkward(Instruction in) {
    if (in.operandSize != 1) {
      return false;
    }
    boolean high = isHigh(in, in.reg) || !in.isMemory && isHigh(in, in.rm);
    return high && in.isMemory;
  }

  private static int arithmetic(Instruction in, int operation) {
    boolean carries = operation == 2 || operation == 3;
    int reads = carries ? Flags.CF : 0;
    if ((in.opcode & 7) >= 4) {
      return NONE | reads | ALL << WRITES_SHIFT;
    }
    return translatedIf(!awkward(in), effects(in, reads, ALL));
  }

  private static int oneByteLow(Instruction in) {
    int opcode = in.opcode;
    if (opcode >= 0x50 && opcode < 0x60) {
      return translatedIf(in.operandSize == in.codeSize, NONE | MAY_EXIT);
    }
    if (opcode < 0x50) { // INC and DEC of 32-bit code
      return NONE | (ALL & ~Flags.CF) << WRITES_SHIFT;
    }
    if (opcode >= 0x70 && opcode < 0x80) {
      return branch(in, readBy(opcode & 15));
    }
    return switch (opcode) {
      case 0x63 ->
          translatedIf(in.mnemonic == Mnemonic.MOVSXD && in.operandSize >= 4, effects(in, 0, 0));
      case 0x68, 0x6A -> translatedIf(in.operandSize == in.codeSize, NONE | MAY_EXIT);
      case 0x69, 0x6B -> effects(in, 0, ALL);
      case 0x80, 0x81, 0x83 -> {
        boolean carries = in.extension() == 2 || in.extension() == 3;
        boolean high = in.operandSize == 1 && !in.isMemory && isHigh(in, in.rm);
        yield translatedIf(!high || !carries, effects(in, carries ? Flags.CF : 0, ALL));
      }
      case 0x84, 0x85 -> translatedIf(!awkward(in), effects(in, 0, ALL));
      case 0x86, 0x87 -> translatedIf(in.operandSize > 1 || !anyHigh(in), effects(in, 0, 0));
      case 0x88, 0x89, 0x8A, 0x8B -> translatedIf(!awkward(in), effects(in, 0, 0));
      case 0x8C -> translatedIf(in.extension() < 6, effects(in, 0, 0));
      case 0x8D -> NONE;
      case 0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97 -> NONE;
      case 0x98, 0x99 -> NONE;
      case 0x9C -> translatedIf(in.operandSize == in.codeSize, NONE | MAY_EXIT | ALL);
      case 0xA4, 0xA5, 0xAA, 0xAB, 0xAC, 0xAD -> string(in);
      case 0x9E -> NONE | Flags.OF | (ALL & ~Flags.OF) << WRITES_SHIFT;
      case 0x9F -> NONE | ALL & ~Flags.OF;
      case 0xA0, 0xA1, 0xA2, 0xA3 -> translatedIf(fits32(in.imm), NONE | MAY_EXIT);
      case 0xA8, 0xA9 -> NONE | ALL << WRITES_SHIFT;
      case 0xB0, 0xB1, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7 -> translatedIf(!isHigh(in, in.rm), NONE);
      case 0xB8, 0xB9, 0xBA, 0xBB, 0xBC, 0xBD, 0xBE, 0xBF -> NONE;
      default -> INTERPRETED;
    };
  }

  private static int string(Instruction in) {
    boolean loads = in.opcode >= 0xAC;
    boolean repeats = in.repeat != 0;
    return translatedIf(
        in.addressSize == in.codeSize
            && in.segment < Cpu.FS
            && (!repeats || in.repeat == 0xF3 && !loads && in.codeSize == 8),
        NONE | MAY_EXIT);
  }

  private static boolean fits32(long value) {
    return value == (int) value;
  }

  private static boolean anyHigh(Instruction in) {
    return isHigh(in, in.reg) || !in.isMemory && isHigh(in, in.rm);
  }

  private static int oneByteHigh(Instruction in) {
    return switch (in.opcode) {
      case 0xC0, 0xC1, 0xD0, 0xD1, 0xD2, 0xD3 -> shift(in);
      case 0xC2, 0xC3, 0xE8 -> branch(in, MAY_EXIT);
      case 0xE9, 0xEB, 0xE3 -> branch(in, 0);
      case 0xC6, 0xC7 ->
          translatedIf(in.isMemory || in.operandSize > 1 || !isHigh(in, in.rm), effects(in, 0, 0));
      case 0xC9 -> translatedIf(in.operandSize == in.codeSize, NONE | MAY_EXIT);
      case 0xF5 -> NONE | Flags.CF | Flags.CF << WRITES_SHIFT;
      case 0xF8, 0xF9 -> NONE | Flags.CF << WRITES_SHIFT;
      case 0xFA -> NONE | SUPERVISOR;
      case 0xFB -> NONE | SUPERVISOR | MAY_EXIT;
      case 0xFC, 0xFD -> NONE;
      case 0xF6, 0xF7 -> group3(in);
      case 0xFE -> translatedIf(in.isMemory || !isHigh(in, in.rm), increment(in));
      case 0xFF ->
          switch (in.extension()) {
            case 0, 1 -> increment(in);
            case 2, 4 -> branch(in, MAY_EXIT);
            case 6 -> translatedIf(in.operandSize == in.codeSize, NONE | MAY_EXIT);
            default -> INTERPRETED;
          };
      default -> INTERPRETED;
    };
  }

  private static int increment(Instruction in) {
    return effects(in, 0, ALL & ~Flags.CF);
  }

  private static int group3(Instruction in) {
    boolean high = in.operandSize == 1 && !in.isMemory && isHigh(in, in.rm);
    return switch (in.extension()) {
      case 0, 1 -> effects(in, 0, ALL);
      case 2 -> translatedIf(!high, effects(in, 0, 0));
      case 3 -> translatedIf(!high, effects(in, 0, ALL));
      case 4, 5 -> translatedIf(in.operandSize > 1, effects(in, 0, ALL));
      default -> translatedIf(in.operandSize >= 4, effects(in, 0, 0) | MAY_EXIT);
    };
  }

  /** The count of a shift by a constant, as the processor masks it. */
  public static int shiftCount(Instruction in) {
    int count = in.opcode >= 0xD0 && in.opcode < 0xD2 ? 1 : (int) in.imm;
    return count & (in.operandSize == 8 ? 63 : 31);
  }

  private static int shift(Instruction in) {
    boolean high = in.operandSize == 1 && !in.isMemory && isHigh(in, in.rm);
    if (high) {
      return INTERPRETED;
    }
    int operation = in.extension();
    if (in.opcode >= 0xD2) { // by CL: nothing is written where the count is zero
      return translatedIf(operation >= 4 && !in.isMemory, effects(in, ALL, 0));
    }
    int count = shiftCount(in);
    if (count == 0) {
      return translatedIf(!in.isMemory, effects(in, 0, 0));
    }
    return switch (operation) {
      case 0, 1 -> translatedIf(!in.isMemory, effects(in, 0, Flags.CF | Flags.OF));
      case 2, 3 ->
          translatedIf(!in.isMemory && count == 1, effects(in, Flags.CF, Flags.CF | Flags.OF));
      default -> translatedIf(count < 8 * in.operandSize, effects(in, 0, ALL));
    };
  }

  private static int twoByte(Instruction in) {
    int opcode = in.opcode;
    if (opcode >= 0x140 && opcode < 0x150) {
      return effects(in, readBy(opcode & 15), 0);
    }
    if (opcode >= 0x180 && opcode < 0x190) {
      return branch(in, readBy(opcode & 15));
    }
    if (opcode >= 0x190 && opcode < 0x1A0) {
      return translatedIf(in.isMemory || !isHigh(in, in.rm), effects(in, readBy(opcode & 15), 0));
    }
    return switch (opcode) {
      case 0x10D, 0x118, 0x119, 0x11A, 0x11B, 0x11C, 0x11D, 0x11F -> NONE;
      case 0x11E -> NONE;
      case 0x101 ->
          translatedIf(
              in.mnemonic == Mnemonic.CLAC
                  || in.mnemonic == Mnemonic.STAC
                  || in.mnemonic == Mnemonic.SWAPGS && in.codeSize == 8,
              NONE | SUPERVISOR);
      case 0x1AE ->
          translatedIf(
              !in.isMemory && in.mandatoryPrefix == Instruction.PREFIX_NONE && in.modrm >= LFENCE,
              NONE);
      case 0x1A5, 0x1AD -> translatedIf(!in.isMemory && in.operandSize > 2, NONE | ALL);
      case 0x1A3, 0x1AB, 0x1B3, 0x1BB ->
          translatedIf(!in.isMemory || in.operandSize > 2, effects(in, 0, Flags.CF));
      case 0x1BA -> effects(in, 0, Flags.CF);
      case 0x1A4, 0x1AC -> {
        int count = (int) in.imm & (in.operandSize == 8 ? 63 : 31);
        yield translatedIf(!in.isMemory && count != 0 && in.operandSize > 2, effects(in, 0, ALL));
      }
      case 0x1AF -> effects(in, 0, ALL);
      case 0x1B0, 0x1B1 -> translatedIf(in.isMemory && !awkward(in), effects(in, 0, ALL));
      case 0x1B6, 0x1BE ->
          translatedIf(in.isMemory || !isHigh(in, in.rm) || canName(in), effects(in, 0, 0));
      case 0x1B7, 0x1BF -> effects(in, 0, 0);
      case 0x1B8 -> effects(in, 0, ALL);
      case 0x1BC, 0x1BD ->
          in.mnemonic == Mnemonic.TZCNT || in.mnemonic == Mnemonic.LZCNT
              ? effects(in, 0, ALL)
              : effects(in, 0, Flags.ZF);
      case 0x1C0, 0x1C1 -> translatedIf(in.isMemory && !awkward(in), effects(in, 0, ALL));
      case 0x1C7 -> translatedIf(in.isMemory && in.extension() == 1, effects(in, 0, Flags.ZF));
      case 0x1C8, 0x1C9, 0x1CA, 0x1CB, 0x1CC, 0x1CD, 0x1CE, 0x1CF ->
          translatedIf(in.operandSize >= 4, NONE);
      default -> VectorEffects.of(in);
    };
  }

  /** Whether MOVZX or MOVSX from AH to BH can name its destination without REX. */
  private static boolean canName(Instruction in) {
    return in.operandSize == 4 && in.reg < 8 && in.reg != 4;
  }
}

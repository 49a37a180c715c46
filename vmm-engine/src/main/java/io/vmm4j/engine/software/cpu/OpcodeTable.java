package io.vmm4j.engine.software.cpu;

/**
 * What the decoder has to know of each opcode (Intel SDM volume 2, appendix A), as data.
 *
 * <p>An entry is a word of letters: the family that executes it ({@code I} integer, {@code S}
 * system, {@code X} x87, {@code V} MMX and SSE, {@code -} undefined), {@code M} if a ModRM byte
 * follows, the immediate ({@code b} 8 bits, {@code w} 16 bits, {@code z} 16 or 32 bits by operand
 * size, {@code v} 16, 32 or 64 bits, {@code o} an address, {@code p} a far pointer, {@code e} 16
 * and 8 bits), and {@code .} if it ends a block.
 */
final class OpcodeTable {
  static final int MODRM = 1;
  static final int ENDS_BLOCK = 2;
  private static final int IMMEDIATE_SHIFT = 4;
  private static final int FAMILY_SHIFT = 8;

  static final int IMMEDIATE_NONE = 0;
  static final int IMMEDIATE_8 = 1;
  static final int IMMEDIATE_16 = 2;
  static final int IMMEDIATE_Z = 3;
  static final int IMMEDIATE_V = 4;
  static final int IMMEDIATE_OFFSET = 5;
  static final int IMMEDIATE_FAR = 6;
  static final int IMMEDIATE_ENTER = 7;

  static final int UNDEFINED = 0;
  static final int INTEGER = 1;
  static final int SYSTEM = 2;
  static final int X87 = 3;
  static final int VECTOR = 4;

  private static final String ONE_BYTE =
      """
      IM IM IM IM Ib Iz S. S. IM IM IM IM Ib Iz S. -
      IM IM IM IM Ib Iz S. S. IM IM IM IM Ib Iz S. S.
      IM IM IM IM Ib Iz - I IM IM IM IM Ib Iz - I
      IM IM IM IM Ib Iz - I IM IM IM IM Ib Iz - I
      I I I I I I I I I I I I I I I I
      I I I I I I I I I I I I I I I I
      I I SM. IM - - - - Iz IMz Ib IMb S. S. S. S.
      Ib. Ib. Ib. Ib. Ib. Ib. Ib. Ib. Ib. Ib. Ib. Ib. Ib. Ib. Ib. Ib.
      IMb IMz IMb IMb IM IM IM IM IM IM IM IM SM. IM SM. IM
      I I I I I I I I I I Sp. X S. S. I I
      Io Io Io Io I I I I Ib Iz I I I I I I
      Ib Ib Ib Ib Ib Ib Ib Ib Iv Iv Iv Iv Iv Iv Iv Iv
      IMb IMb Iw. I. SM. SM. IMb IMz Ie I Sw. S. S. Sb. S. S.
      IM IM IM IM Ib Ib I I XM XM XM XM XM XM XM XM
      Ib. Ib. Ib. Ib. Sb. Sb. Sb. Sb. Iz. Iz. Sp. Ib. S. S. S. S.
      - S. - - S. I IM IM I I S. S. I I IM IM
      """;

  private static final String TWO_BYTE =
      """
      SM. SM. SM. SM. - S. S. S. S. S. - S. - IM - -
      VM VM VM VM VM VM VM VM IM IM IM IM IM IM IM IM
      SM. SM. SM. SM. - - - - VM VM VM VM VM VM VM VM
      S. S. S. S. S. S. - - - - - - - - - -
      IM IM IM IM IM IM IM IM IM IM IM IM IM IM IM IM
      VM VM VM VM VM VM VM VM VM VM VM VM VM VM VM VM
      VM VM VM VM VM VM VM VM VM VM VM VM VM VM VM VM
      VMb VMb VMb VMb VM VM VM V - - - - VM VM VM VM
      Iz. Iz. Iz. Iz. Iz. Iz. Iz. Iz. Iz. Iz. Iz. Iz. Iz. Iz. Iz. Iz.
      IM IM IM IM IM IM IM IM IM IM IM IM IM IM IM IM
      S. S. S. IM IMb IM - - S. S. S. IM IMb IM VM IM
      IM IM SM. IM SM. SM. IM IM IM SM. IMb IM IM IM IM IM
      IM IM VMb VM VMb VMb VMb IM I I I I I I I I
      VM VM VM VM VM VM VM VM VM VM VM VM VM VM VM VM
      VM VM VM VM VM VM VM VM VM VM VM VM VM VM VM VM
      VM VM VM VM VM VM VM VM VM VM VM VM VM VM VM SM.
      """;

  private static final short[] ENTRIES = new short[0x400];

  static {
    parse(ONE_BYTE, 0);
    parse(TWO_BYTE, 0x100);
    for (int i = 0; i < 0x100; i++) {
      ENTRIES[0x200 + i] = entry("VM");
      ENTRIES[0x300 + i] = entry("VMb");
    }
    ENTRIES[0x282] = entry("SM.");
  }

  private OpcodeTable() {}

  private static void parse(String rows, int first) {
    String[] words = rows.trim().split("\\s+");
    if (words.length != 0x100) {
      throw new IllegalStateException("opcode map with " + words.length + " entries");
    }
    for (int i = 0; i < words.length; i++) {
      ENTRIES[first + i] = entry(words[i]);
    }
  }

  private static short entry(String word) {
    int bits = 0;
    for (char c : word.toCharArray()) {
      bits |=
          switch (c) {
            case 'I' -> INTEGER << FAMILY_SHIFT;
            case 'S' -> SYSTEM << FAMILY_SHIFT;
            case 'X' -> X87 << FAMILY_SHIFT;
            case 'V' -> VECTOR << FAMILY_SHIFT;
            case 'M' -> MODRM;
            case '.' -> ENDS_BLOCK;
            case '-' -> 0;
            default -> 1 + "bwzvope".indexOf(c) << IMMEDIATE_SHIFT;
          };
    }
    return (short) bits;
  }

  /** The entry of an opcode: map in bits 8-9, byte in bits 0-7. */
  static int entry(int opcode) {
    return ENTRIES[opcode];
  }

  static int family(int entry) {
    return entry >> FAMILY_SHIFT;
  }

  static int immediate(int entry) {
    return entry >> IMMEDIATE_SHIFT & 15;
  }

  /** Whether an integer instruction's operands are bytes. */
  static boolean isByteOperation(int opcode) {
    if (opcode < 0x40) {
      int form = opcode & 7;
      return form == 0 || form == 2 || form == 4;
    }
    return switch (opcode) {
      case 0x6C, 0x6E, 0x80, 0x82, 0x84, 0x86, 0x88, 0x8A -> true;
      case 0xA0, 0xA2, 0xA4, 0xA6, 0xA8, 0xAA, 0xAC, 0xAE -> true;
      case 0xB0, 0xB1, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7 -> true;
      case 0xC0, 0xC6, 0xD0, 0xD2, 0xE4, 0xE6, 0xEC, 0xEE, 0xF6, 0xFE -> true;
      case 0x1B0, 0x1C0 -> true;
      default -> opcode >= 0x190 && opcode <= 0x19F;
    };
  }

  /** Whether the operand size is 64 bits in 64-bit mode without REX.W, 16 with 66. */
  static boolean isStackOperation(int opcode, int extension) {
    return switch (opcode) {
      case 0x06, 0x07, 0x0E, 0x16, 0x17, 0x1E, 0x1F -> true;
      case 0x68, 0x6A, 0x8F, 0x9C, 0x9D, 0xC8, 0xC9, 0x1A0, 0x1A1, 0x1A8, 0x1A9 -> true;
      case 0xFF -> extension == 6;
      default -> opcode >= 0x50 && opcode <= 0x5F;
    };
  }

  /** Whether an instruction pushes or pops. */
  static boolean usesStack(int opcode, int extension) {
    return switch (opcode) {
      case 0xC2, 0xC3, 0xCA, 0xCB, 0xCF, 0xE8 -> true;
      case 0xFF -> extension == 2 || extension == 3 || extension == 6;
      default -> isStackOperation(opcode, extension);
    };
  }

  /** Whether the operand size is 64 bits in 64-bit mode whatever the prefixes are. */
  static boolean isNearBranch(int opcode, int extension) {
    return switch (opcode) {
      case 0xC2, 0xC3, 0xE8, 0xE9, 0xEB, 0xE0, 0xE1, 0xE2, 0xE3 -> true;
      case 0xFF -> extension == 2 || extension == 4;
      default -> opcode >= 0x70 && opcode <= 0x7F || opcode >= 0x180 && opcode <= 0x18F;
    };
  }

  /** Whether an opcode does not exist in 64-bit mode. */
  static boolean isInvalidIn64(int opcode) {
    return switch (opcode) {
      case 0x06, 0x07, 0x0E, 0x16, 0x17, 0x1E, 0x1F, 0x27, 0x2F, 0x37, 0x3F -> true;
      case 0x60, 0x61, 0x62, 0x82, 0x9A, 0xC4, 0xC5, 0xCE, 0xD4, 0xD5, 0xD6, 0xEA -> true;
      default -> false;
    };
  }

  /** Whether an opcode begins an instruction of AVX or AVX-512 in 64-bit mode. */
  static boolean isVectorPrefix(int opcode) {
    return opcode == 0x62 || opcode == 0xC4 || opcode == 0xC5;
  }

  /** Whether LOCK is allowed, the destination being in memory (SDM volume 2, LOCK). */
  static boolean allowsLock(int opcode, int extension) {
    if (opcode < 0x38) {
      return (opcode & 7) < 2;
    }
    return switch (opcode) {
      case 0x80, 0x81, 0x82, 0x83 -> extension != 7;
      case 0x86, 0x87, 0x1AB, 0x1B3, 0x1BB, 0x1B0, 0x1B1, 0x1C0, 0x1C1 -> true;
      case 0xF6, 0xF7 -> extension == 2 || extension == 3;
      case 0xFE, 0xFF -> extension < 2;
      case 0x1BA -> extension >= 5;
      case 0x1C7 -> extension == 1;
      default -> false;
    };
  }
}

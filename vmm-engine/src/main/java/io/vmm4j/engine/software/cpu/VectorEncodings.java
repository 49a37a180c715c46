package io.vmm4j.engine.software.cpu;

/**
 * Which encodings of MMX and SSE to SSE4.2 exist (Intel SDM volume 2, appendix A), as data. Those
 * that don't are #UD before anything else is looked at: the address, its alignment, the state of
 * the x87.
 *
 * <p>A word for each opcode has a letter for each mandatory prefix (none, 66, F3, F2): {@code -}
 * does not exist, {@code m} only with memory, {@code r} only with a register, {@code *} with both.
 */
final class VectorEncodings {
  private static final String NO_PREFIX = "*---";
  private static final String BOTH = "**--";
  private static final String SSE = "-*--";
  private static final String ALL = "****";

  private static final String[] WORDS = new String[0x300];

  static {
    all(0x110, "****", "****", "*m**", "mm--", "**--", "**--", "*m*-", "mm--");
    all(0x128, "**--", "**--", "****", "mm--", "****", "****", "**--", "**--");
    all(0x150, "rr--", "****", "*-*-", "*-*-", "**--", "**--", "**--", "**--");
    all(0x158, "****", "****", "****", "***-", "****", "****", "****", "****");
    row(0x160, 0x16B, BOTH);
    all(0x16C, "-*--", "-*--", "**--", "***-", "****", "rr--", "rr--", "rr--");
    row(0x174, 0x176, BOTH);
    all(0x177, NO_PREFIX);
    all(0x17C, "-*-*", "-*-*", "***-", "***-");
    all(0x1C2, "****", "m---", "**--", "rr--", "**--");
    all(0x1D0, "-*-*", "**--", "**--", "**--", "**--", "**--", "-*rr", "rr--");
    row(0x1D8, 0x1E5, BOTH);
    all(0x1E6, "-***", "mm--");
    row(0x1E8, 0x1EF, BOTH);
    all(0x1F0, "---m");
    row(0x1F1, 0x1F6, BOTH);
    all(0x1F7, "rr--");
    row(0x1F8, 0x1FE, BOTH);
    row(0x1AE, 0x1AE, ALL); // left to StateInstructions
    row(0x200, 0x20B, BOTH);
    all(0x210, SSE);
    all(0x214, SSE, SSE);
    all(0x217, SSE);
    row(0x21C, 0x21E, BOTH);
    row(0x220, 0x225, SSE);
    all(0x228, SSE, SSE, "-m--", SSE);
    row(0x230, 0x235, SSE);
    row(0x237, 0x241, SSE);
    all(0x2F0, "---*", "---*");
    row(0x308, 0x30E, SSE);
    all(0x30F, BOTH);
    row(0x314, 0x317, SSE);
    row(0x320, 0x322, SSE);
    row(0x340, 0x342, SSE);
    row(0x360, 0x363, SSE);
  }

  private VectorEncodings() {}

  private static void all(int first, String... words) {
    for (int i = 0; i < words.length; i++) {
      WORDS[first - 0x100 + i] = words[i];
    }
  }

  private static void row(int first, int last, String word) {
    for (int opcode = first; opcode <= last; opcode++) {
      WORDS[opcode - 0x100] = word;
    }
  }

  /** Whether an instruction of this family exists. */
  static boolean exist(Instruction in) {
    String word = WORDS[in.opcode - 0x100];
    if (word == null) {
      return false;
    }
    char letter = word.charAt(in.mandatoryPrefix);
    if (letter == '-' || letter == (in.isMemory ? 'r' : 'm')) {
      return false;
    }
    return switch (in.opcode) {
      case 0x171, 0x172 -> in.extension() == 2 || in.extension() == 4 || in.extension() == 6;
      case 0x173 ->
          (in.extension() & 3) == 2
              || (in.extension() & 3) == 3 && in.mandatoryPrefix == Instruction.PREFIX_66;
      default -> true;
    };
  }
}

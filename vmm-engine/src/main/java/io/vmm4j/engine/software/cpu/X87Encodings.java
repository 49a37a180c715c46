package io.vmm4j.engine.software.cpu;

/**
 * Which encodings of x87 instructions exist (Intel SDM volume 2, appendix A.5, and the aliases that
 * all processors have). Those that don't are #UD even while an exception is pending.
 */
final class X87Encodings {
  private X87Encodings() {}

  /** Whether an instruction with an opcode from D8 to DF exists. */
  static boolean exist(Instruction in) {
    int extension = in.extension();
    int i = in.modrm & 7;
    if (in.isMemory) {
      return switch (in.opcode) {
        case 0xD9 -> extension != 1;
        case 0xDB -> extension != 4 && extension != 6;
        case 0xDD -> extension != 5;
        default -> true;
      };
    }
    return switch (in.opcode) {
      case 0xD9 ->
          switch (extension) {
            case 2 -> i == 0;
            case 4 -> i < 2 || i == 4 || i == 5;
            case 5 -> i < 7;
            default -> true;
          };
      case 0xDA -> extension < 4 || extension == 5 && i == 1;
      case 0xDB -> extension < 4 || extension == 4 && i < 5 || extension == 5 || extension == 6;
      case 0xDD -> extension < 6;
      case 0xDE -> extension != 3 || i == 1;
      case 0xDF -> extension < 4 || extension == 4 && i == 0 || extension == 5 || extension == 6;
      default -> true;
    };
  }
}

package io.vmm4j.software.cpu;

import java.util.Arrays;

/**
 * Assembles single instructions of 64-bit code for tests. Opcodes are numbered as in {@link
 * Instruction#opcode}: 0x1xx is 0F xx.
 */
final class Code {
  /** The base register of memory operands. */
  static final int MEMORY_BASE = Cpu.RBX;

  private Code() {}

  /** An instruction with two register operands. */
  static int[] registers(int size, int opcode, int reg, int rm) {
    return instruction(size, opcode, reg, rm >> 3, 0xC0 | (reg & 7) << 3 | rm & 7);
  }

  /** An instruction with an operand at [RBX + disp32]. */
  static int[] memory(int size, int opcode, int reg, int displacement) {
    int modrm = 0x80 | (reg & 7) << 3 | MEMORY_BASE;
    return with(instruction(size, opcode, reg, 0, modrm), 4, displacement);
  }

  /** An instruction without ModRM. */
  static int[] plain(int size, int opcode) {
    return prefixed(size, 0, opcode);
  }

  /** The instruction with an immediate, or anything that follows. */
  static int[] with(int[] code, int bytes, long immediate) {
    int[] longer = Arrays.copyOf(code, code.length + bytes);
    for (int i = 0; i < bytes; i++) {
      longer[code.length + i] = (int) (immediate >>> 8 * i) & 0xFF;
    }
    return longer;
  }

  /** Instructions one after another. */
  static int[] join(int[]... parts) {
    return Arrays.stream(parts).flatMapToInt(Arrays::stream).toArray();
  }

  private static int[] instruction(int size, int opcode, int reg, int high, int modrm) {
    int rex = (reg >> 3) << 2 | high;
    return with(prefixed(size, rex, opcode), 1, modrm);
  }

  private static int[] prefixed(int size, int rexBits, int opcode) {
    int rex = rexBits | (size == 8 ? 8 : 0);
    int[] code = new int[5];
    int n = 0;
    if (size == 2) {
      code[n++] = 0x66;
    }
    if (rex != 0) {
      code[n++] = 0x40 | rex;
    }
    if (opcode >= 0x100) {
      code[n++] = 0x0F;
    }
    code[n++] = opcode & 0xFF;
    return Arrays.copyOf(code, n);
  }
}

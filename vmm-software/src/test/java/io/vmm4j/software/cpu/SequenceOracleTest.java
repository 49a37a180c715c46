package io.vmm4j.software.cpu;

import static io.vmm4j.software.cpu.Code.join;
import static io.vmm4j.software.cpu.Code.plain;
import static io.vmm4j.software.cpu.Code.with;

import io.vmm4j.software.oracle.Duel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Random sequences of integer instructions against the host: what one leaves is what the next one
 * starts from, so that lazily kept flags, short ways and block ends meet in every order. A sequence
 * is a loop of three rounds; instructions jump over others.
 */
class SequenceOracleTest {
  private static final int SEQUENCES = Integer.getInteger("vmm4j.oracle.sequences", 20_000);
  private static final int LENGTH = 14;
  private static final int MEMORY_BYTES = 256;

  /** RBX is the base of memory operands, R14 an index from 0 to 7, R15 counts the rounds. */
  private static final int[] FREE = {0, 1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13};

  private static final int INDEX = 14;
  private static final int[] SIZES = {1, 2, 4, 4, 8, 8};

  private final Values values = new Values(8);
  private Duel duel;

  @BeforeEach
  void open() {
    duel = Duel.open();
  }

  @AfterEach
  void close() {
    if (duel != null) {
      duel.close();
    }
  }

  @Test
  void randomSequences() {
    for (int i = 0; i < SEQUENCES; i++) {
      int[] body = {};
      for (int k = 0; k < LENGTH; k++) {
        int[] next = instruction();
        if (values.below(8) == 0) {
          int condition = 0x70 | values.below(16);
          next = join(new int[] {condition, next.length}, next);
        }
        body = join(body, next);
      }
      int[] count = {0x49, 0xFF, 0xCF}; // DEC R15
      int[] again = with(plain(4, 0x185), 4, -(body.length + count.length + 6)); // JNZ
      duel.code(join(body, count, again));
      for (int r : FREE) {
        duel.gpr(r, values.next());
      }
      duel.gpr(Code.MEMORY_BASE, duel.scratchAddress());
      duel.gpr(INDEX, values.below(8));
      duel.gpr(15, 3);
      duel.flags(values.flags());
      for (int at = 0; at < MEMORY_BYTES; at += 8) {
        duel.memory(at, values.next());
      }
      duel.run(0, MEMORY_BYTES);
    }
    duel.settle();
  }

  private int register() {
    return FREE[values.below(FREE.length)];
  }

  /** The number of a byte register without REX reaches AH to BH: not BL, BH, nor what is RBX. */
  private int byteRegister() {
    int r = register();
    return r == 7 ? 6 : r;
  }

  /** An instruction with a register and a register or memory, by chance. */
  private int[] operands(int size, int opcode, int reg) {
    int r = size == 1 && reg == 7 ? 6 : reg;
    if (values.below(3) > 0) {
      return Code.registers(size, opcode, r, size == 1 ? byteRegister() : register());
    }
    if (values.below(2) == 0) {
      return Code.memory(size, opcode, r, values.below(MEMORY_BYTES / 2));
    }
    // [RBX + R14 * scale + disp8]
    int[] code = Code.registers(size, opcode, r, 0);
    int modrm = code.length - 1;
    int rex = size == 2 ? 1 : 0;
    int sib = values.below(4) << 6 | (INDEX & 7) << 3 | Code.MEMORY_BASE;
    int[] head = new int[modrm];
    System.arraycopy(code, 0, head, 0, modrm);
    if (head.length > rex && (head[rex] & 0xF0) == 0x40) {
      head[rex] |= 2;
    } else {
      int[] prefix = size == 2 ? new int[] {0x66, 0x42} : new int[] {0x42};
      int[] rest = new int[head.length - rex];
      System.arraycopy(head, rex, rest, 0, rest.length);
      head = join(prefix, rest);
    }
    return join(head, new int[] {0x44 | (r & 7) << 3, sib, values.below(100)});
  }

  /** Defines all flags, behind an instruction that leaves some undefined. */
  private int[] defined(int[] code) {
    return join(code, operands(SIZES[2 + values.below(4)], 0x39, register())); // CMP
  }

  private int[] instruction() {
    int size = SIZES[values.below(SIZES.length)];
    int wide = size == 1 ? 0 : 1;
    int worded = Math.max(size, 2);
    int reg = register();
    return switch (values.below(20)) {
      case 0, 1, 2 -> {
        int operation = new int[] {Alu.ADD, Alu.ADC, Alu.SBB, Alu.SUB, Alu.CMP}[values.below(5)];
        yield operands(size, operation << 3 | wide | values.below(2) << 1, reg);
      }
      case 3 -> {
        int operation = new int[] {Alu.ADD, Alu.ADC, Alu.SBB, Alu.SUB, Alu.CMP}[values.below(5)];
        int opcode = size == 1 ? 0x80 : values.below(2) == 0 ? 0x81 : 0x83;
        int bytes = opcode == 0x81 ? Math.min(size, 4) : 1;
        yield with(operands(size, opcode, operation), bytes, values.next());
      }
      case 4, 5 -> {
        int operation = new int[] {Alu.AND, Alu.OR, Alu.XOR}[values.below(3)];
        yield defined(operands(size, operation << 3 | wide | values.below(2) << 1, reg));
      }
      case 6 -> defined(operands(size, 0x84 | wide, reg)); // TEST
      case 7 -> operands(size, 0xFE | wide, values.below(2)); // INC, DEC
      case 8 -> operands(size, 0xF6 | wide, 2 + values.below(2)); // NOT, NEG
      case 9 -> {
        int extension = new int[] {0, 1, 4, 5, 7}[values.below(5)];
        yield defined(with(operands(size, 0xC0 | wide, extension), 1, values.below(8 * size)));
      }
      case 10 -> defined(operands(worded, 0x1AF, reg)); // IMUL
      case 11 -> defined(operands(worded, 0x1A3 | values.below(4) << 3, INDEX)); // BT...
      case 12 -> operands(size, 0x88 | wide | values.below(2) << 1, reg); // MOV
      case 13 -> operands(worded, new int[] {0x1B6, 0x1BE}[values.below(2)], reg); // MOVZX, MOVSX
      case 14 -> operands(worded, 0x140 | values.below(16), reg); // CMOVcc
      case 15 -> operands(1, 0x190 | values.below(16), 0); // SETcc
      case 16 -> operands(size, 0x86 | wide, reg); // XCHG
      case 17 -> operands(size, (values.below(2) == 0 ? 0x1C0 : 0x1B0) | wide, reg);
      case 18 ->
          new int[][] {{0xF5}, {0xF8}, {0xF9}, {0x9F}, {0x50, 0x59}, {0x9C, 0x5A, 0xB2, 0}}
              [values.below(5)];
      default -> {
        int[] code = Code.memory(8, 0x8D, reg, values.below(1 << 20)); // LEA
        yield code;
      }
    };
  }
}

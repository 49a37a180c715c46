package io.vmm4j.software.machinecode;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Encodes x86-64 instructions (Intel SDM volume 2, chapter 2) into a buffer.
 *
 * <p>Registers are numbers 0 to 15; {@link #HIGH} added to 4 to 7 stands for AH, CH, DH, BH, which
 * no instruction with a REX prefix can name. An opcode is written with its map: {@code 0x89},
 * {@code 0x0FAF}, {@code 0x0F3817}. Sizes are in bytes: 1, 2, 4 or 8.
 */
final class Assembler {
  static final int RAX = 0;
  static final int RCX = 1;
  static final int RDX = 2;
  static final int RBX = 3;
  static final int RSP = 4;
  static final int RBP = 5;
  static final int RSI = 6;
  static final int RDI = 7;

  /** Added to 4 to 7: the second byte of RAX, RCX, RDX, RBX. */
  static final int HIGH = 16;

  /** Conditions, in their encoding. */
  static final int OVERFLOW = 0;

  static final int BELOW = 2;
  static final int ABOVE_EQUAL = 3;
  static final int EQUAL = 4;
  static final int NOT_EQUAL = 5;
  static final int ABOVE = 7;
  static final int SIGN = 8;

  /** No index register. */
  private static final int NO_INDEX = -1;

  private final List<Integer> outside = new ArrayList<>();
  private final List<Integer> words = new ArrayList<>();
  private byte[] buffer = new byte[4096];
  private int length;

  /** Begins anew. */
  void reset() {
    length = 0;
    outside.clear();
    words.clear();
  }

  /** How many bytes have been emitted. */
  int position() {
    return length;
  }

  /** The code. */
  byte[] code() {
    return Arrays.copyOf(buffer, length);
  }

  void byte8(int value) {
    if (length == buffer.length) {
      buffer = Arrays.copyOf(buffer, 2 * length);
    }
    buffer[length++] = (byte) value;
  }

  void int32(int value) {
    byte8(value);
    byte8(value >> 8);
    byte8(value >> 16);
    byte8(value >> 24);
  }

  private void long64(long value) {
    int32((int) value);
    int32((int) (value >> 32));
  }

  // ---- labels ----

  /**
   * Has the displacement of a jump that comes next lie at a multiple of its size.
   *
   * @param opcodeBytes the bytes of the jump before it
   */
  void alignJump(int opcodeBytes) {
    while ((length + opcodeBytes & Integer.BYTES - 1) != 0) {
      byte8(0x90);
    }
  }

  /** Emits a conditional jump whose target is given later; returns what {@link #bind} wants. */
  int jumpIf(int condition) {
    byte8(0x0F);
    byte8(0x80 | condition);
    int32(0);
    return length - 4;
  }

  /** Emits a jump whose target is given later; returns what {@link #bind} wants. */
  int jump() {
    byte8(0xE9);
    int32(0);
    return length - 4;
  }

  /** Has a jump lead here. */
  void bind(int jump) {
    bind(jump, length);
  }

  /** Emits a jump to a stub, which lies at an offset of code memory. */
  void jumpOutside(int target) {
    int at = jump();
    bind(at, target);
    outside.add(at);
  }

  /** Notes that what was emitted last ends in what an exit says: see {@link Exit}. */
  void endsInExitWord() {
    words.add(length - Integer.BYTES);
  }

  /** The positions of the displacements of jumps to stubs. */
  int[] outside() {
    return outside.stream().mapToInt(Integer::intValue).toArray();
  }

  /** The positions of what exits say. */
  int[] words() {
    return words.stream().mapToInt(Integer::intValue).toArray();
  }

  /** Has a jump lead to a position. */
  void bind(int jump, int target) {
    int distance = target - (jump + 4);
    buffer[jump] = (byte) distance;
    buffer[jump + 1] = (byte) (distance >> 8);
    buffer[jump + 2] = (byte) (distance >> 16);
    buffer[jump + 3] = (byte) (distance >> 24);
  }

  // ---- encoding ----

  private void prefixes(int prefix, int size) {
    if (prefix != 0) {
      byte8(prefix);
    }
    if (size == 2) {
      byte8(0x66);
    }
  }

  private void opcode(int opcode) {
    if (opcode > 0xFFFF) {
      byte8(opcode >> 16);
    }
    if (opcode > 0xFF) {
      byte8(opcode >> 8);
    }
    byte8(opcode);
  }

  private void rex(boolean wide, int reg, int index, int base, boolean force) {
    int bits =
        (wide ? 8 : 0)
            | (reg >> 3 & 1) << 2
            | (index > 0 ? index >> 3 & 1 : 0) << 1
            | base >> 3 & 1;
    if (bits != 0 || force) {
      byte8(0x40 | bits);
    }
  }

  /** Whether a byte register needs REX to be what its number says. */
  private static boolean needsRex(int register) {
    return register >= 4 && register < 8;
  }

  private static int low(int register) {
    return register >= HIGH ? register - HIGH : register;
  }

  /**
   * An instruction with a register and a register or /extension.
   *
   * @param prefix a mandatory prefix or 0
   * @param size 2 emits 66, 8 sets REX.W
   * @param byteRegisters 1 if {@code reg} is a byte register, 2 if {@code rm} is, 3 for both
   */
  void rr(int prefix, int size, int opcode, int reg, int rm, int byteRegisters) {
    prefixes(prefix, size);
    boolean force =
        (byteRegisters & 1) != 0 && needsRex(reg) || (byteRegisters & 2) != 0 && needsRex(rm);
    rex(size == 8, low(reg), NO_INDEX, low(rm), force);
    opcode(opcode);
    byte8(0xC0 | (low(reg) & 7) << 3 | low(rm) & 7);
  }

  /** An instruction with registers of its size. */
  void rr(int size, int opcode, int reg, int rm) {
    rr(0, size, opcode, reg, rm, size == 1 ? 3 : 0);
  }

  /** An instruction with a register (or /extension) and memory at a register plus displacement. */
  void rm(int prefix, int size, int opcode, int reg, int base, int displacement, boolean byteReg) {
    prefixes(prefix, size);
    rex(size == 8, reg, NO_INDEX, base, byteReg && needsRex(reg));
    opcode(opcode);
    memory(reg, base, displacement);
  }

  /** The same with a register of the instruction's size. */
  void rm(int size, int opcode, int reg, int base, int displacement) {
    rm(0, size, opcode, reg, base, displacement, size == 1);
  }

  /**
   * An instruction with VEX (Intel SDM volume 2, 2.3.5), of registers.
   *
   * @param vex the rest of its prefix: see {@link Vex}
   */
  void vexRegisters(Vex vex, int reg, int rm) {
    vex(vex, reg, rm);
    byte8(0xC0 | (reg & 7) << 3 | rm & 7);
  }

  /** The same with memory at a register plus displacement. */
  void vexMemory(Vex vex, int reg, int base, int displacement) {
    vex(vex, reg, base);
    memory(reg, base, displacement);
  }

  /** VZEROUPPER, or VZEROALL. */
  void vexZero(boolean all) {
    vex(new Vex(1, 0, 0x77, false, all, 0), 0, 0);
  }

  private void vex(Vex vex, int reg, int rm) {
    byte8(0xC4);
    byte8((reg >> 3 & 1 ^ 1) << 7 | 0x40 | (rm >> 3 & 1 ^ 1) << 5 | vex.map());
    byte8((vex.w() ? 0x80 : 0) | (vex.register() ^ 15) << 3 | (vex.l() ? 4 : 0) | vex.prefix());
    byte8(vex.opcode());
  }

  /**
   * What VEX says beside the registers of ModRM.
   *
   * @param map 1 for 0F, 2 for 0F38, 3 for 0F3A
   * @param prefix 0 none, 1 for 66, 2 for F3, 3 for F2
   * @param l whether it works with 256 bits
   * @param register the register in vvvv; 0 for none
   */
  record Vex(int map, int prefix, int opcode, boolean w, boolean l, int register) {}

  private void memory(int reg, int base, int displacement) {
    int r = (reg & 7) << 3;
    boolean sib = (base & 7) == RSP;
    int mode = displacement == 0 && (base & 7) != RBP ? 0 : fits8(displacement) ? 0x40 : 0x80;
    byte8(mode | r | (sib ? 4 : base & 7));
    if (sib) {
      byte8(0x24);
    }
    displacement(mode, displacement);
  }

  private void displacement(int mode, int displacement) {
    if (mode == 0x40) {
      byte8(displacement);
    } else if (mode == 0x80) {
      int32(displacement);
    }
  }

  /** An instruction with memory at base plus index (not RSP) shifted left plus displacement. */
  void rmx(int size, int opcode, int reg, int base, int index, int scale, int displacement) {
    prefixes(0, size);
    rex(size == 8, reg, index, base, size == 1 && needsRex(reg));
    opcode(opcode);
    int mode = displacement == 0 && (base & 7) != RBP ? 0 : fits8(displacement) ? 0x40 : 0x80;
    byte8(mode | (reg & 7) << 3 | 4);
    byte8(scale << 6 | (index & 7) << 3 | base & 7);
    displacement(mode, displacement);
  }

  /** LEA of an index shifted left plus displacement, without base. */
  void leaIndex(int size, int reg, int index, int scale, int displacement) {
    rex(size == 8, reg, index, 0, false);
    byte8(0x8D);
    byte8((reg & 7) << 3 | 4);
    byte8(scale << 6 | (index & 7) << 3 | 5);
    int32(displacement);
  }

  static boolean fits8(long value) {
    return value == (byte) value;
  }

  static boolean fits32(long value) {
    return value == (int) value;
  }

  /** An immediate of an operand's size, at most 4 bytes. */
  void immediate(int size, long value) {
    byte8((int) value);
    if (size > 1) {
      byte8((int) value >> 8);
    }
    if (size > 2) {
      byte8((int) value >> 16);
      byte8((int) value >> 24);
    }
  }

  // ---- instructions ----

  /** MOV between registers, of 4 or 8 bytes. */
  void move(int size, int to, int from) {
    rr(size, 0x8B, to, from);
  }

  /** MOV AL, 0. */
  void constantByteZero() {
    byte8(0xB0);
    byte8(0);
  }

  /** MOV of a constant into a register; the upper half of a register of 4 bytes becomes zero. */
  void constant(int to, long value) {
    if (value >>> 32 == 0) {
      rex(false, 0, NO_INDEX, to, false);
      byte8(0xB8 | to & 7);
      int32((int) value);
    } else if (fits32(value)) {
      rr(8, 0xC7, 0, to);
      int32((int) value);
    } else {
      rex(true, 0, NO_INDEX, to, false);
      byte8(0xB8 | to & 7);
      long64(value);
    }
  }

  /** MOV from memory, of 4 or 8 bytes. */
  void load(int size, int to, int base, int displacement) {
    rm(size, 0x8B, to, base, displacement);
  }

  /** MOV to memory. */
  void store(int size, int from, int base, int displacement) {
    rm(size, size == 1 ? 0x88 : 0x89, from, base, displacement);
  }

  /** LEA. */
  void lea(int size, int to, int base, int displacement) {
    rm(size, 0x8D, to, base, displacement);
  }

  /** One of the operations 0 to 7 (ADD, OR, ADC, SBB, AND, SUB, XOR, CMP) with an immediate. */
  void operate(int size, int operation, int to, long value) {
    if (size == 1) {
      rr(0, 1, 0x80, operation, to, 2);
      immediate(1, value);
    } else if (fits8(value)) {
      rr(size, 0x83, operation, to);
      byte8((int) value);
    } else {
      rr(size, 0x81, operation, to);
      immediate(size, value);
    }
  }

  /** The same with memory. */
  void operateMemory(int size, int operation, int base, int displacement, long value) {
    if (size == 1) {
      rm(0, 1, 0x80, operation, base, displacement, false);
      immediate(1, value);
    } else if (fits8(value)) {
      rm(size, 0x83, operation, base, displacement);
      byte8((int) value);
    } else {
      rm(size, 0x81, operation, base, displacement);
      immediate(size, value);
    }
  }

  /** MOV of an immediate to memory; of 8 bytes it is sign-extended from 4. */
  void storeConstant(int size, int base, int displacement, long value) {
    rm(0, size, size == 1 ? 0xC6 : 0xC7, 0, base, displacement, false);
    immediate(size, value);
  }

  /** A shift or rotate by a constant. */
  void shift(int size, int operation, int register, int count) {
    rr(0, size, size == 1 ? 0xC0 : 0xC1, operation, register, size == 1 ? 2 : 0);
    byte8(count);
  }

  /** BSWAP of 4 or 8 bytes. */
  void swapBytes(int size, int register) {
    rex(size == 8, 0, NO_INDEX, register, false);
    byte8(0x0F);
    byte8(0xC8 | register & 7);
  }

  /** MOVZX of a register's low byte to itself. */
  void zeroExtendByte(int register) {
    rr(0, 4, 0x0FB6, register, register, 2);
  }

  /** PUSH of 8 bytes. */
  void push(int register) {
    rex(false, 0, NO_INDEX, register, false);
    byte8(0x50 | register & 7);
  }

  /** POP of 8 bytes. */
  void pop(int register) {
    rex(false, 0, NO_INDEX, register, false);
    byte8(0x58 | register & 7);
  }

  /** JMP to the address that lies at base plus index plus displacement. */
  void jumpMemory(int base, int index, int displacement) {
    rmx(4, 0xFF, 4, base, index, 0, displacement);
  }
}

package io.vmm4j.software.differential;

import io.vmm4j.software.cpu.Flags;
import org.jspecify.annotations.Nullable;

/** What all families of instructions are written with. */
class Emitter {
  private static final int[] NO_PREFIXES = {};
  private static final int AND = 4;

  final Assembler code;
  final Draw draw;

  Emitter(Assembler code, Draw draw) {
    this.code = code;
    this.draw = draw;
  }

  static int[] prefixes(int... bytes) {
    return bytes;
  }

  /**
   * An instruction with general operands.
   *
   * @param size of its operands in bytes: 1, 2 (with 66), 4, or 8 (with REX.W)
   */
  void general(
      int size,
      int opcode,
      int reg,
      Operand rm,
      int immediateBytes,
      long immediate,
      @Nullable Mask mask,
      int... leading) {
    int register = reg;
    Operand operand = rm;
    int rex = size == 8 ? 8 : -1;
    if (size == 1) {
      boolean needed =
          (reg & 8) != 0
              || (rm.register() & 8) != 0 && rm.isRegister()
              || rm.base() >= 8
              || rm.index() >= 8;
      // With REX the numbers of AH to BH are SPL to DIL, which are kept.
      boolean isRegister = !isGroup(opcode);
      if (needed && isRegister && reg >= 4 && reg < 7) {
        register = reg - 4;
      }
      if (needed && rm.register() >= 4 && rm.register() < 7) {
        operand = Operand.register(rm.register() - 4);
      }
      boolean high =
          isRegister && register >= 4 && register < 7 || rm.register() >= 4 && rm.register() < 7;
      rex = !high && draw.oneIn(3) ? 0 : -1;
    }
    int[] sizes = size == 2 || size == 8 && draw.oneIn(30) ? prefixes(0x66) : NO_PREFIXES;
    code.bytes(leading).modrm(sizes, rex, opcode, register, operand, immediateBytes);
    code.immediate(immediateBytes, immediate).end(mask);
  }

  /** Whether the register field of an opcode for bytes is part of the opcode. */
  private static boolean isGroup(int opcode) {
    return switch (opcode) {
      case 0x80, 0xC0, 0xC6, 0xD0, 0xD2, 0xF6, 0xFE -> true;
      default -> false;
    };
  }

  void general(int size, int opcode, int reg, Operand rm) {
    general(size, opcode, reg, rm, 0, 0, null);
  }

  /** An instruction that leaves flags undefined, and what defines them. */
  void generalUndefined(
      int size,
      int opcode,
      int reg,
      Operand rm,
      int immediateBytes,
      long immediate,
      int undefined,
      int... leading) {
    general(size, opcode, reg, rm, immediateBytes, immediate, Mask.flags(undefined), leading);
    defineFlags(undefined);
  }

  /**
   * After an instruction that has left flags undefined: puts zeros in their place, with PUSHF and
   * POPF, or overwrites all of them.
   */
  void defineFlags(int undefined) {
    if (undefined == 0) {
      return;
    }
    if (draw.oneIn(3)) {
      code.bytes(0x3D).immediate(4, draw.value()).end(); // CMP EAX, imm32
      return;
    }
    code.bytes(0x9C).end(Mask.pushedFlags(undefined)); // PUSHFQ
    code.modrm(prefixes(), 8, 0x81, AND, Operand.relative(Draw.RSP, Operand.NONE, 0, 0), 4);
    code.immediate(4, ~undefined).end(Mask.flags(Flags.ARITHMETIC));
    code.bytes(0x9D).end(); // POPFQ
  }

  /** MOV of a constant into a register, with 32 bits if they are enough. */
  void load(int register, long value) {
    if (value == (value & 0xFFFF_FFFFL)) {
      if (register >= 8) {
        code.bytes(0x41);
      }
      code.bytes(0xB8 | register & 7).immediate(4, value).end();
    } else {
      code.bytes(0x48 | register >> 3, 0xB8 | register & 7).immediate(8, value).end();
    }
    draw.known[register] = value;
  }

  /** MOV of a constant to memory: 1, 2, 4 or 8 bytes, the last from a signed 32-bit constant. */
  void store(int size, long address, long value, @Nullable Mask mask) {
    code.modrm(
        size == 2 ? prefixes(0x66) : prefixes(),
        size == 8 ? 8 : -1,
        size == 1 ? 0xC6 : 0xC7,
        0,
        Operand.absolute(address),
        Math.min(size, 4));
    code.immediate(Math.min(size, 4), value).end(mask);
  }
}

package io.vmm4j.software.differential;

import java.util.ArrayList;
import java.util.List;

/**
 * Branches, calls and returns, which all go forward but for short counted loops; and what raises
 * exceptions.
 */
final class ControlFlow extends Emitter {
  private static final int RAX = 0;
  private static final int MOST_ROUNDS = 5;

  private record Fixup(int at, int bytes, int targetGroup) {}

  private final List<Fixup> fixups = new ArrayList<>();
  private final List<Integer> groups = new ArrayList<>();

  ControlFlow(Assembler code, Draw draw) {
    super(code, draw);
  }

  /** A group of instructions begins, to which branches may go. */
  void beginGroup() {
    groups.add(code.here());
    code.beginGroup();
  }

  /** Lets the branches know their targets. */
  void resolve() {
    for (Fixup f : fixups) {
      int target = groups.get(Math.min(f.targetGroup, groups.size() - 1));
      int displacement = target - (f.at + f.bytes);
      boolean fits = f.bytes == 4 || displacement == (byte) displacement;
      code.patch(f.at, f.bytes, fits ? displacement : 0);
    }
  }

  private void displacement(int bytes) {
    fixups.add(new Fixup(code.here(), bytes, groups.size() + draw.below(3)));
    code.immediate(bytes, 0).end();
  }

  /** One of these. */
  void emit() {
    switch (draw.below(16)) {
      case 0, 1, 2 -> {
        boolean near = draw.oneIn(2);
        int condition = draw.below(16);
        if (near) {
          code.bytes(0x0F, 0x80 | condition);
        } else {
          code.bytes(0x70 | condition);
        }
        displacement(near ? 4 : 1);
      }
      case 3 -> {
        boolean near = draw.oneIn(2);
        code.bytes(near ? 0xE9 : 0xEB);
        displacement(near ? 4 : 1);
      }
      case 4 -> {
        code.bytes(0xE8);
        displacement(4);
      }
      case 5, 6 -> {
        if (draw.oneIn(2)) {
          load(Draw.RCX, draw.below(3));
        }
        if (draw.oneIn(4)) {
          code.bytes(0x67);
        }
        if (draw.oneIn(4)) {
          code.bytes(draw.pick(0xF2, 0xF3));
        }
        code.bytes(draw.pick(0xE0, 0xE1, 0xE2, 0xE3));
        displacement(1);
      }
      case 7 -> loop();
      case 8, 9 -> indirect();
      case 10, 11 -> nearReturn();
      case 12 -> interruptReturn();
      default -> exception();
    }
  }

  private void loop() {
    load(Draw.RCX, 1 + draw.below(MOST_ROUNDS));
    int top = code.here();
    int r = draw.pick(0, 2, 8, 11);
    int size = draw.pick(1, 2, 4, 8);
    int operation = draw.pick(0, 2, 3, 5);
    general(
        size,
        operation << 3 | (size == 1 ? 0 : 1) | 2,
        r,
        draw.oneIn(2) ? Operand.register(draw.pick(0, 2, 3, 9)) : draw.memory(size, size));
    code.bytes(0xE2);
    code.immediate(1, top - (code.here() + 1)).end();
  }

  /** LEA RAX, [RIP + forward]. */
  private void targetToRax() {
    code.bytes(0x48, 0x8D, 0x05);
    displacement(4);
  }

  private void indirect() {
    targetToRax();
    int operation = draw.pick(2, 4);
    if (draw.oneIn(2)) {
      code.bytes(0xFF, 0xC0 | operation << 3).end();
    } else {
      Operand memory = draw.at(Layout.DATA + 8 * draw.below(0x1F0));
      general(8, 0x89, RAX, memory);
      general(4, 0xFF, operation, memory);
    }
  }

  private void nearReturn() {
    targetToRax();
    code.bytes(0x50).end();
    if (draw.oneIn(2)) {
      code.bytes(0xC3).end();
    } else {
      code.bytes(0xC2).immediate(2, 8 * draw.below(32)).end();
    }
  }

  private void interruptReturn() {
    targetToRax();
    code.bytes(0x6A, draw.oneIn(8) ? draw.pick(0, 3, 0x28) : Layout.USER_SS).end();
    code.bytes(0x68).immediate(4, Layout.STACK + 0x800).end();
    code.bytes(0x9C).end(); // PUSHFQ
    code.bytes(0x6A, draw.oneIn(8) ? draw.pick(0, 3, 0x2B, 0x30) : Layout.USER_CS).end();
    code.bytes(0x50).end();
    code.bytes(0x48, 0xCF).end();
  }

  private void exception() {
    switch (draw.below(8)) {
      case 0 -> code.bytes(0xCC).end();
      case 1 -> code.bytes(0xCD, draw.pick(0, 1, 2, 3, 4, 5, 6, 8, 13, 14, 0x20, 0x81, 0xFF)).end();
      case 2 -> code.bytes(0xF1).end(); // INT1
      case 3 -> {
        if (draw.oneIn(3)) {
          load(Draw.RCX, draw.below(2));
          code.bytes(0xF3);
        }
        code.bytes(draw.pick(0xF4, 0xFA, 0xFB, 0xEC, 0xEE, 0x6C, 0x6E)).end();
      }
      case 4 -> {
        // Privileged, or of no meaning outside VMX and SVM.
        int[] codes = {0x06, 0x08, 0x09, 0x0B, 0x30, 0x32, 0x33};
        code.bytes(0x0F, draw.pick(codes)).end();
      }
      case 5 -> code.bytes(0x0F, draw.pick(0x20, 0x21, 0x22, 0x23), 0xC0 | draw.below(64)).end();
      case 6 ->
          code.modrm(prefixes(), -1, 0x101, draw.pick(2, 3, 6, 7), draw.memory(10, 8), 0).end();
      default -> forbidden();
    }
  }

  /** Encodings that no processor has. */
  private void forbidden() {
    switch (draw.below(9)) {
      case 0 -> code.bytes(0x0F, 0x0B).end(); // UD2
      case 1 ->
          code.bytes(
                  draw.pick(
                      0x06, 0x07, 0x0E, 0x16, 0x17, 0x1E, 0x1F, 0x27, 0x2F, 0x37, 0x3F, 0x60, 0x61,
                      0x82, 0x9A, 0xCE, 0xD4, 0xD5, 0xD6, 0xEA))
              .end();
      case 2 -> // LOCK where there is none
          general(
              4,
              draw.pick(0x8B, 0x89, 0x3B, 0x39, 0x01, 0x85),
              RAX,
              draw.oneIn(3) ? Operand.register(2) : draw.at(Layout.DATA + 64),
              0,
              0,
              null,
              0xF0);
      case 3 -> general(4, 0xFF, 7, draw.target(4));
      case 4 -> general(1, 0xFE, 2 + draw.below(6), draw.target(1));
      case 5 -> general(4, 0x1BA, draw.below(4), draw.target(4), 1, 0, null);
      case 6 -> code.bytes(0x8D, 0xC0 | draw.below(64)).end(); // LEA of a register
      case 7 -> { // longer than 15 bytes, or just not
        int count = 11 + draw.below(5);
        for (int i = 0; i < count; i++) {
          code.bytes(draw.pick(0x2E, 0x36, 0x66, 0x3E));
        }
        code.bytes(0x0F, 0x1F, 0xC0).end();
      }
      default -> code.bytes(0x0F, draw.pick(0x04, 0x0A, 0x0C, 0x25, 0x27, 0x36, 0x3B, 0x3D)).end();
    }
  }
}

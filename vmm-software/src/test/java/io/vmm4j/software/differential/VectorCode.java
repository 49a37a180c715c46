package io.vmm4j.software.differential;

import java.util.ArrayList;
import java.util.List;

/**
 * Instructions of MMX and SSE up to SSE4.2: every opcode of their part of the map, with every
 * mandatory prefix, so that those that do not exist are among them.
 */
final class VectorCode extends Emitter {

  private static final int MASKED_STORE = 0x1F7;

  private record Opcode(int prefix, int number) {}

  private static final List<Opcode> OPCODES = opcodes();

  VectorCode(Assembler code, Draw draw) {
    super(code, draw);
  }

  private static List<Opcode> opcodes() {
    List<Opcode> list = new ArrayList<>();
    for (int prefix : new int[] {0, 0x66, 0xF3, 0xF2}) {
      add(list, prefix, 0x110, 0x117);
      add(list, prefix, 0x128, 0x12F);
      add(list, prefix, 0x150, 0x176);
      add(list, prefix, 0x17C, 0x17F);
      add(list, prefix, 0x1C2, 0x1C2);
      add(list, prefix, 0x1C4, 0x1C6);
      add(list, prefix, 0x1D0, 0x1FE);
      add(list, prefix, 0x200, 0x241);
      add(list, prefix, 0x308, 0x30F);
      add(list, prefix, 0x314, 0x317);
      add(list, prefix, 0x320, 0x322);
      add(list, prefix, 0x340, 0x342);
      add(list, prefix, 0x360, 0x363);
      // The commonest once more.
      add(list, prefix, 0x151, 0x15F);
      add(list, prefix, 0x110, 0x112);
    }
    return List.copyOf(list);
  }

  private static void add(List<Opcode> list, int prefix, int first, int last) {
    for (int number = first; number <= last; number++) {
      if (!Freedom.isBeyondModel(prefix, number)) {
        list.add(new Opcode(prefix, number));
      }
    }
  }

  private static boolean isApproximate(Opcode opcode) {
    return (opcode.number == 0x152 || opcode.number == 0x153)
        && (opcode.prefix == 0 || opcode.prefix == 0xF3);
  }

  private static boolean hasImmediate(int number) {
    return switch (number) {
      case 0x170, 0x171, 0x172, 0x173, 0x1C2, 0x1C4, 0x1C5, 0x1C6 -> true;
      default -> number >= 0x300;
    };
  }

  /** One instruction. */
  void emit() {
    if (draw.oneIn(30)) {
      loadMxcsr();
      return;
    }
    if (draw.oneIn(60)) {
      code.bytes(0x0F, 0x77).end(); // EMMS
      return;
    }
    Opcode opcode = OPCODES.get(draw.below(OPCODES.size()));
    int immediate = hasImmediate(opcode.number) ? 1 : 0;
    // A general register may be what is written: not one that is kept.
    int reg = draw.oneIn(4) ? draw.below(16) : draw.pick(0, 1, 2, 8, 9, 10, 11, 15);
    Operand operand =
        draw.oneIn(2)
            ? Operand.register(draw.oneIn(4) ? draw.below(16) : draw.pick(0, 1, 2, 8, 9))
            : draw.memory(16, draw.oneIn(6) ? draw.pick(1, 4, 8) : 16);
    if (opcode.number == MASKED_STORE) {
      maskedStore(opcode, operand);
    }
    if (Freedom.entersMmxEarly(opcode.prefix, opcode.number)) {
      code.opens(Mask.X87);
    }
    int[] prefixes = opcode.prefix == 0 ? prefixes() : prefixes(opcode.prefix);
    if (opcode.prefix >= 0xF2 && draw.oneIn(20)) {
      prefixes = prefixes(0x66, opcode.prefix);
      if (Freedom.isBeyondModel(0x66, opcode.number)) {
        prefixes = prefixes(opcode.prefix);
      }
    }
    int rex = draw.oneIn(5) ? 8 : -1;
    code.modrm(prefixes, rex, opcode.number, reg, operand, immediate);
    code.immediate(immediate, draw.nextLong());
    if (isApproximate(opcode)) {
      code.end(Mask.xmm(reg));
      code.modrm(prefixes(), -1, 0x157, reg, Operand.register(reg), 0).end(); // XORPS
    } else {
      code.end();
    }
  }

  /** MASKMOVQ and MASKMOVDQU; {@link Freedom#MASKED_STORE}. */
  private void maskedStore(Opcode opcode, Operand operand) {
    if (!operand.isRegister() || opcode.prefix >= 0xF2 || draw.oneIn(2)) {
      load(Draw.RDI, Layout.DATA + (draw.below(2 * Layout.PAGE) & -16));
      return;
    }
    load(Draw.RDI, draw.address(16, 1));
    int mask = operand.register();
    int[] prefixes = opcode.prefix == 0 ? prefixes() : prefixes(0x66);
    code.modrm(prefixes, -1, 0x176, mask, operand, 0).end(); // PCMPEQD: all ones
  }

  private void loadMxcsr() {
    long at = Layout.DATA + 8 * draw.below(0x200);
    if (draw.oneIn(3)) {
      code.modrm(prefixes(), -1, 0x1AE, 3, draw.memory(4, 4), 0).end(); // STMXCSR
      return;
    }
    long value = draw.oneIn(10) ? draw.value() & ~X87Code.MISALIGNED : mxcsr(draw);
    store(4, at, value, null);
    code.modrm(prefixes(), -1, 0x1AE, 2, Operand.absolute(at), 0).end();
  }

  /** A value of MXCSR, exceptions mostly masked. */
  static int mxcsr(Draw draw) {
    int value = draw.below(4) << 13 | draw.below(64); // rounding, flags
    value |= draw.oneIn(4) ? 1 << 6 : 0; // DAZ
    value |= draw.oneIn(4) ? 1 << 15 : 0; // FZ
    return value | (draw.oneIn(5) ? draw.below(64) << 7 : 0x1F80);
  }
}

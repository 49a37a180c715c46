package io.vmm4j.software.differential;

import io.vmm4j.api.backend.CpuFeature;

/** Instructions of the x87, and those that save and load its state with that of SSE. */
final class X87Code extends Emitter {
  private static final int ENVIRONMENT_BYTES = 28;
  private static final int FSAVE_BYTES = 108;
  private static final int XSAVE_BYTES = 832;
  private static final int MXCSR = 24;
  private static final int MXCSR_MASK = 28;

  /** {@link Freedom#MISALIGNED_SSE}. */
  static final int MISALIGNED = 1 << 17;

  private static final int XSTATE_BV = 512;

  X87Code(Assembler code, Draw draw) {
    super(code, draw);
  }

  /** An instruction, and what belongs to it. */
  void emit() {
    switch (draw.below(16)) {
      case 0, 1, 2, 3, 4 -> memory();
      case 5 -> environment();
      case 6 -> fxsave();
      case 7 -> xsave();
      case 8 -> control();
      case 9 -> approximation();
      case 10 -> constant();
      default -> register();
    }
  }

  private void escape(int escape, int reg, Operand operand) {
    code.modrm(prefixes(), -1, 0xD8 | escape, reg, operand, 0).end();
  }

  /** Loads, stores and arithmetic with memory. */
  private void memory() {
    int escape = draw.below(8);
    int reg = draw.below(8);
    if ((escape == 1 && reg >= 4) || escape == 5 && (reg == 4 || reg == 6)) {
      environment();
      return;
    }
    int bytes =
        switch (escape) {
          case 0, 1, 2 -> 4;
          case 3 -> reg < 4 ? 4 : 10;
          case 4, 5 -> 8;
          case 6 -> 2;
          default -> reg < 4 ? 2 : reg == 4 || reg == 6 ? 10 : 8;
        };
    escape(escape, reg, draw.memory(bytes, draw.oneIn(4) ? 1 : Integer.highestOneBit(bytes)));
  }

  private void register() {
    int escape = draw.below(8);
    int modrm = 0xC0 | draw.below(64);
    if (escape == 1 && isApproximate(modrm)) {
      approximation();
      return;
    }
    code.bytes(0xD8 | escape, modrm).end();
  }

  private void constant() {
    code.bytes(0xD9, draw.pick(0xE8, 0xE9, 0xEA, 0xEB, 0xEC, 0xED, 0xEE)).end();
  }

  private static boolean isApproximate(int modrm) {
    return switch (modrm) {
      case 0xF0, 0xF1, 0xF2, 0xF3, 0xF9, 0xFB, 0xFE, 0xFF -> true;
      default -> false;
    };
  }

  /** A transcendental function; {@link Freedom#TRANSCENDENTAL}. */
  private void approximation() {
    code.bytes(0xD9, draw.pick(0xF0, 0xF1, 0xF2, 0xF3, 0xF9, 0xFB, 0xFE, 0xFF)).end(Mask.X87);
    // Empty registers keep what is in them, so all are overwritten.
    code.bytes(0xDB, 0xE3).end(Mask.X87); // FNINIT
    for (int i = 0; i < 8; i++) {
      code.bytes(0xD9, 0xEE).end(Mask.X87); // FLDZ
    }
    code.bytes(0xDB, 0xE3).end();
  }

  private void control() {
    switch (draw.below(6)) {
      case 0 -> code.bytes(0xDB, draw.pick(0xE2, 0xE3, 0xE2, 0xE0, 0xE1, 0xE4)).end(); // FNCLEX...
      case 1 -> code.bytes(0xDF, 0xE0).end(); // FNSTSW AX
      case 2 -> code.bytes(0x9B).end(); // FWAIT
      case 3 -> {
        long at = Layout.DATA + 8 * draw.below(0x100);
        store(2, at, draw.pick(0x37F, 0x27F, 0x7F, 0xF7F, 0x77F, 0xB7F, 0x340, 0x37B, 0x33F), null);
        escape(1, 5, Operand.absolute(at)); // FLDCW
      }
      case 4 -> escape(1, 7, draw.memory(2, 2)); // FNSTCW
      default -> escape(5, 7, draw.memory(2, 2)); // FNSTSW
    }
  }

  /** A place in the first data page, aligned for all of these. */
  private long area() {
    return Layout.DATA + 0x400 + 64L * draw.below(24);
  }

  /** FNSTENV, FNSAVE, FLDENV and FRSTOR, with 32-bit and 16-bit forms. */
  private void environment() {
    boolean narrow = draw.oneIn(4);
    boolean whole = draw.oneIn(2);
    boolean stores = draw.oneIn(2);
    int[] prefix = narrow ? prefixes(0x66) : prefixes();
    int escape = whole ? 5 : 1;
    if (!stores) {
      int bytes = whole ? FSAVE_BYTES : ENVIRONMENT_BYTES;
      code.opens(Mask.IMAGE);
      code.modrm(prefix, -1, 0xD8 | escape, 4, draw.memory(bytes, 4), 0).end();
      return;
    }
    long area = area();
    int pointers = narrow ? 6 : 12;
    int bytes = narrow ? 8 : 16;
    code.modrm(prefix, -1, 0xD8 | escape, 6, Operand.absolute(area), 0)
        .end(Mask.memory(area + pointers, bytes));
    zero(area + pointers, bytes);
  }

  /** Overwrites bytes that are not defined. */
  private void zero(long address, int bytes) {
    int size = bytes % 8 == 0 ? 8 : bytes % 4 == 0 ? 4 : 2;
    for (int at = 0; at < bytes; at += size) {
      boolean last = at + size == bytes;
      Mask mask = last ? Mask.NONE : Mask.memory(address + at + size, bytes - at - size);
      store(size, address + at, 0, mask);
    }
  }

  /** Overwrites a whole area with zeros, by REP STOSQ. */
  private void wipe(long area, int bytes, Mask until) {
    code.bytes(0xFC).end(until); // CLD
    code.bytes(0xBF).immediate(4, area).end(until);
    code.bytes(0xB9).immediate(4, bytes / 8).end(until);
    code.bytes(0xB8).immediate(4, 0).end(until);
    code.bytes(0xF3, 0x48, 0xAB).end();
    draw.known[Draw.RDI] = area + bytes;
  }

  private void fxsave() {
    int rex = draw.oneIn(2) ? 8 : -1;
    long area = area();
    if (draw.oneIn(8)) {
      randomFxrstor(rex);
      return;
    }
    Mask mask = Mask.memory(area, 512);
    code.modrm(prefixes(), rex, 0x1AE, 0, Operand.absolute(area), 0).end(mask);
    store(2, area + 6, 0, mask); // the last opcode
    store(8, area + 8, 0, mask); // and its pointers
    store(8, area + 16, 0, mask);
    store(4, area + MXCSR_MASK, 0, mask);
    wipe(area + 416, 96, mask);
    if (draw.oneIn(2)) {
      if (draw.oneIn(4)) {
        store(4, area + MXCSR, draw.value() & ~MISALIGNED, null);
      }
      if (draw.oneIn(2)) {
        store(4, area, draw.value(), null); // the control word and the status word
        store(1, area + 4, draw.value(), null);
      }
      code.modrm(prefixes(), rex, 0x1AE, 1, Operand.absolute(area), 0).end();
    }
  }

  /** FXRSTOR of what is no image: mostly #GP for its MXCSR, its alignment, or #PF. */
  private void randomFxrstor(int rex) {
    long image = Layout.ABSENT - draw.below(500);
    if (!draw.oneIn(3)) {
      image = Layout.DATA + draw.below(0x1C00);
      image = draw.oneIn(3) ? image : image & -16;
      store(4, image + MXCSR, draw.value() & ~MISALIGNED, null);
    }
    code.opens(Mask.IMAGE);
    code.modrm(prefixes(), rex, 0x1AE, 1, draw.at(image), 0).end();
  }

  private void mask(int components) {
    code.bytes(0xB8).immediate(4, components).end();
    code.bytes(0xBA).immediate(4, 0).end();
  }

  /** Some of the components that the processor has. */
  private int components() {
    int drawn = draw.below(8);
    return HostFeatures.PRESENT.has(CpuFeature.AVX) ? drawn : drawn & 3;
  }

  /** XSAVE, XSAVEOPT and XRSTOR of x87, SSE and AVX. */
  private void xsave() {
    int rex = draw.oneIn(2) ? 8 : -1;
    long area = area();
    wipe(area, XSAVE_BYTES, Mask.NONE);
    mask(draw.below(8));
    Mask open = Mask.memory(area, XSAVE_BYTES);
    int reg = draw.pick(4, 4, 6);
    code.modrm(prefixes(), rex, 0x1AE, reg, Operand.absolute(area), 0).end(open);
    if (reg == 6) {
      wipe(area, XSAVE_BYTES, open);
    } else {
      // What is in its initial state may be marked so, or not.
      store(8, area + XSTATE_BV, components(), open);
      store(2, area + 6, 0, open);
      store(8, area + 8, 0, open);
      store(8, area + 16, 0, open);
      store(4, area + MXCSR_MASK, 0, null);
    }
    if (draw.oneIn(4)) {
      store(4, area + MXCSR, draw.value() & ~MISALIGNED, null);
    }
    if (draw.oneIn(8)) {
      store(4, area + XSTATE_BV + 16 + 4 * draw.below(12), draw.pick(0, 1), null);
    }
    if (draw.oneIn(12)) {
      store(4, area + XSTATE_BV + 4, draw.pick(0, 0x4000_0000), null); // no such component
    }
    mask(draw.below(8));
    code.modrm(prefixes(), rex, 0x1AE, 5, Operand.absolute(area), 0).end();
  }
}

package io.vmm4j.software.differential;

import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.software.cpu.VexEncodings;
import io.vmm4j.software.cpu.VexEncodings.Encoding;
import java.util.List;

/**
 * AVX, AVX2, FMA and F16C: every encoding that the host has, and those beside them that do not
 * exist. A host without AVX has nothing of it.
 */
final class AvxCode extends Emitter {
  static final List<CpuFeature> FEATURES =
      List.of(CpuFeature.AVX, CpuFeature.AVX2, CpuFeature.FMA, CpuFeature.F16C);

  private static final int MASKED_STORE = 0x1F7;
  private static final int STATE = 0x1AE;
  private static final int ZERO = 0x177;
  private static final int SHIFT_D = 0x172;
  private static final int SHIFT_Q = 0x173;
  private static final int RIGHT = 2;

  private static List<Encoding> encodings() {
    return Host.ENCODINGS;
  }

  /** Made when the first case wants it, for {@link HostFeatures} names {@link #FEATURES}. */
  private static final class Host {
    static final List<Encoding> ENCODINGS =
        HostFeatures.PRESENT.has(CpuFeature.AVX)
            ? VexEncodings.all(HostFeatures.PRESENT.features())
            : List.of();

    private Host() {}
  }

  AvxCode(Assembler code, Draw draw) {
    super(code, draw);
  }

  /** One instruction, or a few that belong together. */
  void emit() {
    if (encodings().isEmpty()) {
      return;
    }
    Encoding e = encodings().get(draw.below(encodings().size()));
    if (e.opcode() == ZERO) {
      code.bytes(0xC5, 0xF8 | (e.l() ? 4 : 0), 0x77).end();
    } else if (e.opcode() == STATE) {
      mxcsr(e);
    } else if (e.opcode() == MASKED_STORE) {
      load(Draw.RDI, Layout.DATA + (draw.below(2 * Layout.PAGE) & -16));
      plain(e, register());
    } else if (e.hasIndices()) {
      gather(e);
    } else {
      plain(e, e.memory() ? memory(e.bytes()) : register());
    }
  }

  private Operand register() {
    return Operand.register(draw.oneIn(4) ? draw.below(16) : draw.pick(0, 1, 2, 8, 9));
  }

  private Operand memory(int bytes) {
    int size = Math.max(bytes, 1);
    return draw.memory(size, draw.oneIn(3) ? draw.pick(1, 4, 8) : size);
  }

  private int vector() {
    return draw.oneIn(3) ? draw.below(16) : draw.pick(0, 1, 2, 8, 9, 10, 11, 15);
  }

  private void plain(Encoding e, Operand operand) {
    int reg = e.extension() >= 0 ? e.extension() : vector();
    int second = e.hasSecond() ? vector() : 0;
    int prefix = e.prefix();
    boolean w = e.w();
    boolean l = e.l();
    if (draw.oneIn(40)) { // mostly what does not exist
      switch (draw.below(4)) {
        case 0 -> prefix = draw.below(4);
        case 1 -> w ^= !Freedom.ignoresWidth(e.opcode());
        case 2 -> l = !l;
        default -> second = draw.below(16);
      }
    }
    if (draw.oneIn(200) && !Freedom.mayEndInForbiddenPrefix(code.here())) {
      code.bytes(draw.pick(0x66, 0xF2, 0xF3, 0xF0, 0x48));
    }
    int immediate = e.hasImmediate() ? 1 : 0;
    code.vex(prefix, e.opcode(), reg, second, operand, w, l, immediate);
    code.immediate(immediate, draw.nextLong());
    if (e.opcode() == 0x152 || e.opcode() == 0x153) { // approximations
      code.end(Mask.xmm(reg));
      code.vex(0, 0x157, reg, reg, Operand.register(reg), false, false, 0).end(); // VXORPS
    } else {
      code.end();
    }
  }

  /** VLDMXCSR and VSTMXCSR. */
  private void mxcsr(Encoding e) {
    long at = Layout.DATA + 8 * draw.below(0x200);
    if (e.extension() == 2) {
      store(4, at, VectorCode.mxcsr(draw), null);
    }
    Operand operand = Operand.absolute(at);
    code.vex(0, STATE, e.extension(), 0, operand, e.w(), e.l(), 0).end();
  }

  /** Indices are made small before, for most addresses are to exist. */
  private void gather(Encoding e) {
    int index = vector();
    int mask = draw.oneIn(60) ? vector() : index + 1 + draw.below(14) & 15;
    int to = draw.oneIn(60) ? vector() : other(index, mask);
    boolean wide = (e.opcode() & 1) != 0; // indices of 64 bits
    int shift = (wide ? 48 : 16) + draw.below(14);
    Operand source = Operand.register(vector());
    code.vex(1, wide ? SHIFT_Q : SHIFT_D, RIGHT, index, source, false, true, 1);
    code.immediate(1, draw.oneIn(12) ? 0 : shift).end();
    if (draw.oneIn(3)) {
      code.vex(1, 0x176, mask, mask, Operand.register(mask), false, true, 0).end(); // VPCMPEQD
    }
    int base = draw.pick(3, 5, 12);
    long from = Layout.DATA + 8 * draw.below(0x200) + (draw.oneIn(3) ? draw.below(8) : 0);
    Operand operand = Operand.relative(base, index, draw.below(4), from - draw.known[base]);
    operand = draw.oneIn(12) ? operand.narrowed() : operand;
    code.vex(e.prefix(), e.opcode(), to, mask, operand, e.w(), e.l(), 0).end();
  }

  private int other(int first, int second) {
    int register = draw.below(16);
    while (register == first || register == second) {
      register = register + 1 & 15;
    }
    return register;
  }
}

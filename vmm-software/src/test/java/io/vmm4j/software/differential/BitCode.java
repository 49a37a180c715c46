package io.vmm4j.software.differential;

import io.vmm4j.api.backend.CpuFeature;
import java.util.List;

/**
 * What not every processor has for user code: BMI1, BMI2, LZCNT, ADX, MOVBE, CLFLUSHOPT and CLWB.
 * What the host lacks is drawn and not written, so that a seed makes the same of all the rest.
 */
final class BitCode extends Emitter {
  static final List<CpuFeature> FEATURES =
      List.of(
          CpuFeature.BMI1,
          CpuFeature.BMI2,
          CpuFeature.LZCNT,
          CpuFeature.ADX,
          CpuFeature.MOVBE,
          CpuFeature.CLFLUSHOPT,
          CpuFeature.CLWB);

  private static final int NONE = 0;
  private static final int P66 = 1;
  private static final int F3 = 2;
  private static final int F2 = 3;

  BitCode(Assembler code, Draw draw) {
    super(code, draw);
  }

  private int size() {
    return draw.pick(4, 8);
  }

  private Operand source(int size) {
    return draw.oneIn(2)
        ? Operand.register(draw.source())
        : draw.memory(size, draw.oneIn(8) ? 1 : size);
  }

  /** One instruction, or a few that belong together. */
  void emit() {
    switch (draw.below(12)) {
      case 0 ->
          vex(CpuFeature.BMI1, NONE, 0x2F2, Freedom.FLAGS_OF_BIT_MANIPULATION.flags()); // ANDN
      case 1, 2 -> lowestBit();
      case 3 -> vex(CpuFeature.BMI1, NONE, 0x2F7, Freedom.FLAGS_OF_BIT_EXTRACT.flags()); // BEXTR
      case 4 ->
          vex(CpuFeature.BMI2, NONE, 0x2F5, Freedom.FLAGS_OF_BIT_MANIPULATION.flags()); // BZHI
      case 5 -> vex(CpuFeature.BMI2, draw.pick(F3, F2), 0x2F5, 0); // PEXT, PDEP
      case 6 -> vex(CpuFeature.BMI2, F2, 0x2F6, 0); // MULX
      case 7 -> vex(CpuFeature.BMI2, draw.pick(P66, F3, F2), 0x2F7, 0); // SHLX, SARX, SHRX
      case 8 -> rotate();
      case 9 -> counts();
      case 10 -> addCarry();
      default -> memory();
    }
  }

  private static boolean has(CpuFeature feature) {
    return HostFeatures.PRESENT.has(feature);
  }

  private void vex(CpuFeature feature, int prefix, int opcode, int undefined) {
    int size = size();
    int control = draw.pick(0, 1, 2, 8, 9, 10);
    int reg = draw.destination();
    Operand operand = source(size);
    long small = draw.below(80) | draw.below(80) << 8;
    if (opcode == 0x2F6) {
      control = draw.destination();
    } else if (draw.oneIn(2) && has(feature)) {
      load(control, small); // an index or a length that matters
    }
    if (has(feature)) {
      code.vex(prefix, opcode, reg, control, operand, size, 0).end(Mask.flags(undefined));
      defineFlags(undefined);
    }
  }

  /** BLSR, BLSMSK, BLSI: the destination is in VEX. */
  private void lowestBit() {
    int size = size();
    int extension = 1 + draw.below(3);
    int destination = draw.destination();
    Operand operand = source(size);
    if (has(CpuFeature.BMI1)) {
      code.vex(NONE, 0x2F3, extension, destination, operand, size, 0)
          .end(Mask.flags(Freedom.FLAGS_OF_BIT_MANIPULATION.flags()));
      defineFlags(Freedom.FLAGS_OF_BIT_MANIPULATION.flags());
    }
  }

  private void rotate() {
    int size = size();
    int reg = draw.destination();
    Operand operand = source(size);
    int count = draw.below(256);
    if (has(CpuFeature.BMI2)) {
      code.vex(F2, 0x3F0, reg, 0, operand, size, 1).immediate(1, count).end();
    }
  }

  private void counts() {
    int size = draw.pick(2, 4, 8);
    CpuFeature feature = draw.oneIn(2) ? CpuFeature.BMI1 : CpuFeature.LZCNT;
    int opcode = feature == CpuFeature.BMI1 ? 0x1BC : 0x1BD;
    int reg = draw.destination();
    Operand operand = source(size);
    if (has(feature)) {
      int[] prefixes = size == 2 ? prefixes(0x66, 0xF3) : prefixes(0xF3);
      code.modrm(prefixes, size == 8 ? 8 : -1, opcode, reg, operand, 0)
          .end(Mask.flags(Freedom.FLAGS_OF_ZERO_COUNT.flags()));
      defineFlags(Freedom.FLAGS_OF_ZERO_COUNT.flags());
    }
  }

  private void addCarry() {
    int size = size();
    int prefix = draw.pick(0x66, 0xF3);
    int reg = draw.destination();
    Operand operand = source(size);
    if (has(CpuFeature.ADX)) {
      code.modrm(prefixes(prefix), size == 8 ? 8 : -1, 0x2F6, reg, operand, 0).end();
    }
  }

  private void memory() {
    int kind = draw.below(4);
    int size = draw.pick(2, 4, 8);
    int reg = draw.oneIn(2) ? draw.destination() : draw.source();
    Operand operand = draw.memory(size, draw.oneIn(4) ? 1 : size);
    int rex = size == 8 ? 8 : -1;
    if (kind < 2 && has(CpuFeature.MOVBE)) {
      int[] prefixes = size == 2 ? prefixes(0x66) : prefixes();
      code.modrm(prefixes, rex, 0x2F0 | kind, reg, operand, 0).end();
    } else if (kind == 2 && has(CpuFeature.CLFLUSHOPT)) {
      code.modrm(prefixes(0x66), -1, 0x1AE, 7, operand, 0).end();
    } else if (kind == 3 && has(CpuFeature.CLWB)) {
      code.modrm(prefixes(0x66), -1, 0x1AE, 6, operand, 0).end();
    }
  }
}
